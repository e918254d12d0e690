"""Loads the log into the engine, chunk by chunk, and reports progress.

It runs on a thread, so that the event loop can reply LOADING. An incomplete last command is not an
error: it is reported as `torn`, and the caller decides what to do.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tile38py._engine import Engine
from tile38py.errors import StartError
from tile38py.interfaces import Clock
from tile38py.limits import KIB, LOAD_CHUNK_BYTES, PROGRESS_SECONDS

UNITS = ("bytes/s", "KB/s", "MB/s", "GB/s", "TB/s")


class ReadableLog(Protocol):
    """The part of a log's file that the load uses."""

    def size(self) -> int:
        """Bytes in the file."""

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes from a position on."""


@dataclass(slots=True)
class LoadProgress:
    """The progress of a load, and its result."""

    size: int
    consumed: int = 0  # bytes of complete commands
    commands: int = 0
    elapsed_ns: int = 0
    error: str | None = None
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def torn(self) -> int:
        """Bytes of an incomplete command at the end of the log. Only after the load."""
        return self.size - self.consumed

    def rate_text(self) -> str:
        """Commands and bytes per second, in Tile38's format."""
        seconds = max(self.elapsed_ns, 1) / 1e9
        rate, unit = self.consumed / seconds, 0
        while rate > KIB and unit + 1 < len(UNITS):
            rate /= KIB
            unit += 1
        return f"{self.commands / seconds:.0f}/s, {rate:.0f} {UNITS[unit]}"

    def summary_text(self) -> str:
        """The line that is logged after a load."""
        seconds = self.elapsed_ns / 1e9
        return f"AOF loaded {self.commands} commands: {seconds:.2f}s, {self.rate_text()}"

    def progress_text(self) -> str:
        """A line that is logged during a load."""
        percent = 100 * self.consumed // max(self.size, 1)
        return f"AOF loading: {percent}%, {self.commands} commands, {self.rate_text()}"


class Loader:
    """Loads one log into one engine."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        report: Callable[[LoadProgress], None],
        *,
        check: Callable[[int, int], None] = lambda _consumed, _size: None,
        chunk_bytes: int = LOAD_CHUNK_BYTES,
    ) -> None:
        """Load chunk_bytes per step, and report the progress once a second.

        After each step, check is called with the bytes that are loaded and the size of the log. It
        ends the load by raising StartError.
        """
        self._engine = engine
        self._clock = clock
        self._report = report
        self._check = check
        self._chunk_bytes = chunk_bytes
        self._is_cancelled = False

    def cancel(self) -> None:
        """End the load at its next chance, with StartError. Any thread."""
        self._is_cancelled = True

    def load(self, source: ReadableLog) -> LoadProgress:
        """Run all commands. LoadProgress.error tells what is wrong with the log, if anything."""
        progress = LoadProgress(source.size())
        started_ns = self._clock.monotonic_ns()
        reported_ns = started_ns
        read_to, size = 0, self._chunk_bytes
        while progress.error is None and read_to < progress.size:
            if self._is_cancelled:
                raise StartError("stopped while loading")
            # An incomplete command is read again: to join it with what follows would copy all.
            start = progress.consumed
            data = source.read(start, min(size, progress.size - start))
            if start + len(data) <= read_to:
                break
            read_to = start + len(data)
            self._run(progress, data)
            self._check(progress.consumed, progress.size)
            # A command larger than the chunk is parsed again with twice as many bytes.
            size = max(self._chunk_bytes, 2 * (read_to - progress.consumed))
            now_ns = self._clock.monotonic_ns()
            progress.elapsed_ns = now_ns - started_ns
            if now_ns - reported_ns >= PROGRESS_SECONDS * 1e9:
                reported_ns = now_ns
                self._report(progress)
        return progress

    def _run(self, progress: LoadProgress, data: bytes) -> None:
        loaded = self._engine.load(data, self._clock.now_ns())
        progress.consumed += loaded.consumed
        progress.commands += loaded.commands
        progress.error = loaded.error
        for name, count in loaded.skipped:
            progress.skipped[name] += count
