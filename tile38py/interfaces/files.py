"""Files of the log and of backups, and threads to work on them. No implementation lives here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tile38py.interfaces.views import ByteData


@dataclass(slots=True)
class SyncFigures:
    """Counts of the log's syncs since the start."""

    count: int = 0
    failed_count: int = 0
    took_ns: int = 0  # all of them together


class LogFile(Protocol):
    """A file of the log, for one thread unless stated otherwise. Everything may raise OSError."""

    def size(self) -> int:
        """Bytes in the file."""

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes from a position on. Any thread."""

    def write(self, data: ByteData) -> None:
        """Append all of the data. After an error a part may be written. Any thread."""

    def truncate(self, size: int) -> None:
        """Cut everything behind a position."""

    def sync(self) -> None:
        """Sync the file to the disk. Any thread."""

    def has_room(self) -> bool:
        """Whether the disk has enough free space to try a write."""

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range, None if it isn't all there or the file is closed. Any thread."""

    def close(self) -> None:
        """Close the file once no thread uses it. Later reads raise."""


class LogFolder(Protocol):
    """The directory of the log. Any thread; everything may raise OSError."""

    def create(self, suffix: str) -> LogFile:
        """Create or empty the file with the log's name and a suffix."""

    def put_in_place(self, suffix: str) -> None:
        """Rename such a file over the log, atomically."""

    def sync(self) -> None:
        """Sync the directory, so that renames survive a loss of power."""

    def remove(self, suffix: str) -> None:
        """Remove such a file if it exists."""


class BackupFolder(Protocol):
    """The directory of backups. For one thread at a time; everything may raise OSError."""

    def create(self, name: str) -> LogFile:
        """Start a backup. Raises FileExistsError if its name is taken."""

    def finish(self, name: str) -> str:
        """Rename a synced backup to its final name; return its path."""

    def sweep(self) -> None:
        """Remove incomplete backups."""


class InThread(Protocol):
    """Runs work off the event loop."""

    def __call__(self, run: Callable[[], None], done: Callable[[OSError | None], None], /) -> None:
        """Call run on a thread, then done on the event loop with the error or None."""


@dataclass(frozen=True, slots=True)
class LoopFunctions:
    """Functions of the event loop."""

    call_soon: Callable[[Callable[[], None]], object]
    in_thread: InThread
