"""A simulated disk: the content that programs see, and the content after a power loss.

Data is durable once its file was synced; a name once its folder was. Of the other changes a power
loss keeps a part that the seed chooses: a prefix of the changes to each file, the last of them
torn, and a prefix of the changes to the names.
"""

import errno
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field

BLOCK_BYTES = 4096
TORN = 0.5  # share of power losses that leave a torn write


@dataclass(slots=True, eq=False)
class Inode:
    """The content of a file, under any name."""

    data: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    # Changes that aren't durable: (position, bytes) of a write, (size, None) of a truncation.
    changes: list[tuple[int, bytes | None]] = field(default_factory=list)
    lock: object | None = None  # the open file that holds the lock
    size_durable_min: int = 0  # a power loss may not leave less

    def write(self, position: int, data: bytes) -> None:
        """Write bytes at a position."""
        _apply(self.data, (position, data))
        self.changes.append((position, data))

    def truncate(self, size: int) -> None:
        """Cut or extend the content to a size."""
        _apply(self.data, (size, None))
        self.changes.append((size, None))

    def sync(self) -> None:
        """Make all changes durable."""
        self.durable = bytes(self.data)
        self.changes.clear()

    def lose(self, chance: random.Random) -> None:
        """Apply a power loss."""
        kept = bytearray(self.durable)
        count = chance.randint(0, len(self.changes))
        for change in self.changes[:count]:
            _apply(kept, change)
        if count < len(self.changes) and chance.random() < TORN:
            position, data = self.changes[count]
            if data:
                _apply(kept, (position, data[: chance.randrange(len(data))]))
        self.data = kept
        self.sync()
        self.lock = None


def _apply(content: bytearray, change: tuple[int, bytes | None]) -> None:
    position, data = change
    if data is None:
        del content[position:]
    if position > len(content):
        content.extend(bytes(position - len(content)))
    if data is not None:
        content[position : position + len(data)] = data


Names = dict[str, Inode]


@dataclass(slots=True)
class LogSwap:
    """A replacement of the log by another file."""

    inode: Inode  # of the new log
    at: float
    is_excused: bool = False  # a sync failed, so that the new name need not be durable


@dataclass(slots=True)
class DiskFaults:
    """The present faults of a disk."""

    room: int | None = None  # bytes that still fit; None = no limit
    failures: dict[str, int] = field(default_factory=dict)  # operation -> failures to come

    def fail_if_due(self, operation: str) -> None:
        """Raise OSError if the operation has to fail."""
        left = self.failures.get(operation, 0)
        if left > 0:
            self.failures[operation] = left - 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def clear(self) -> None:
        """End all faults."""
        self.room = None
        self.failures.clear()


class Disk:
    """The files of a machine, all in one folder."""

    def __init__(self, chance: random.Random) -> None:
        self.faults = DiskFaults()
        self.failed_at: float | None = None  # since when syncs fail
        self.swap: LogSwap | None = None  # the last one
        self._chance = chance
        self.names: Names = {}
        self._durable_names: Names = {}
        self._changes: list[Callable[[Names], None]] = []  # to names, not durable yet

    def find(self, name: str) -> Inode:
        """Return the file of a name. Raises FileNotFoundError."""
        try:
            return self.names[name]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from None

    def create(self, name: str) -> Inode:
        """Create an empty file."""
        self.faults.fail_if_due("create")
        if self.faults.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        inode = Inode()
        self._change(lambda names: names.update({name: inode}))
        return inode

    def rename(self, old: str, new: str) -> None:
        """Rename a file over any file of the new name."""
        inode = self.find(old)
        self.faults.fail_if_due("rename")

        def move(names: Names) -> None:
            # A file that was created and renamed without a sync in between has only the new name.
            names.pop(old, None)
            names[new] = inode

        self._change(move)

    def remove(self, name: str) -> None:
        """Remove a name."""
        self.find(name)

        def forget(names: Names) -> None:
            names.pop(name, None)

        self._change(forget)

    def write(self, inode: Inode, position: int, data: bytes) -> int:
        """Write the bytes that fit; return their number."""
        self.faults.fail_if_due("write")
        room = self.faults.room
        if room is not None:
            grows = max(position + len(data) - len(inode.data), 0)
            over = grows - room
            if over >= len(data) > 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = data[: len(data) - max(over, 0)]
            self.faults.room = room - min(grows, room)
        inode.write(position, data)
        return len(data)

    def truncate(self, inode: Inode, size: int) -> None:
        """Cut or extend a file."""
        self.faults.fail_if_due("truncate")
        if self.faults.room is not None:
            self.faults.room += len(inode.data) - size
        inode.truncate(size)

    def sync(self, inode: Inode, now: float) -> None:
        """Make the data of a file durable."""
        try:
            self.faults.fail_if_due("sync")
        except OSError:
            self.failed_at = now if self.failed_at is None else self.failed_at
            self._excuse()
            raise
        self.failed_at = None
        inode.sync()

    def sync_names(self) -> None:
        """Make the names durable."""
        try:
            self.faults.fail_if_due("sync")
        except OSError:
            self._excuse()
            raise
        self._settle_names()

    def lose_power(self) -> None:
        """Apply a power loss: durable changes survive, and a random part of the others."""
        names = dict(self._durable_names)
        for change in self._changes[: self._chance.randint(0, len(self._changes))]:
            change(names)
        self.names = names
        for inode in dict.fromkeys(names.values()):
            inode.lose(self._chance)
        self._settle_names()

    def _excuse(self) -> None:
        if self.swap is not None:
            self.swap.is_excused = True

    def _settle_names(self) -> None:
        self._durable_names = dict(self.names)
        self._changes.clear()

    def _change(self, change: Callable[[Names], None]) -> None:
        change(self.names)
        self._changes.append(change)
