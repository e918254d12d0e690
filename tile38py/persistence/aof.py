"""Append-only log: group commit, fsync, and what happens when the disk takes nothing.

Doesn't decide what is logged (see dispatch) and doesn't read the log into memory (see load).

All bytes appended during one turn of the event loop are written with one write, before any reply
of that turn leaves. When a write fails, the file is cut back to where it was, the group's bytes
are kept in memory, its writers get an error and are cut off, and the engine refuses writes. So
the group is all that memory has and the file lacks, and nobody was told that it is safe. As soon
as there is room again it is written first, and then writes are accepted: memory and file are
equal again, with no command lost, doubled or out of order.

Another file may take the place of the log's while it is used: hold(), replace(), go_on().
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tile38py.errors import reason_of
from tile38py.interfaces import Waiter
from tile38py.interfaces.files import InThread, LogFile

ALWAYS: Final = "always"
EVERYSEC: Final = "everysec"
Held = tuple[Waiter, bytes, bool, bool]


@dataclass(frozen=True, slots=True)
class Loop:
    """What the log needs of the event loop."""

    call_soon: Callable[[Callable[[], None]], object]
    in_thread: InThread


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
        self._is_held = False
        self._hold_next: Callable[[], None] | None = None  # who waits for the file to be at rest
        self._sync_name: Callable[[], None] | None = None  # what the next sync has to do besides
        self._replaced: list[Callable[[], None]] = []

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

    @property
    def file(self) -> LogFile:
        """The file in use, until it is replaced; closed soon after that."""
        return self._file

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

    def wait(
        self, waiter: Waiter, replies: bytes = b"", *, wrote: bool = False, is_last: bool = False
    ) -> None:
        """Hold replies until what was appended so far is written. Only while is_dirty."""
        assert self.is_dirty
        self._group.held.append((waiter, replies, wrote, is_last))

    def flush(self) -> None:
        """Write what waits, and let the replies go."""
        if self._is_held or not self._is_writable():
            return  # the group grows until then
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
        """Once a second: try again after a failure; sync what was written, a full disk's, too."""
        if self.error is not None:
            self._recover()
        if self._is_unsynced and (self.policy == EVERYSEC or self._sync_name):
            self._start_sync(self._synced)

    def hold(self, then: Callable[[], None]) -> None:
        """Call a function as soon as the file is at rest, and write nothing until go_on().

        What is appended meanwhile waits, with its replies. Under everysec and no that is at once,
        within this call, so that nobody has to wait; a sync may be under way all the same.
        """
        assert not self._is_held
        assert self._hold_next is None
        if self._is_writable() and not (self._is_syncing and self.error is not None):
            self._is_held = True
            then()
        else:
            self._hold_next = then

    def go_on(self) -> None:
        """Write again, what was held first."""
        assert self._is_held
        self._is_held = False
        if self.is_dirty:
            self._loop.call_soon(self.flush)

    def replace(
        self,
        file: LogFile,
        size: int,
        *,
        sync_name: Callable[[], None] | None,
        keeps_waiting: bool = True,
    ) -> LogFile:
        """Go on with another file, which has the log's name; the former file, to be closed.

        Only while held. The file has to say all that is written, and nothing of what waits: that
        is written to it. Without keeps_waiting what waits, or could not be written, is dropped:
        the file is of another history. sync_name brings the file's name to the disk; it is None
        if that was done, and then all of the file has to be there, too. Else both are part of
        the next sync: at once, unless one is under way or `always` makes one with each write.
        """
        assert self._is_held
        former, self._file = self._file, file
        waiting = self._size - self._size_written
        if not keeps_waiting:
            waiting, self._unwritten = 0, b""
            self._group.data.clear()
            if self.error is not None:
                self.error = None
                self._on_health(None)
        self._size_written, self._size = size, size + waiting
        self._sync_name = sync_name
        self._is_unsynced = sync_name is not None
        if self._is_unsynced and self.error is None and self.policy != ALWAYS:
            self._start_sync(self._synced)
        for replaced in self._replaced:
            replaced()
        return former

    def on_replaced(self, replaced: Callable[[], None]) -> None:
        """Have a function called each time the file was replaced: positions changed."""
        self._replaced.append(replaced)

    def close(self) -> None:
        """Write and sync everything that waits, and answer. Raises OSError."""
        if self._is_held:
            # A replacement hangs in the disk. Nobody knows which file will be the log, so what
            # waits isn't written to either, and nobody is told that it was.
            _refuse(self._group.held, "the server stops")
            return
        earlier, self._synced_next = self._synced_next, None
        self.policy = EVERYSEC
        try:
            self._sync_all()()
        except OSError:
            if self.error is None:
                raise
        if earlier is not None:
            _release(earlier.held)
        self.flush()
        if self.error is None and self._is_unsynced:
            self._file.sync()

    def release(self) -> None:
        """Close the file, at the very end."""
        self._file.close()

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range of the file, None if it isn't all there. Any thread."""
        return self._file.digest(position, size)

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes of the file from a position on. Any thread."""
        return self._file.read(position, size)

    def _is_writable(self) -> bool:
        """Whether no sync stands in the way of a write."""
        return not (self._synced_next or (self._is_syncing and self.policy == ALWAYS))

    def _sync_all(self) -> Callable[[], None]:
        """What brings the file, and its name if that isn't there yet, to the disk."""
        file, sync_name = self._file, self._sync_name

        def sync() -> None:
            file.sync()
            if sync_name is not None:
                sync_name()

        return sync

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
        if self._is_syncing or self._is_held or not self._file.has_room() or not self._cut():
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
        if self._unwritten:
            # A group was on its way when the log failed, and came during the sync.
            self._recover()
            return
        self.error = None
        self._is_unsynced = False
        self._on_health(None)

    def _start_sync(self, done: Callable[[OSError | None], None]) -> None:
        if self._is_syncing:
            return
        self._is_syncing = True
        self._is_unsynced = False
        file, sync_name = self._file, self._sync_name

        def finished(error: OSError | None) -> None:
            self._is_syncing = False
            if file is not self._file:
                error = None  # nothing depends on the former file any more
            elif error is None and sync_name is self._sync_name:
                self._sync_name = None
            done(error)
            if self._hold_next is not None:
                then, self._hold_next = self._hold_next, None
                self.hold(then)
            if self.is_dirty:
                self._loop.call_soon(self.flush)

        self._loop.in_thread(self._sync_all(), finished)

    def _synced(self, error: OSError | None) -> None:
        if error is not None:
            # What earlier replies promised may not be on the disk; writes stop until it is.
            self._is_unsynced = True
            former, self.error = self.error, reason_of(error)
            if self.error != former:
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
    for waiter, replies, _wrote, is_last in held:
        waiter.release(replies, is_last)


def _refuse(held: list[Held], reason: str) -> None:
    # Who only queued behind a write has lost nothing.
    for waiter, replies, wrote, is_last in held:
        if wrote:
            waiter.refuse(replies, reason)
        else:
            waiter.release(replies, is_last)
