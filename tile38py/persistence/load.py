"""Replay of the log at the start: pieces of the file through the engine, with progress.

Runs on a thread of its own, so that the event loop can answer LOADING. A last command that isn't
complete is reported, not an error; the caller decides what becomes of it.
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


class Source(Protocol):
    """The log's file as the load needs it."""

    def size(self) -> int:
        """Bytes in the file."""

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes from a position on."""


@dataclass(slots=True)
class Progress:
    """How far the load is, and how it ended."""

    size: int
    consumed: int = 0  # bytes of complete commands
    commands: int = 0
    elapsed_ns: int = 0
    error: str | None = None
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def torn(self) -> int:
        """Bytes of an incomplete command at the end, once the load is over."""
        return self.size - self.consumed

    def rate_text(self) -> str:
        """Commands and bytes a second, in Tile38's form."""
        seconds = max(self.elapsed_ns, 1) / 1e9
        rate, unit = self.consumed / seconds, 0
        while rate > KIB and unit + 1 < len(UNITS):
            rate /= KIB
            unit += 1
        return f"{self.commands / seconds:.0f}/s, {rate:.0f} {UNITS[unit]}"

    def summary_text(self) -> str:
        """The line that closes every load."""
        seconds = self.elapsed_ns / 1e9
        return f"AOF loaded {self.commands} commands: {seconds:.2f}s, {self.rate_text()}"

    def progress_text(self) -> str:
        """A line while it runs."""
        percent = 100 * self.consumed // max(self.size, 1)
        return f"AOF loading: {percent}%, {self.commands} commands, {self.rate_text()}"


class Loader:
    """Replays one file into one engine."""

    def __init__(self, engine: Engine, clock: Clock, report: Callable[[Progress], None]) -> None:
        self._engine = engine
        self._clock = clock
        self._report = report
        self._is_cancelled = False

    def cancel(self) -> None:
        """Have the load end soon, from another thread; it then raises StartError."""
        self._is_cancelled = True

    def load(self, source: Source) -> Progress:
        """Run everything. Progress.error tells what is wrong with the log, if anything."""
        progress = Progress(source.size())
        started_ns = self._clock.monotonic_ns()
        reported_ns = started_ns
        position, rest, want = 0, b"", LOAD_CHUNK_BYTES
        while progress.error is None and position < progress.size:
            if self._is_cancelled:
                raise StartError("stopped while loading")
            data = source.read(position, min(want, progress.size - position))
            if not data:
                break
            position += len(data)
            rest = self._run(progress, rest + data)
            # A command larger than the piece is parsed again with twice as much, not with a
            # little more each time.
            want = max(LOAD_CHUNK_BYTES, len(rest))
            now_ns = self._clock.monotonic_ns()
            progress.elapsed_ns = now_ns - started_ns
            if now_ns - reported_ns >= PROGRESS_SECONDS * 1e9:
                reported_ns = now_ns
                self._report(progress)
        return progress

    def _run(self, progress: Progress, data: bytes) -> bytes:
        loaded = self._engine.load(data, self._clock.now_ns())
        progress.consumed += loaded.consumed
        progress.commands += loaded.commands
        progress.error = loaded.error
        for name, count in loaded.skipped:
            progress.skipped[name] += count
        return data[loaded.consumed :]
