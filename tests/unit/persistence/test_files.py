"""The log's file, and atomic replacement."""

import os
import stat
from pathlib import Path

import pytest

from tile38py.errors import StartError
from tile38py.persistence.files import (
    AppendFile,
    DiskLogFolder,
    open_log,
    replace_file,
)


def test_a_log_is_opened_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = AppendFile(path)
    with pytest.raises(StartError, match="in use"):
        AppendFile(path)
    file.close()


def test_the_log_is_appended_to_and_private(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one")
    path.chmod(0o600)
    file = open_log(path)
    file.write(b"two")
    assert (path.read_bytes(), file.size(), file.read(2, 3)) == (b"onetwo", 6, b"etw")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    file.close()


def test_writes_go_to_the_end_after_a_cut(tmp_path: Path) -> None:
    file = AppendFile(tmp_path / "log")
    file.write(b"onetwo")
    file.truncate(3)
    file.write(b"!")
    file.sync()
    assert file.has_room()
    assert file.read(0, 100) == b"one!"
    file.close()


def test_a_cut_part_is_kept(tmp_path: Path) -> None:
    path, kept = tmp_path / "log", tmp_path / "log.cut"
    file = AppendFile(path)
    file.write(b"goodbad")
    file.cut(4, kept)
    assert (path.read_bytes(), kept.read_bytes()) == (b"good", b"bad")
    with pytest.raises(FileExistsError):
        file.cut(4, kept)
    file.close()


def test_sums_are_of_whole_ranges(tmp_path: Path) -> None:
    file = AppendFile(tmp_path / "log")
    file.write(b"abc")
    assert file.digest(0, 0) == "d41d8cd98f00b204e9800998ecf8427e"
    assert file.digest(0, 3) == "900150983cd24fb0d6963f7d28e17f72"
    assert file.digest(1, 3) is None
    file.close()


def test_a_log_that_tile38_had_renamed_away_is_found(tmp_path: Path) -> None:
    (tmp_path / "log-bak").write_bytes(b"data")
    file = open_log(tmp_path / "log")
    assert file.read(0, 10) == b"data"
    file.close()


def test_a_replaced_file_is_private_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "config"
    replace_file(path, b"one")
    replace_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["config"]


def test_a_file_beside_takes_the_place_of_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    old = AppendFile(path)
    old.write(b"old")
    (tmp_path / "log-shrink").write_bytes(b"stale")
    folder = DiskLogFolder(path)
    new = folder.create("-shrink")
    new.write(b"new")
    folder.put_in_place("-shrink")
    folder.sync()
    new.write(b"er")
    old.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["log"]
    assert path.read_bytes() == b"newer"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(StartError, match="in use"):
        AppendFile(path)
    new.close()


def test_a_file_that_another_server_writes_is_left_alone(tmp_path: Path) -> None:
    other = AppendFile(tmp_path / "log-shrink")
    other.write(b"theirs")
    with pytest.raises(OSError, match="busy"):
        DiskLogFolder(tmp_path / "log").create("-shrink")
    assert other.read(0, 10) == b"theirs"
    other.close()


def test_a_stale_file_beside_the_log_is_removed_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"data")
    (tmp_path / "log-shrink").write_bytes(b"half")
    open_log(tmp_path / "log").close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["log"]


def test_a_log_behind_a_link_is_replaced_where_it_is(tmp_path: Path) -> None:
    far, link = tmp_path / "far" / "log", tmp_path / "log"
    far.parent.mkdir()
    far.write_bytes(b"old")
    link.symlink_to(far)
    folder = DiskLogFolder(link)
    file = folder.create("-shrink")
    file.write(b"new")
    folder.put_in_place("-shrink")
    file.close()
    assert link.is_symlink()
    assert far.read_bytes() == b"new"


def test_a_closed_file_stays_open_for_the_threads_that_are_in_it(tmp_path: Path) -> None:
    file = AppendFile(tmp_path / "log")
    file.write(b"abc")
    with file._in_use():
        file.close()
        file.close()
        assert os.fstat(file._descriptor).st_size == 3
        with pytest.raises(OSError, match="descriptor"):
            file.read(0, 3)
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(file._descriptor)
    assert file.digest(0, 3) is None
