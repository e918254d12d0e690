"""The configuration file: replaced, written in place, or left alone."""

import errno
import os
import stat
from pathlib import Path

import pytest

from tile38py.errors import StartError
from tile38py.persistence.config_file import ConfigFile
from tile38py.persistence.files import write_synced

OLD, NEW = b'{"server_id":"a"}', b'{"server_id":"b","requirepass":"c"}'


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file that no other can replace, as one that is mounted by itself."""
    path = tmp_path / "config"
    path.write_bytes(OLD)

    def replace(beside: Path, target: Path) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(Path, "replace", replace)
    return path


def test_a_missing_configuration_is_empty(tmp_path: Path) -> None:
    file = ConfigFile(tmp_path / "config")
    assert file.read() == b""
    file.write(b"{}")
    assert file.read() == b"{}"


def test_a_mounted_file_is_written_in_place(mounted: Path) -> None:
    file, number = ConfigFile(mounted), mounted.stat().st_ino
    file.write(NEW)
    file.write(OLD)  # the shorter one leaves nothing of the longer
    assert mounted.read_bytes() == file.read() == OLD
    assert mounted.stat().st_ino == number
    assert [entry.name for entry in mounted.parent.iterdir()] == ["config"]


@pytest.mark.parametrize("size", range(len(NEW)))
def test_a_crash_while_it_is_written_in_place_loses_no_setting(
    mounted: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ConfigFile(mounted)

    def crash(descriptor: int, data: bytes) -> None:
        is_beside = os.fstat(descriptor).st_ino != mounted.stat().st_ino
        write_synced(descriptor, data if is_beside else data[:size])
        if not is_beside:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tile38py.persistence.config_file.write_synced", crash)
        with pytest.raises(KeyboardInterrupt):
            file.write(NEW)
    assert file.read() == NEW
    file.write(file.read())
    assert mounted.read_bytes() == NEW


def test_an_unchanged_file_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(OLD)
    before = path.stat()
    ConfigFile(path).write(OLD)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_file_that_is_read_only_stays_as_it_is(
    mounted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OSError, match="Read-only"):
        ConfigFile(mounted).write(NEW)
    assert mounted.read_bytes() == OLD


def test_a_full_disk_is_an_error_and_leaves_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config"
    path.write_bytes(OLD)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tile38py.persistence.files.write_synced", fail)
    with pytest.raises(OSError, match="space"):
        ConfigFile(path).write(NEW)
    assert path.read_bytes() == OLD


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    """Docker makes one where the file that it should mount isn't there."""
    (tmp_path / "config").mkdir()
    with pytest.raises(StartError, match=r"configuration file '.*/config': is a directory"):
        ConfigFile(tmp_path / "config").read()


def test_a_new_file_is_private(tmp_path: Path) -> None:
    ConfigFile(tmp_path / "config").write(NEW)
    assert stat.S_IMODE((tmp_path / "config").stat().st_mode) == 0o600
