"""AOFSHRINK: the log anew from the data, while clients go on. Also when that happens by itself.

A snapshot, taken in one turn of the loop, is exactly what the log says up to its size then. On a
thread it is written to a file beside the log, then what the log got meanwhile, in synced rounds,
until little is left, which came during the last of them. That is copied while nothing is written,
and the file takes the log's name. Under everysec and no this last step happens on the loop and
syncs nothing; under `always` the journal holds what comes while a thread syncs the file and its
name. A crash leaves the one or the other log. An error leaves the present one in use, and so does
a stop.

Knows no files: see files. Doesn't know what a snapshot looks like: see the engine.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from tile38py.errors import as_os_error, reason_of
from tile38py.interfaces import Clock, Tell
from tile38py.interfaces.files import InThread, LogFile, LogFolder
from tile38py.interfaces.rewriting import Rewrite, RewriteFigures, Snapshots
from tile38py.limits import (
    COPY_CHUNK_BYTES,
    SHRINK_PAUSE_SECONDS_MAX,
    SHRINK_PAUSE_SECONDS_MIN,
    SHRINK_PIECE_BYTES,
    SHRINK_SWAP_BYTES_MAX,
    SHRINK_SYNC_BYTES,
)
from tile38py.persistence.aof import ALWAYS, Aof
from tile38py.persistence.files import SHRINK_SUFFIX

CANCELLED = "cancelled"
SECOND_NS = 1_000_000_000
PERCENT = 100
DOUBLINGS_MAX = 10  # more than lead from the shortest pause to the longest


@dataclass(slots=True)
class Written:
    """A file that a rewrite goes to."""

    file: LogFile
    size: int = 0
    size_synced: int = 0

    def add(self, data: bytes) -> None:
        """Append, and sync now and then."""
        self.file.write(data)
        self.size += len(data)
        if self.size - self.size_synced >= SHRINK_SYNC_BYTES:
            self.sync()

    def sync(self) -> None:
        """Bring all of it to the disk."""
        self.file.sync()
        self.size_synced = self.size


def write_data(
    rewrite: Rewrite, target: Written, is_cancelled: Callable[[], bool], tell: Callable[[], None]
) -> bool:
    """Write all data and sync it; False if that was cancelled. For a thread."""
    while piece := rewrite.read(SHRINK_PIECE_BYTES):
        target.add(piece)
        tell()
        if is_cancelled():
            return False
    target.sync()
    return not is_cancelled()


@dataclass(slots=True, eq=False)
class Run:
    """One rewrite: what its threads work on. The loop and a thread take turns with it."""

    log: LogFile
    folder: LogFolder
    figures: RewriteFigures
    rewrite: Rewrite | None
    copied: int  # bytes of the log that the new file says
    target: Written | None = None
    is_cancelled: bool = False
    has_tail: bool = False  # whether a round was made
    is_in_place: bool = False
    is_name_synced: bool = False

    def write(self) -> None:
        """Write the snapshot."""
        rewrite, self.rewrite = (
            self.rewrite,
            None,
        )  # it is freed on this thread, which may take long
        assert rewrite is not None
        self.target = Written(self.folder.create(SHRINK_SUFFIX))

        def tell() -> None:
            self.figures.written, self.figures.total = rewrite.written, rewrite.total

        write_data(rewrite, self.target, lambda: self.is_cancelled, tell)

    def copy(self, end: int) -> None:
        """Copy what the log got since."""
        target = self.get_target()
        while self.copied < end and not self.is_cancelled:
            part = self.log.read(self.copied, min(end - self.copied, COPY_CHUNK_BYTES))
            if not part:
                raise OSError(0, "the log is shorter than it was")
            target.add(part)
            self.copied += len(part)

    def copy_and_sync(self, end: int) -> None:
        """One round."""
        self.copy(end)
        self.get_target().sync()

    def swap(self, end: int) -> None:
        """Become the log, unless it was cancelled meanwhile."""
        self.copy(end)
        self._put_in_place(end)

    def swap_and_sync(self, end: int) -> None:
        """As swap, and for good."""
        self.copy_and_sync(end)
        self._put_in_place(end)
        if self.is_in_place:
            self.folder.sync()
            self.is_name_synced = True

    def discard(self) -> None:
        """Leave nothing behind."""
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

    def get_target(self) -> Written:
        """The new file, once it is there."""
        assert self.target is not None
        return self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a shrinker is given."""

    data: Snapshots
    folder: LogFolder
    in_thread: InThread
    clock: Clock
    info: Tell
    error: Tell


