"""The data directory: whose it is, and its lock."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tile38py.errors import StartError
from tile38py.persistence.data_folder import DirectoryLock, announced, make_data_folder

STRANGER = 1234
TRY = """
import os, sys
from pathlib import Path
from tile38py.errors import StartError
from tile38py.persistence.data_folder import DirectoryLock, make_data_folder
os.setgid(%d)
os.setuid(%d)
try:
    make_data_folder(Path(sys.argv[1]))
    DirectoryLock(Path(sys.argv[1]))
except StartError as error:
    print(error)
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def tried_by_a_stranger(directory: Path) -> str:
    """What another user is told who starts a server on the directory."""
    command = [sys.executable, "-c", TRY % (STRANGER, STRANGER), str(directory)]
    for parent in directory.parents:
        if Path(tempfile.gettempdir()) in parent.parents:  # pytest made it
            parent.chmod(0o755)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_directory_is_locked_once(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    with pytest.raises(StartError, match=r"in use by another server \(process \d+\)"):
        DirectoryLock(tmp_path)
    lock.release()
    DirectoryLock(tmp_path).release()


def test_the_lock_tells_where_its_holder_listens(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    assert announced(tmp_path) == []
    lock.announce(["tcp://127.0.0.1:9851", "unix:///run/x"])
    assert announced(tmp_path) == ["tcp://127.0.0.1:9851", "unix:///run/x"]
    with pytest.raises(StartError, match=rf"in use by another server \(process {os.getpid()}\)$"):
        DirectoryLock(tmp_path)
    lock.release()
    DirectoryLock(tmp_path).release()
    assert announced(tmp_path) == []


@as_root
def test_whoever_may_not_use_the_directory_is_told_what_to_do(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    make_data_folder(directory)
    assert tried_by_a_stranger(directory) == (
        f"data directory '{directory}': it belongs to user 0, and the server runs as user 1234: "
        f"chown 1234:1234 {directory}, or run the server as user 0"
    )
    os.chown(directory, STRANGER, STRANGER)
    assert tried_by_a_stranger(directory) == ""


@as_root
def test_whoever_may_not_use_a_file_in_it_is_told_what_to_do(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    make_data_folder(directory)
    DirectoryLock(directory).release()
    os.chown(directory, STRANGER, STRANGER)
    told = tried_by_a_stranger(directory)
    assert f"chown 1234:1234 {directory}/lock" in told


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StartError, match=r"data directory '.*/file/data': not a directory"):
        make_data_folder(tmp_path / "file" / "data")
