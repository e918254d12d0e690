"""Rewrites of the log and backups, as commands and metrics see them. No implementation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tile38py.interfaces.views import ByteData


@dataclass(slots=True)
class RewriteFigures:
    """Progress of the running rewrite and results of the former ones, for INFO and the metrics."""

    is_running: bool = False
    started_ns: int = 0  # monotonic; of the running one
    written: int = 0  # objects and hooks that the running one has written
    total: int = 0  # objects and hooks that it writes
    count: int = 0  # rewrites that ended, failed ones included
    failed_count: int = 0
    failed_in_a_row: int = 0  # up to the last one
    last_ns: int = 0  # duration of the last one
    last_error: str | None = None
    size_base: int = 0  # bytes of the log after its last rewrite or load


class Shrinker(Protocol):
    """Rewrites the log."""

    figures: RewriteFigures

    def start(self) -> None:
        """Start a rewrite unless one runs."""

    def cancel(self, then: Callable[[], None]) -> None:
        """Cancel a running rewrite unless it is at its end; call a function when none runs."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A complete backup."""

    path: str
    size: int  # bytes
    objects: int


class Backups(Protocol):
    """Makes backups."""

    def begin(self, name: str) -> Callable[[], Backup]:
        """Take a snapshot now. Return the function that writes it, on a thread.

        Both raise CommandError.
        """


class Rewrite(Protocol):
    """A snapshot of the data as commands, read piece by piece on any thread."""

    @property
    def written(self) -> int:
        """Objects and hooks that were read."""

    @property
    def total(self) -> int:
        """Objects and hooks in the snapshot."""

    def read(self, bytes_max: int) -> ByteData:
        """The next complete commands, about so many bytes; none at the end."""


class SnapshotSource(Protocol):
    """Takes snapshots of the data."""

    def rewrite(self, now_ns: int) -> Rewrite:
        """Take a snapshot, in constant time."""

    def statistics(self) -> dict[str, int]:
        """Counts of the data: num_objects and others."""
