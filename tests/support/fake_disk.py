"""A disk in memory that loses unsynced data, and fails or loses power on demand."""

import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.fakes import FakeClock
from tile38py._engine import Engine
from tile38py.interfaces.rewriting import Backup, RewriteFigures
from tile38py.interfaces.views import ByteData
from tile38py.limits import MIB

LOG = "log"


class PowerLossError(Exception):
    """The power fails: no operation follows."""


@dataclass(slots=True, eq=False)
class FakeInode:
    """The content of a file, and the synced part of it."""

    data: bytes = b""
    synced: bytes = b""


@dataclass(slots=True)
class FakeDisk:
    """Files by name: the names that programs see, and those that survive a power loss."""

    names: dict[str, FakeInode] = field(default_factory=dict)
    names_synced: dict[str, FakeInode] = field(default_factory=dict)
    operations: list[str] = field(default_factory=list)
    fail_at: int | None = None  # the number of the operation that raises
    error: int = errno.EIO
    stop_at: int | None = None  # the number of the operation before which the power fails
    opened: int = 0  # open files

    def step(self, operation: str) -> None:
        """Record an operation before it runs. Raises OSError or PowerLossError if it is due."""
        number = len(self.operations)
        self.operations.append(operation)
        if self.stop_at is not None and number >= self.stop_at:
            raise PowerLossError
        if number == self.fail_at:
            raise OSError(self.error, os.strerror(self.error))

    def open(self, name: str = LOG) -> "FakeFile":
        """Open a file; create it if it doesn't exist."""
        inode = self.names.setdefault(name, FakeInode())
        return FakeFile(self, name, inode)

    def put(self, data: bytes, name: str = LOG) -> None:
        """Create a synced file."""
        self.names[name] = self.names_synced[name] = FakeInode(data, data)

    def after_kill(self) -> dict[str, bytes]:
        """Return the files after the process was killed."""
        return {name: inode.data for name, inode in self.names.items()}

    def after_power_loss(self) -> dict[str, bytes]:
        """Return the files that survive a power loss."""
        return {name: inode.synced for name, inode in self.names_synced.items()}


class FakeFile:
    """An open file of a fake disk."""

    def __init__(self, disk: FakeDisk, name: str, inode: FakeInode) -> None:
        self.disk, self.name, self.inode = disk, name, inode
        self.is_closed = False
        disk.opened += 1

    def size(self) -> int:
        """Return the size in bytes."""
        return len(self.inode.data)

    def read(self, position: int, size: int) -> bytes:
        """Return a range."""
        self._step("read")
        return self.inode.data[position : position + size]

    def write(self, data: ByteData) -> None:
        """Append data; append half of it if the operation fails."""
        try:
            self._step("write")
        except OSError:
            self.inode.data += data[: len(data) // 2]
            raise
        self.inode.data += data

    def truncate(self, size: int) -> None:
        """Cut the file to a size."""
        self._step("truncate")
        self.inode.data = self.inode.data[:size]

    def sync(self) -> None:
        """Sync the data."""
        self._step("sync")
        self.inode.synced = self.inode.data

    def has_room(self) -> bool:
        """Return True: this disk is never full."""
        return True

    def digest(self, position: int, size: int) -> str | None:
        """Return the MD5 of a range, None if it isn't all there or the file is closed."""
        part = self.inode.data[position : position + size]
        if self.is_closed or len(part) < size:
            return None
        return hashlib.md5(part, usedforsecurity=False).hexdigest()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self.disk.opened -= not self.is_closed
        self.is_closed = True

    def _step(self, operation: str) -> None:
        if self.is_closed and operation != "write":
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        assert not self.is_closed
        self.disk.step(f"{operation} {self.name}")


class FakeFolder:
    """The directory of the log on a fake disk."""

    def __init__(self, disk: FakeDisk) -> None:
        self.disk = disk

    def create(self, suffix: str) -> FakeFile:
        """Create an empty file beside the log."""
        self.disk.step(f"create {LOG}{suffix}")
        self.disk.names[LOG + suffix] = FakeInode()
        return self.disk.open(LOG + suffix)

    def put_in_place(self, suffix: str) -> None:
        """Rename a file over the log."""
        self.disk.step("rename")
        self.disk.names[LOG] = self.disk.names.pop(LOG + suffix)

    def sync(self) -> None:
        """Sync the names."""
        self.disk.step("sync folder")
        self.disk.names_synced = dict(self.disk.names)

    def remove(self, suffix: str) -> None:
        """Remove a file beside the log, if it exists."""
        self.disk.step(f"remove {LOG}{suffix}")
        self.disk.names.pop(LOG + suffix, None)


class FakeShrinker:
    """A shrinker that only counts its starts."""

    def __init__(self) -> None:
        self.figures = RewriteFigures()
        self.starts = 0

    def start(self) -> None:
        """Count a start."""
        self.starts += 1

    def cancel(self, then: Callable[[], None]) -> None:
        """Call back at once: no rewrite runs."""
        then()


class FakeBackups:
    """Makes backups without writing them."""

    def __init__(self, engine: Engine, clock: FakeClock) -> None:
        self.names: list[str] = []
        self._engine = engine
        self._clock = clock

    def begin(self, name: str) -> Callable[[], Backup]:
        """Record the name; return a function that returns the backup's facts."""
        self.names.append(name)
        rewrite = self._engine.rewrite(self._clock.now_ns())
        size = sum(map(len, iter(lambda: rewrite.read(MIB), b"")))
        objects = self._engine.statistics()["num_objects"]
        return lambda: Backup(f"/data/backups/{name}", size, objects)
