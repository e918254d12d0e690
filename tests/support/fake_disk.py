"""A disk in memory that forgets what wasn't synced, and fails or loses power when told."""

import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.fakes import FakeClock
from tile38py._engine import Engine
from tile38py.interfaces.rewriting import Backup, RewriteFigures
from tile38py.limits import MIB

LOG = "log"


class PowerLossError(Exception):
    """Everything stops."""


@dataclass(slots=True, eq=False)
class Content:
    """What an inode holds."""

    data: bytes = b""
    synced: bytes = b""


@dataclass(slots=True)
class FakeDisk:
    """Files by name, as programs see them and as they are after a loss of power."""

    names: dict[str, Content] = field(default_factory=dict)
    names_synced: dict[str, Content] = field(default_factory=dict)
    operations: list[str] = field(default_factory=list)
    fail_at: int | None = None  # the number of the operation that raises
    error: int = errno.EIO
    stop_at: int | None = None  # the number of the operation before which the power fails
    opened: int = 0  # files that aren't closed

    def step(self, operation: str) -> None:
        """One operation begins."""
        number = len(self.operations)
        self.operations.append(operation)
        if self.stop_at is not None and number >= self.stop_at:
            raise PowerLossError
        if number == self.fail_at:
            raise OSError(self.error, os.strerror(self.error))

    def open(self, name: str = LOG) -> "FakeFile":
        """A file, made if it isn't there."""
        content = self.names.setdefault(name, Content())
        return FakeFile(self, name, content)

    def put(self, data: bytes, name: str = LOG) -> None:
        """A file that is there, for good."""
        self.names[name] = self.names_synced[name] = Content(data, data)

    def after_kill(self) -> dict[str, bytes]:
        """The files if the process dies."""
        return {name: content.data for name, content in self.names.items()}

    def after_power_loss(self) -> dict[str, bytes]:
        """The files that are sure to be there if the power fails."""
        return {name: content.synced for name, content in self.names_synced.items()}


class FakeFile:
    """A file of it."""

    def __init__(self, disk: FakeDisk, name: str, content: Content) -> None:
        self.disk, self.name, self.content = disk, name, content
        self.is_closed = False
        disk.opened += 1

    def size(self) -> int:
        """Bytes."""
        return len(self.content.data)

    def read(self, position: int, size: int) -> bytes:
        """A part."""
        self._step("read")
        return self.content.data[position : position + size]

    def write(self, data: bytes) -> None:
        """Append; half of it if that fails."""
        try:
            self._step("write")
        except OSError:
            self.content.data += data[: len(data) // 2]
            raise
        self.content.data += data

    def truncate(self, size: int) -> None:
        """Cut."""
        self._step("truncate")
        self.content.data = self.content.data[:size]

    def sync(self) -> None:
        """Make it last."""
        self._step("sync")
        self.content.synced = self.content.data

    def has_room(self) -> bool:
        """Always."""
        return True

    def digest(self, position: int, size: int) -> str | None:
        """The sum of a range."""
        part = self.content.data[position : position + size]
        if self.is_closed or len(part) < size:
            return None
        return hashlib.md5(part, usedforsecurity=False).hexdigest()

    def close(self) -> None:
        """Be closed, once."""
        self.disk.opened -= not self.is_closed
        self.is_closed = True

    def _step(self, operation: str) -> None:
        if self.is_closed and operation != "write":
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        assert not self.is_closed
        self.disk.step(f"{operation} {self.name}")


class FakeFolder:
    """The place of the log on it."""

    def __init__(self, disk: FakeDisk) -> None:
        self.disk = disk

    def create(self, suffix: str) -> FakeFile:
        """A new file beside."""
        self.disk.step(f"create {LOG}{suffix}")
        self.disk.names[LOG + suffix] = Content()
        return self.disk.open(LOG + suffix)

    def put_in_place(self, suffix: str) -> None:
        """Rename."""
        self.disk.step("rename")
        self.disk.names[LOG] = self.disk.names.pop(LOG + suffix)

    def sync(self) -> None:
        """Make names last."""
        self.disk.step("sync folder")
        self.disk.names_synced = dict(self.disk.names)

    def remove(self, suffix: str) -> None:
        """Unlink."""
        self.disk.step(f"remove {LOG}{suffix}")
        self.disk.names.pop(LOG + suffix, None)


class FakeShrinker:
    """Counts."""

    def __init__(self) -> None:
        self.figures = RewriteFigures()
        self.starts = 0

    def start(self) -> None:
        """One more."""
        self.starts += 1

    def cancel(self, then: Callable[[], None]) -> None:
        """None runs."""
        then()


class FakeBackups:
    """Makes backups that are kept nowhere."""

    def __init__(self, engine: Engine, clock: FakeClock) -> None:
        self.names: list[str] = []
        self._engine = engine
        self._clock = clock

    def begin(self, name: str) -> Callable[[], Backup]:
        """Note the name and count the bytes."""
        self.names.append(name)
        rewrite = self._engine.rewrite(self._clock.now_ns())
        size = sum(map(len, iter(lambda: rewrite.read(MIB), b"")))
        objects = self._engine.statistics()["num_objects"]
        return lambda: Backup(f"/data/backups/{name}", size, objects)
