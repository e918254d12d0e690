"""The edges of rewriting the log and of backups: who starts them, and what is told of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class RewriteFigures:
    """How rewriting the log goes and went, for INFO and the metrics."""

    is_running: bool = False
    started_ns: int = 0  # of the one that runs, monotonic
    written: int = 0  # of it: objects and hooks
    total: int = 0
    count: int = 0  # that ended, well or not
    failed_count: int = 0
    failed_in_a_row: int = 0  # up to the last one
    last_ns: int = 0  # what the last one took
    last_error: str | None = None
    size_base: int = 0  # of the log when it was last rewritten or loaded


class Shrinker(Protocol):
    """Whoever rewrites the log."""

    figures: RewriteFigures

    def start(self) -> None:
        """Start a rewrite unless one runs."""

    def cancel(self, then: Callable[[], None]) -> None:
        """Give a rewrite up if one runs and isn't at its end; call a function when none runs."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made."""

    path: str
    size: int  # bytes
    objects: int


class Backups(Protocol):
    """Whoever makes backups."""

    def begin(self, name: str) -> Callable[[], Backup]:
        """Take the data as it is; what is returned writes it, on another thread.

        Both raise CommandError.
        """


class Rewrite(Protocol):
    """All data at one moment as commands, read piece by piece on any thread."""

    @property
    def written(self) -> int:
        """Objects and hooks so far."""

    @property
    def total(self) -> int:
        """How many there are."""

    def read(self, bytes_max: int) -> bytes:
        """The next complete commands, about so many bytes; none at the end."""


class Snapshots(Protocol):
    """Whoever has the data."""

    def rewrite(self, now_ns: int) -> Rewrite:
        """The data of this moment."""

    def statistics(self) -> dict[str, int]:
        """num_objects and others."""
