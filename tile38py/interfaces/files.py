"""Files of the log and of backups, and threads to work on them. No implementation lives here."""

from collections.abc import Callable
from typing import Protocol


class LogFile(Protocol):
    """A file of the log, for one thread unless it says otherwise. Everything may raise OSError."""

    def size(self) -> int:
        """Bytes in the file."""

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes from a position on. Any thread."""

    def write(self, data: bytes) -> None:
        """Append all of it; after an error a part of it may be there."""

    def truncate(self, size: int) -> None:
        """Cut everything behind a position."""

    def sync(self) -> None:
        """Bring what is written to the disk. Any thread."""

    def has_room(self) -> bool:
        """Whether it is worth trying to write."""

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range, None if it isn't all there or the file is closed. Any thread."""

    def close(self) -> None:
        """Give it back, once all threads are out of it; reads that come later raise."""


class LogFolder(Protocol):
    """The place of the log, for files beside it. Any thread; everything may raise OSError."""

    def create(self, suffix: str) -> LogFile:
        """Make an empty file called as the log with a suffix, or empty the one that is there."""

    def put_in_place(self, suffix: str) -> None:
        """Give such a file the log's name, at once; the former log loses it."""

    def sync(self) -> None:
        """Make names that changed survive a loss of power."""

    def remove(self, suffix: str) -> None:
        """Take such a file away, if it is there."""


class BackupFolder(Protocol):
    """The place of backups. For threads, one at a time; everything may raise OSError."""

    def create(self, name: str) -> LogFile:
        """Begin a backup. Raises FileExistsError if there is one of that name."""

    def finish(self, name: str) -> str:
        """Give a backup that is written and synced its name; where it is."""

    def sweep(self) -> None:
        """Take away what isn't whole."""


class InThread(Protocol):
    """Runs the first on a thread, then the second on the loop, with the error or None."""

    def __call__(self, run: Callable[[], None], done: Callable[[OSError | None], None], /) -> None:
        """Start; don't wait."""