@dataclass(slots=True)
class AofShrinker:
    """Rewrites a log, one time at a time. For the thread of the loop."""

    journal: Aof
    around: Surroundings
    figures: RewriteFigures = field(default_factory=RewriteFigures)
    is_closed: bool = False
    _run: Run | None = None
    _waiting: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Measure growth from each log that is new, whoever put it in place."""
        self.journal.on_replaced(self._measure)

    def start(self) -> None:
        """Start a rewrite unless one runs."""
        figures, clock, journal = self.figures, self.around.clock, self.journal
        if figures.is_running or self.is_closed:
            return
        figures.is_running, figures.started_ns = True, clock.monotonic_ns()
        figures.written = figures.total = 0
        if journal.error is not None:
            self._end(journal.error)
            return
        rewrite = self.around.data.rewrite(clock.now_ns())
        figures.total = rewrite.total
        folder = self.around.folder
        self._run = run = Run(journal.file, folder, figures, rewrite, copied=journal.size)
        del rewrite
        self.around.in_thread(run.write, self._round_ended)

    def cancel(self, then: Callable[[], None]) -> None:
        """Give a rewrite up if one runs and isn't at its end; call a function when none runs."""
        if self._run is not None:
            self._run.is_cancelled = True
        if self.figures.is_running:
            self._waiting.append(then)
        else:
            then()

    def close(self, then: Callable[[], None]) -> None:
        """As cancel, and start none any more."""
        self.is_closed = True
        self.cancel(then)

    def _measure(self) -> None:
        self.figures.size_base = self.journal.size_written

    def _round_ended(self, error: OSError | None) -> None:
        run, end = self._running(), self.journal.size_written
        # However little came while the snapshot was written, it may have been there for long, and
        # be safe in the present log: it has to be in the new one before that has the name.
        rest_max = SHRINK_SWAP_BYTES_MAX if run.has_tail else 0
        if reason := self._reason_to_give_up(error):
            self._give_up(reason)
        elif end - run.copied > rest_max:
            run.has_tail = True
            self.around.in_thread(lambda: run.copy_and_sync(end), self._round_ended)
        else:
            self.journal.hold(self._swap)

    def _swap(self) -> None:
        """The journal is held: nothing is written."""
        run, end = self._running(), self.journal.size_written
        is_always = self.journal.policy == ALWAYS
        rest = end - run.copied
        is_much = rest > SHRINK_SWAP_BYTES_MAX and not is_always
        if self._reason_to_give_up(None) or is_much or rest < 0:
            self.journal.go_on()
            # Below 0: what the snapshot says, too, still waited for a sync to end. It has to be in
            # the old log first, or it would be written to the new one once more.
            self.journal.flush()
            self._round_ended(None)
        elif is_always:
            self.around.in_thread(lambda: run.swap_and_sync(end), self._swapped)
        else:
            error = None
            try:
                run.swap(end)
            except Exception as raised:  # noqa: BLE001  # the journal must not stay held
                error = as_os_error(raised)
            self._swapped(error)

    def _swapped(self, error: OSError | None) -> None:
        run = self._running()
        if not run.is_in_place:
            self.journal.go_on()
            self._give_up(self._reason_to_give_up(error) or "")
            return
        # An error after the renaming is of its sync, which the journal's next one repeats.
        target, folder = run.get_target(), self.around.folder
        sync_name = None if run.is_name_synced else folder.sync
        former = self.journal.replace(target.file, target.size, sync_name=sync_name)
        self.journal.go_on()
        # To free a large file takes the system a while.
        self.around.in_thread(former.close, lambda _error: self._end(None))

    def _reason_to_give_up(self, error: OSError | None) -> str | None:
        if error is not None:
            return reason_of(error)
        if self._running().is_cancelled:
            return CANCELLED
        return self.journal.error

    def _give_up(self, reason: str) -> None:
        run = self._running()
        self.around.in_thread(run.discard, lambda _error: self._end(reason))

    def _end(self, reason: str | None) -> None:
        figures, self._run = self.figures, None
        figures.is_running = False
        figures.last_ns = self.around.clock.monotonic_ns() - figures.started_ns
        figures.last_error = reason
        figures.count += 1
        if reason is None:
            figures.failed_in_a_row = 0
        else:
            figures.failed_count += 1
            figures.failed_in_a_row += 1
            self.around.error("aof shrink failed: %s", reason)
        self.around.info("aof shrink ended %s", duration_text(figures.last_ns))
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then()

    def _running(self) -> Run:
        assert self._run is not None
        return self._run


class NoShrinker:
    """Where no log is kept there is none to rewrite."""

    def __init__(self) -> None:
        self.figures = RewriteFigures()

    def start(self) -> None:
        """Do nothing, as Tile38."""

    def cancel(self, then: Callable[[], None]) -> None:
        """None runs."""
        then()


def duration_text(nanoseconds: int) -> str:
    """As in 111.9ms and 1.7s."""
    if nanoseconds >= SECOND_NS:
        return f"{nanoseconds / SECOND_NS:.1f}s"
    return f"{nanoseconds / 1_000_000:.1f}ms"


@dataclass(frozen=True, slots=True)
class Rule:
    """What the settings ask for."""

    size_min: int  # bytes; 0 = never
    growth_percentage: int = 0  # over the size at the last rewrite, or else at the load


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What is known of the log."""

    size: int  # bytes
    size_base: int  # when it was last rewritten, or else loaded
    is_rewritten: bool = False  # since this server started: size_base is of a rewrite
    is_running: bool = False  # a rewrite
    failed_count: int = 0  # of rewrites in a row that were the last ones
    since_start_ns: int | None = None  # of the last one that started by itself


def should_shrink(rule: Rule, growth: Growth) -> bool:
    """Whether a rewrite is to start."""
    if growth.is_running or rule.size_min <= 0 or growth.size <= rule.size_min:
        return False
    if growth.is_rewritten and growth.size <= growth.size_base:
        return False  # nothing was appended since
    if growth.since_start_ns is not None and growth.since_start_ns < pause_ns(growth.failed_count):
        return False
    grown = growth.size - growth.size_base
    return grown * PERCENT >= rule.growth_percentage * growth.size_base


def pause_ns(failed_count: int) -> int:
    """What has to lie between two starts; a full disk need not be filled every minute."""
    seconds = SHRINK_PAUSE_SECONDS_MIN * 2 ** min(failed_count, DOUBLINGS_MAX)
    return int(min(seconds, SHRINK_PAUSE_SECONDS_MAX) * SECOND_NS)
