"""Append-only log: group commit, fsync, and what happens when the disk takes nothing.

Doesn't decide what is logged (see dispatch) and doesn't read the log into memory (see load).

All bytes appended during one turn of the event loop are written with one write, before any reply
of that turn leaves. When a write fails, the file is cut back to where it was, the group's bytes
are kept in memory, its writers get an error and are cut off, and the engine refuses writes. So
the group is all that memory has and the file lacks, and nobody was told that it is safe. As soon
as there is room again it is written first, and then writes are accepted: memory and file are
equal again, with no command lost, doubled or out of order.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from tile38py.errors import reason_of
from tile38py.interfaces import WROTE, Waiter

ALWAYS: Final = "always"
EVERYSEC: Final = "everysec"
Held = tuple[Waiter, bytes, int]


class LogFile(Protocol):
    """The file under the log. Everything may raise OSError."""

    def write(self, data: bytes) -> None:
        """Append all of it."""

    def truncate(self, size: int) -> None:
        """Cut everything behind a position."""

    def sync(self) -> None:
        """Bring what is written to the disk. Any thread."""

    def has_room(self) -> bool:
        """Whether it is worth trying to write."""

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range, None if it isn't all there. Any thread."""

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes from a position on. Any thread."""


@dataclass(frozen=True, slots=True)
class Loop:
    """What the log needs of the event loop."""

    call_soon: Callable[[Callable[[], None]], object]
    # Run the first on a thread, then the second here with the error or None.
    in_thread: Callable[[Callable[[], None], Callable[[OSError | None], None]], None]


@dataclass(slots=True)
class Group:
    """What one turn of the loop appended, and who waits for it."""

    data: list[bytes] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


class Aof:
    """The log of a server. One event loop uses it, from its thread."""

    is_enabled = True

    def __init__(
        self, file: LogFile, size: int, loop: Loop, on_health: Callable[[str | None], None]
    ) -> None:
        self.is_dirty = False
        self.error: str | None = None
        self.policy = EVERYSEC
        self._file = file
        self._loop = loop
        self._on_health = on_health
        self._size = size  # with what waits
        self._size_written = size
        self._group = Group()
        self._synced_next: Group | None = None  # what the sync under way will release
        self._unwritten = b""  # the group that failed
        self._is_syncing = False
        self._is_unsynced = False
        self._listeners: list[Callable[[int, bytes], None]] = []

    @property
    def size(self) -> int:
        """Bytes of the log, with those that wait to be written."""
        return self._size

    @property
    def size_written(self) -> int:
        """Bytes that are in the file."""
        return self._size_written

    def on_written(self, listener: Callable[[int, bytes], None]) -> None:
        """Tell, after each write, at which position what was written."""
        self._listeners.append(listener)

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes of the file from a position on. Any thread."""
        return self._file.read(position, size)

    def start_at(self, size: int) -> None:
        """The log was replayed and has this size; nothing was appended before."""
        assert not self.is_dirty
        self._size = self._size_written = size

    def append(self, data: bytes) -> None:
        """Add complete commands, to be written at the end of this turn."""
        self._group.data.append(data)
        self._size += len(data)
        if not self.is_dirty:
            self.is_dirty = True
            self._loop.call_soon(self.flush)

    def wait(self, waiter: Waiter, replies: bytes, flags: int) -> None:
        """Hold replies until what was appended so far is written. Only while is_dirty."""
        assert self.is_dirty
        self._group.held.append((waiter, replies, flags))

    def flush(self) -> None:
        """Write what waits, and let the replies go."""
        if self._synced_next or (self._is_syncing and self.policy == ALWAYS):
            return  # the group grows until the sync under way is done
        group, self._group = self._group, Group()
        self.is_dirty = False
        data = b"".join(group.data)
        if self.error is not None:
            # Nothing should have been written since; what was is kept in its order.
            self._unwritten += data
            _refuse(group.held, self.error)
            return
        if data and not self._write(data):
            _refuse(group.held, self.error or "")
        elif data and self.policy == ALWAYS:
            self._sync_for(group, data)
        else:
            _release(group.held)

    def tick(self) -> None:
        """Once a second: sync under everysec; try again after a failure."""
        if self.error is not None:
            self._recover()
        elif self._is_unsynced and self.policy == EVERYSEC:
            self._start_sync(self._synced)

    def close(self) -> None:
        """Write and sync everything that waits, and answer. Raises OSError."""
        earlier, self._synced_next = self._synced_next, None
        self.policy = EVERYSEC
        if self.error is None:
            self._file.sync()
        if earlier is not None:
            _release(earlier.held)
        self.flush()
        if self.error is None and self._is_unsynced:
            self._file.sync()

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range of the file, None if it isn't all there. Any thread."""
        return self._file.digest(position, size)

    def _write(self, data: bytes) -> bool:
        try:
            self._file.write(data)
        except OSError as error:
            self._fail(error, data)
            return False
        self._is_unsynced = True
        self._tell_written(data)
        return True

    def _tell_written(self, data: bytes) -> None:
        position = self._size_written
        self._size_written += len(data)
        for listener in self._listeners:
            listener(position, data)

    def _fail(self, error: OSError, data: bytes) -> None:
        self._unwritten += data
        self.error = reason_of(error)
        self._cut()
        self._on_health(self.error)

    def _cut(self) -> bool:
        """Take away what a failed write left of its first part."""
        try:
            self._file.truncate(self._size_written)
        except OSError as error:
            self.error = reason_of(error)
            return False
        return True

    def _recover(self) -> None:
        if self._is_syncing or not self._file.has_room() or not self._cut():
            return
        data, self._unwritten = self._unwritten, b""
        try:
            self._file.write(data)
        except OSError as error:
            self._unwritten = data
            self.error = reason_of(error)
            self._cut()
            return
        self._tell_written(data)
        self._start_sync(self._recovered)

    def _recovered(self, error: OSError | None) -> None:
        # The sync shows that the disk really took it; some file systems find room only then.
        if error is not None:
            self.error = reason_of(error)
            return
        self.error = None
        self._is_unsynced = False
        self._on_health(None)

    def _start_sync(self, done: Callable[[OSError | None], None]) -> None:
        if self._is_syncing:
            return
        self._is_syncing = True
        self._is_unsynced = False

        def finished(error: OSError | None) -> None:
            self._is_syncing = False
            done(error)
            if self.is_dirty:
                self._loop.call_soon(self.flush)

        self._loop.in_thread(self._file.sync, finished)

    def _synced(self, error: OSError | None) -> None:
        if error is not None:
            # What earlier replies promised may not be on the disk; writes stop until it is.
            self._is_unsynced = True
            self.error = reason_of(error)
            self._on_health(self.error)

    def _sync_for(self, group: Group, data: bytes) -> None:
        """Hold the group until it is on the disk. Later replies queue behind it."""
        self.is_dirty = True
        self._synced_next = group

        def synced(error: OSError | None) -> None:
            if self._synced_next is not group:
                return  # the log was closed meanwhile
            self._synced_next = None
            self.is_dirty = bool(self._group.data or self._group.held)
            if error is None:
                _release(group.held)
            else:
                # Pages of a failed sync may be gone, so the bytes are to be written anew.
                self._size_written -= len(data)
                self._fail(error, data)
                _refuse(group.held, reason_of(error))

        self._start_sync(synced)


def _release(held: list[Held]) -> None:
    for waiter, replies, flags in held:
        waiter.release(replies, flags)


def _refuse(held: list[Held], reason: str) -> None:
    # Who only queued behind a write has lost nothing.
    for waiter, replies, flags in held:
        if flags & WROTE:
            waiter.refuse(replies, flags, reason)
        else:
            waiter.release(replies, flags)


class NoLog:
    """The log of a server that keeps none (--appendonly no)."""

    is_enabled = False
    is_dirty = False
    error: str | None = None
    size = size_written = 0
    policy = EVERYSEC

    def append(self, data: bytes) -> None:
        """Forget it."""

    def wait(self, waiter: Waiter, replies: bytes, flags: int) -> None:
        """Nothing is ever dirty, so nobody waits."""
        raise AssertionError

    def tick(self) -> None:
        """Nothing to sync."""

    def close(self) -> None:
        """Nothing to write."""

    def read(self, position: int, size: int) -> bytes:
        """There is nothing to read."""
        return b""

    def on_written(self, listener: Callable[[int, bytes], None]) -> None:
        """Nothing will be."""

    def digest(self, position: int, size: int) -> str | None:
        """There is nothing to sum up."""
        return None
