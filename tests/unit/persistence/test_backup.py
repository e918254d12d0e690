"""Backups on a real folder: whole ones, half ones, errors."""

import errno
import os
import stat
from pathlib import Path

import pytest

from tests.support.fakes import FakeClock
from tests.support.shrinking import FakeData
from tile38py.errors import CommandError
from tile38py.interfaces.rewriting import Backup
from tile38py.persistence.backup import BackupMaker
from tile38py.persistence.files import AppendFile, DiskBackupFolder


class Maker:
    """Backups of two objects."""

    def __init__(self, path: Path) -> None:
        self.data = FakeData({b"a": b"1", b"b": b"2", b"c": b"3"})
        self.maker = BackupMaker(self.data, DiskBackupFolder(path), FakeClock())

    def make(self, name: str = "one") -> Backup:
        """One."""
        return self.maker.begin(name)()


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


def test_a_backup_holds_the_data_of_the_moment_of_the_call(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "backups")
    write = maker.maker.begin("one")
    maker.data.state[b"a"] = b"later"
    log = tmp_path / "backups" / "one" / "appendonly.aof"
    assert write() == Backup(str(log.parent), 12, 3)
    assert log.read_bytes() == b"a=1\nb=2\nc=3\n"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700
    assert names(tmp_path / "backups") == ["one"]


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    maker.make()
    with pytest.raises(CommandError, match="a backup 'one' exists"):
        maker.make()
    maker.make("two")
    assert names(tmp_path) == ["one", "two"]


def test_one_backup_is_made_at_a_time(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    first, second = maker.maker.begin("one"), maker.maker.begin("two")
    maker.maker._running.acquire()
    with pytest.raises(CommandError, match="a backup is running"):
        second()
    maker.maker._running.release()
    first()
    second()
    assert names(tmp_path) == ["one", "two"]


def test_what_a_crash_left_half_done_is_swept(tmp_path: Path) -> None:
    (tmp_path / "old.part").mkdir()
    (tmp_path / "old.part" / "appendonly.aof").write_bytes(b"half")
    Maker(tmp_path).make()
    assert names(tmp_path) == ["one"]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: AppendFile, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    maker = Maker(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(AppendFile, "write", full)
        with pytest.raises(CommandError, match="backup failed: No space left on device"):
            maker.make()
    assert names(tmp_path) == []
    maker.make()


def test_a_stop_ends_a_backup(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    write = maker.maker.begin("one")
    maker.maker.is_closed = True
    with pytest.raises(CommandError, match="backup failed: cancelled"):
        write()
    assert names(tmp_path) == []
