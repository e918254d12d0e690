"""AOFSHRINK: rewrites the log from the data while clients are served, also automatically.

A snapshot is taken on the event loop: it equals what the log contains up to its size at that
moment. A thread writes the snapshot to a file beside the log, then copies what was appended to the
log meanwhile, in rounds that end with a sync, until little is left. That is copied while the
journal is paused, and the file gets the log's name. Under everysec and no this last step runs on
the event loop and syncs nothing; under `always` the journal stays paused while a thread syncs the
file and its name. A crash leaves the old log or the new one. After an error, or a stop of the
server, the old log stays in use.

It doesn't open files (see files) and doesn't know the form of a snapshot (see the engine).
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from tile38py.errors import as_os_error, reason_of
from tile38py.interfaces import Clock, Tell
from tile38py.interfaces.files import InThread, LogFile, LogFolder
from tile38py.interfaces.rewriting import Rewrite, RewriteFigures, SnapshotSource
from tile38py.interfaces.views import ByteData
from tile38py.limits import (
    COPY_CHUNK_BYTES,
    SECOND_NS,
    SHRINK_BACKOFF_SECONDS_MAX,
    SHRINK_BACKOFF_SECONDS_MIN,
    SHRINK_PIECE_BYTES,
    SHRINK_SWAP_BYTES_MAX,
    SHRINK_SYNC_BYTES,
)
from tile38py.persistence.aof import ALWAYS, Aof
from tile38py.persistence.files import SHRINK_SUFFIX

CANCELLED = "cancelled"
End = Callable[[OSError | None], None]
PERCENT = 100
DOUBLINGS_MAX = 10  # more than lead from the shortest backoff to the longest


@dataclass(slots=True)
class RewriteTarget:
    """The file to which a rewrite is written."""

    file: LogFile
    size: int = 0
    size_synced: int = 0

    def add(self, data: ByteData) -> None:
        """Append, and sync every SHRINK_SYNC_BYTES."""
        self.file.write(data)
        self.size += len(data)
        if self.size - self.size_synced >= SHRINK_SYNC_BYTES:
            self.sync()

    def sync(self) -> None:
        """Sync the file to the disk."""
        self.file.sync()
        self.size_synced = self.size


def write_data(
    rewrite: Rewrite,
    target: RewriteTarget,
    is_cancelled: Callable[[], bool],
    tell: Callable[[], None],
) -> bool:
    """Write all data and sync it; return False if cancelled. Runs on a thread."""
    while piece := rewrite.read(SHRINK_PIECE_BYTES):
        target.add(piece)
        tell()
        if is_cancelled():
            return False
    target.sync()
    return not is_cancelled()


@dataclass(slots=True, eq=False)
class ShrinkRun:
    """The state of one rewrite. It is used by the event loop and a thread alternately."""

    log: LogFile
    folder: LogFolder
    figures: RewriteFigures
    rewrite: Rewrite | None
    copied: int  # bytes of the log whose content is in the new file
    target: RewriteTarget | None = None
    is_cancelled: bool = False
    has_tail: bool = False  # whether a round was run
    has_stored: bool = False  # whether the events that the old log has were stored elsewhere
    is_in_place: bool = False
    is_name_synced: bool = False

    def write(self) -> None:
        """Write the snapshot."""
        rewrite, self.rewrite = (
            self.rewrite,
            None,
        )  # it is freed on this thread, which may take long
        assert rewrite is not None
        self.target = RewriteTarget(self.folder.create(SHRINK_SUFFIX))

        def tell() -> None:
            self.figures.written, self.figures.total = rewrite.written, rewrite.total

        write_data(rewrite, self.target, lambda: self.is_cancelled, tell)

    def copy(self, end: int) -> None:
        """Copy what was appended to the log up to a position."""
        target = self.get_target()
        while self.copied < end and not self.is_cancelled:
            part = self.log.read(self.copied, min(end - self.copied, COPY_CHUNK_BYTES))
            if not part:
                raise OSError(0, "the log is shorter than it was")
            target.add(part)
            self.copied += len(part)

    def copy_and_sync(self, end: int) -> None:
        """Run one round."""
        self.copy(end)
        self.get_target().sync()

    def swap(self, end: int) -> None:
        """Copy the rest and replace the log, unless cancelled."""
        self.copy(end)
        self._put_in_place(end)

    def swap_and_sync(self, end: int) -> None:
        """The same with a sync of the file and its name."""
        self.copy_and_sync(end)
        self._put_in_place(end)
        if self.is_in_place:
            self.folder.sync()
            self.is_name_synced = True

    def discard(self) -> None:
        """Remove the new file."""
        self.rewrite = None
        if self.target is not None:
            with contextlib.suppress(OSError):
                self.target.file.close()
        with contextlib.suppress(OSError):
            self.folder.remove(SHRINK_SUFFIX)

    def _put_in_place(self, end: int) -> None:
        if self.copied == end:
            self.folder.put_in_place(SHRINK_SUFFIX)
            self.is_in_place = True

    def get_target(self) -> RewriteTarget:
        """The new file. Only after it was created."""
        assert self.target is not None
        return self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrinkDependencies:
    """Dependencies of a shrinker."""

    data: SnapshotSource
    folder: LogFolder
    in_thread: InThread
    clock: Clock
    log_info: Tell
    log_error: Tell


@dataclass(slots=True)
class AofShrinker:
    """Rewrites a log, one rewrite at a time. Only the event loop's thread uses it."""

    journal: Aof
    dependencies: ShrinkDependencies
    figures: RewriteFigures = field(default_factory=RewriteFigures)
    is_closed: bool = False
    # Stores the numbered events that only the log has: the new one lacks those of the snapshot.
    store_events: Callable[[End], None] = lambda end: end(None)
    _run: ShrinkRun | None = None
    _waiting: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Measure growth from every new log, also from one that a resync has installed."""
        self.journal.on_replaced(self._set_base)

    def start(self) -> None:
        """Start a rewrite unless one runs."""
        figures, clock, journal = self.figures, self.dependencies.clock, self.journal
        if figures.is_running or self.is_closed:
            return
        figures.is_running, figures.started_ns = True, clock.monotonic_ns()
        figures.written = figures.total = 0
        if journal.error is not None:
            self._end(journal.error)
            return
        rewrite = self.dependencies.data.rewrite(clock.now_ns())
        figures.total = rewrite.total
        folder = self.dependencies.folder
        self._run = run = ShrinkRun(journal.file, folder, figures, rewrite, copied=journal.size)
        del rewrite
        self.dependencies.in_thread(run.write, self._round_ended)

    def cancel(self, then: Callable[[], None]) -> None:
        """Cancel a running rewrite unless it is at its end; call a function when none runs."""
        if self._run is not None:
            self._run.is_cancelled = True
        if self.figures.is_running:
            self._waiting.append(then)
        else:
            then()

    def close(self, then: Callable[[], None]) -> None:
        """Cancel, and start no rewrite any more."""
        self.is_closed = True
        self.cancel(then)

    def _set_base(self) -> None:
        self.figures.size_base = self.journal.size_written

    def _round_ended(self, error: OSError | None) -> None:
        run, end = self._running(), self.journal.size_written
        # Bytes appended while the snapshot was written may be synced in the old log, however few
        # they are: they have to be synced in the new one before that gets the name.
        rest_max = SHRINK_SWAP_BYTES_MAX if run.has_tail else 0
        if reason := self._abort_reason(error):
            self._abort(reason)
        elif end - run.copied > rest_max:
            run.has_tail = True
            self.dependencies.in_thread(lambda: run.copy_and_sync(end), self._round_ended)
        elif not run.has_stored and end >= run.copied:
            run.has_stored = True
            self.store_events(self._round_ended)
        else:
            self.journal.pause(self._swap)

    def _swap(self) -> None:
        """Copy the rest and replace the log. The journal is paused."""
        run, end = self._running(), self.journal.size_written
        is_always = self.journal.policy == ALWAYS
        rest = end - run.copied
        is_much = rest > SHRINK_SWAP_BYTES_MAX and not is_always
        if self._abort_reason(None) or is_much or rest < 0 or not run.has_stored:
            self.journal.resume()
            # A negative rest: bytes whose content is in the snapshot still waited for a sync. They
            # have to be written to the old log first, or they would be written to the new one.
            self.journal.flush()
            self._round_ended(None)
        elif is_always:
            self.dependencies.in_thread(lambda: run.swap_and_sync(end), self._swapped)
        else:
            error = None
            try:
                run.swap(end)
            except Exception as raised:  # noqa: BLE001  # the journal must not stay paused
                error = as_os_error(raised)
            self._swapped(error)

    def _swapped(self, error: OSError | None) -> None:
        run = self._running()
        if not run.is_in_place:
            self.journal.resume()
            self._abort(self._abort_reason(error) or "")
            return
        # An error after the rename is one of its sync, which the journal's next sync repeats.
        target, folder = run.get_target(), self.dependencies.folder
        sync_name = None if run.is_name_synced else folder.sync
        former = self.journal.replace(target.file, target.size, sync_name=sync_name)
        self.journal.resume()
        # Closing frees a large file, which takes the system a while.
        self.dependencies.in_thread(former.close, lambda _error: self._end(None))

    def _abort_reason(self, error: OSError | None) -> str | None:
        if error is not None:
            return reason_of(error)
        if self._running().is_cancelled:
            return CANCELLED
        return self.journal.error

    def _abort(self, reason: str) -> None:
        run = self._running()
        self.dependencies.in_thread(run.discard, lambda _error: self._end(reason))

    def _end(self, reason: str | None) -> None:
        figures, self._run = self.figures, None
        figures.is_running = False
        figures.last_ns = self.dependencies.clock.monotonic_ns() - figures.started_ns
        figures.last_error = reason
        figures.count += 1
        if reason is None:
            figures.failed_in_a_row = 0
        else:
            figures.failed_count += 1
            figures.failed_in_a_row += 1
            self.dependencies.log_error("aof shrink failed: %s", reason)
        self.dependencies.log_info("aof shrink ended %s", duration_text(figures.last_ns))
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then()

    def _running(self) -> ShrinkRun:
        assert self._run is not None
        return self._run


class NoShrinker:
    """The shrinker of a server without a log."""

    def __init__(self) -> None:
        self.figures = RewriteFigures()

    def start(self) -> None:
        """Do nothing, as Tile38 does."""

    def cancel(self, then: Callable[[], None]) -> None:
        """Call the function: no rewrite runs."""
        then()


def duration_text(nanoseconds: int) -> str:
    """A duration like 111.9ms or 1.7s."""
    if nanoseconds >= SECOND_NS:
        return f"{nanoseconds / SECOND_NS:.1f}s"
    return f"{nanoseconds / 1_000_000:.1f}ms"


@dataclass(frozen=True, slots=True)
class ShrinkRule:
    """The settings of automatic rewrites."""

    size_min: int  # bytes; 0 = never
    growth_percentage: int = 0  # since the last rewrite, or since the load if there was none


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGrowth:
    """The growth of the log, and the rewrites so far."""

    size: int  # bytes
    size_base: int  # bytes after the last rewrite, or after the load if there was none
    is_rewritten: bool = False  # whether there was a rewrite since the server's start
    is_running: bool = False  # whether a rewrite runs
    failed_count: int = 0  # failed rewrites in a row, up to the last one
    since_start_ns: int | None = None  # time since the last automatic rewrite started


def should_shrink(rule: ShrinkRule, growth: LogGrowth) -> bool:
    """Whether an automatic rewrite is due. A pure function."""
    if growth.is_running or rule.size_min <= 0 or growth.size <= rule.size_min:
        return False
    if growth.is_rewritten and growth.size <= growth.size_base:
        return False  # nothing was appended since the rewrite
    if growth.since_start_ns is not None and growth.since_start_ns < backoff_ns(
        growth.failed_count
    ):
        return False
    grown = growth.size - growth.size_base
    return grown * PERCENT >= rule.growth_percentage * growth.size_base


def backoff_ns(failed_count: int) -> int:
    """The backoff between two automatic rewrites: a full disk must not be filled every minute."""
    seconds = SHRINK_BACKOFF_SECONDS_MIN * 2 ** min(failed_count, DOUBLINGS_MAX)
    return int(min(seconds, SHRINK_BACKOFF_SECONDS_MAX) * SECOND_NS)
