"""Append-only log: group commit, fsync, and recovery from a full or failing disk.

It doesn't decide what is logged (see dispatch) and doesn't load the log (see load).

Group commit: all bytes that are appended during one iteration of the event loop are written with
one write, before any reply of that iteration is sent; commit() tells the exception. When a write
fails, the file is cut back to its former size, the group's bytes are kept in memory, its writers
get an error and are disconnected, and the engine refuses writes. So the group is all that memory
has and the file lacks, and none of it was acknowledged. As soon as there is room again the group
is written first, then writes are accepted: memory and file are equal again, with no command lost,
doubled or out of order.

A group above LOG_LOOP_BYTES_MAX is written on a thread; later ones wait for that. Reads don't wait
for so long: they may tell of a write that a crash at this moment would undo, but that was not
acknowledged. Under the policy `always` they do wait.

Another file can replace the log's while it is in use: pause(), replace(), resume().
"""

from collections.abc import Callable
from typing import Final

from tile38py.errors import reason_of
from tile38py.interfaces import Waiter
from tile38py.interfaces.files import LogFile, LoopFunctions
from tile38py.interfaces.views import ByteData
from tile38py.limits import LOG_LOOP_BYTES_MAX
from tile38py.persistence.commit_group import CommitGroup, ThreadWrite
from tile38py.persistence.log_tail import LogTail

ALWAYS: Final = "always"
EVERYSEC: Final = "everysec"


class Aof:
    """The log of a server. Only the event loop's thread uses it."""

    is_enabled = True

    def __init__(
        self, file: LogFile, size: int, loop: LoopFunctions, on_health: Callable[[str | None], None]
    ) -> None:
        self.is_dirty = False
        self.error: str | None = None
        self.policy = EVERYSEC
        self._loop = loop
        self._on_health = on_health
        self._size = size  # with bytes that are not written yet
        self._tail = LogTail(file, size)
        self._group = CommitGroup()
        self._last_committer = 0  # id() of the waiter of the last commit()
        self._syncing_group: CommitGroup | None = None  # waits for the running sync
        self._thread_write: ThreadWrite | None = None  # runs
        self._unwritten = b""  # bytes whose write failed
        self._is_paused = self._is_syncing = self._is_unsynced = False
        self._when_paused: Callable[[], None] | None = None  # called once a pause can begin
        self._sync_name: Callable[[], None] | None = None  # part of the next sync
        self._replaced: list[Callable[[], None]] = []

    @property
    def holds_reads(self) -> bool:
        """Whether replies to reads wait for the pending bytes, too."""
        is_large = self._size - self._tail.size > LOG_LOOP_BYTES_MAX
        return self.is_dirty and (self.policy == ALWAYS or not is_large)

    @property
    def size(self) -> int:
        """Bytes of the log, with those that wait to be written."""
        return self._size

    @property
    def size_written(self) -> int:
        """Bytes that are in the file."""
        return self._tail.size

    def on_written(self, listener: Callable[[int, ByteData], None]) -> None:
        """Call a function after each write, with the position and the data."""
        self._tail.listeners.append(listener)

    @property
    def file(self) -> LogFile:
        """The file in use. It is closed soon after it was replaced."""
        return self._tail.file

    def start_at(self, size: int) -> None:
        """Set the size of the log after its replay. Only during a pause.

        Commands that were appended during the replay are written behind it.
        """
        assert self._is_paused
        self._size += size - self._tail.size
        self._tail.size = size

    def append(self, data: ByteData) -> None:
        """Append complete commands. They are written in the next iteration of the event loop."""
        self._group.data.append(data)
        self._size += len(data)
        if not self.is_dirty:
            self.is_dirty = True
            self._loop.call_soon(self.flush)

    def commit(self, waiter: Waiter, replies: bytes, log: bytes) -> bool:
        """Append complete commands. Return whether they are written; if not, hold their replies.

        A waiter that commits twice in a row is alone: its commands are written at once, since
        waiting for others would take a fifth of the time of a SET.
        """
        is_alone = id(waiter) == self._last_committer
        self._last_committer = id(waiter)
        if is_alone and not self.is_dirty and self._writes_at_once():
            self._size += len(log)
            if self._write(log):
                return True
            log = b""  # flush() writes it again, or refuses the replies
        self.append(log)
        self._group.held.append((waiter, replies, True, False))
        return False

    def wait(
        self, waiter: Waiter, replies: ByteData = b"", *, wrote: bool = False, is_last: bool = False
    ) -> None:
        """Hold replies until everything appended so far is written. Only while is_dirty."""
        assert self.is_dirty
        self._group.held.append((waiter, replies, wrote, is_last))

    def flush(self, *, uses_thread: bool = True) -> None:
        """Write the group and release its replies. A large group may be written on a thread."""
        if self._is_paused or not self._is_writable():
            return  # the group grows meanwhile
        group, self._group = self._group, CommitGroup()
        self.is_dirty = False
        is_large = self._size - self._tail.size > LOG_LOOP_BYTES_MAX
        if is_large and uses_thread and self.error is None:
            self._write_on_thread(group)
            return
        data = b"".join(group.data)
        if self.error is not None:
            # Writes are refused by now; bytes of earlier commands are kept in order.
            self._unwritten += data
            group.refuse(self.error)
            return
        if data and not self._write(data):
            group.refuse(self.error or "")
        elif data and self.policy == ALWAYS:
            self._sync_for(group)
        else:
            group.release()

    def tick(self) -> None:
        """Recover after a failure, and sync what was written. Called once a second."""
        if self.error is not None:
            self._recover()
        if self._is_unsynced and (self.policy == EVERYSEC or self._sync_name):
            self._start_sync(self._synced)

    def pause(self, then: Callable[[], None]) -> None:
        """Write nothing until resume(), and call a function once no write is in progress.

        Bytes that are appended meanwhile wait, with their replies. Under everysec and no the
        function is called at once, within this call, so that nobody has to wait; a sync may still
        be running.
        """
        assert not self._is_paused
        assert self._when_paused is None
        if self._is_writable() and not (self._is_syncing and self.error is not None):
            self._is_paused = True
            then()
        else:
            self._when_paused = then

    def resume(self) -> None:
        """Write again."""
        assert self._is_paused
        self._is_paused = False
        if self.is_dirty:
            self._loop.call_soon(self.flush)

    def replace(
        self,
        file: LogFile,
        size: int,
        *,
        sync_name: Callable[[], None] | None,
        keep_pending: bool = True,
    ) -> LogFile:
        """Use another file, which has the log's name. Return the former one, to be closed.

        Only during a pause. The file must contain everything that is written, and nothing that is
        pending: that is written to it. Without keep_pending, pending bytes and those that could
        not be written are dropped: the file is another server's log. sync_name syncs the file's
        name; None means that the name and the file are synced. Otherwise both are part of the
        next sync, which starts at once, unless one is running or `always` syncs with each write.
        """
        assert self._is_paused
        former, self._tail.file = self._tail.file, file
        pending = self._size - self._tail.size
        if not keep_pending:
            pending, self._unwritten = 0, b""
            self._group.data.clear()
            if self.error is not None:
                self.error = None
                self._on_health(None)
        self._tail.size, self._size = size, size + pending
        self._sync_name = sync_name
        self._is_unsynced = sync_name is not None
        if self._is_unsynced and self.error is None and self.policy != ALWAYS:
            self._start_sync(self._synced)
        for replaced in self._replaced:
            replaced()
        return former

    def on_replaced(self, replaced: Callable[[], None]) -> None:
        """Call a function each time the file was replaced: positions are invalid then."""
        self._replaced.append(replaced)

    def close(self) -> None:
        """Write and sync everything, and release the replies. Raises OSError."""
        if self._is_paused:
            # A replacement is in progress on a thread. Which file will be the log is unknown, so
            # pending bytes are written to neither, and their replies are refused.
            self._group.refuse("the server stops")
            return
        self._end_thread_write()
        earlier, self._syncing_group = self._syncing_group, None
        self.policy = EVERYSEC
        try:
            self._tail.sync_function(self._sync_name)()
        except OSError:
            if self.error is None:
                raise
        if earlier is not None:
            earlier.release()
        self.flush(uses_thread=False)
        if self.error is None and self._is_unsynced:
            self._tail.file.sync()

    def close_file(self) -> None:
        """Close the file, after close() and when no follower reads it any more."""
        self._tail.file.close()

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range of the file, None if it isn't all there. Any thread."""
        return self._tail.file.digest(position, size)

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes of the file from a position on. Any thread."""
        return self._tail.file.read(position, size)

    def _writes_at_once(self) -> bool:
        return self.error is None and self.policy != ALWAYS and not self._is_paused

    def _is_writable(self) -> bool:
        """Whether no running write or sync forbids a write."""
        is_syncing = self._syncing_group or (self._is_syncing and self.policy == ALWAYS)
        return not (self._thread_write or is_syncing)

    def _write(self, data: ByteData) -> bool:
        try:
            self._tail.write(data)
        except OSError as error:
            self._fail(error, data)
            return False
        self._is_unsynced = True
        return True

    def _fail(self, error: OSError, data: ByteData) -> None:
        self._unwritten += data
        self.error = reason_of(error)
        self._cut()
        self._on_health(self.error)

    def _cut(self) -> bool:
        """Remove what a failed write has left in the file; return whether that worked."""
        try:
            self._tail.cut()
        except OSError as error:
            self.error = reason_of(error)
            return False
        return True

    def _recover(self) -> None:
        if self._is_syncing or self._is_paused or self._thread_write is not None:
            return
        if not self._tail.file.has_room() or not self._cut():
            return
        data, self._unwritten = self._unwritten, b""
        try:
            self._tail.write(data)
        except OSError as error:
            self._unwritten = data
            self.error = reason_of(error)
            self._cut()
            return
        self._start_sync(self._recovered)

    def _recovered(self, error: OSError | None) -> None:
        # The sync proves that the disk has it: some file systems allocate only then.
        if error is not None:
            self.error = reason_of(error)
            return
        if self._unwritten:
            # A group was pending when the log failed, and was added during the sync.
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
        file, sync_name = self._tail.file, self._sync_name

        def finished(error: OSError | None) -> None:
            self._is_syncing = False
            if file is not self._tail.file:
                error = None  # the former file's, which nothing needs any more
            elif error is None and sync_name is self._sync_name:
                self._sync_name = None
            done(error)
            self._go_on()

        self._loop.in_thread(self._tail.sync_function(sync_name), finished)

    def _synced(self, error: OSError | None) -> None:
        if error is not None:
            # Acknowledged writes may not be on the disk: refuse writes until they are.
            self._is_unsynced = True
            former, self.error = self.error, reason_of(error)
            if self.error != former:
                self._on_health(self.error)

    def _go_on(self) -> None:
        """Begin a pause that is due, and write what was appended meanwhile."""
        if self._when_paused is not None:
            then, self._when_paused = self._when_paused, None
            self.pause(then)
        if self.is_dirty:
            self._loop.call_soon(self.flush)

    def _write_on_thread(self, group: CommitGroup) -> None:
        """Write a large group. Later bytes and replies wait behind it."""
        self.is_dirty = True
        self._thread_write = write = ThreadWrite(group, self._tail.file, group.pieces())

        def written(error: OSError | None) -> None:
            if self._thread_write is write:  # else the log was closed meanwhile
                self._thread_write = None
                self.is_dirty = bool(self._group.data or self._group.held)
                self._end_write(write, error)
                self._go_on()

        self._loop.in_thread(write.run, written)

    def _end_write(self, write: ThreadWrite, error: OSError | None) -> None:
        if error is not None:
            self._fail(error, b"".join(write.pieces))
            write.group.refuse(self.error or "")
            return
        self._is_unsynced = True
        for data in write.pieces:
            self._tail.note(data)
        if self.policy == ALWAYS:
            self._sync_for(write.group)
        else:
            write.group.release()

    def _end_thread_write(self) -> None:
        """Wait for the write on a thread. If it failed or has not begun, flush() is to write it."""
        write, self._thread_write = self._thread_write, None
        if write is not None and write.cancel():
            self._end_write(write, None)
        elif write is not None and self._cut():
            later, self._group = self._group, write.group
            self._group.data += later.data
            self._group.held += later.held

    def _sync_for(self, group: CommitGroup) -> None:
        """Sync the group and then release its replies. Later replies wait behind them."""
        self.is_dirty = True
        self._syncing_group = group

        def synced(error: OSError | None) -> None:
            if self._syncing_group is not group:
                return  # the log was closed meanwhile
            self._syncing_group = None
            self.is_dirty = bool(self._group.data or self._group.held)
            if error is None:
                group.release()
            else:
                data = b"".join(group.data)
                # The system may have dropped the pages of a failed sync: write the bytes again.
                self._tail.size -= len(data)
                self._fail(error, data)
                group.refuse(reason_of(error))

        self._start_sync(synced)
