"""Where a leader's log lies while it is received, and how it takes the place of our own."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tile38py.limits import COPY_CHUNK_BYTES
from tile38py.persistence.files import AppendFile, sync_directory

SUFFIX = "-resync"


class ReceivedFile(Protocol):
    """A log as its receiver gives it back."""

    def size(self) -> int:
        """Bytes in it."""


class Resync:
    """The place beside the log."""

    def __init__(self, path: Path, replace: Callable[[AppendFile, int], AppendFile]) -> None:
        self._path = path
        self._beside = path.with_name(path.name + SUFFIX)
        self._replace = replace
        self._old: AppendFile | None = None

    def create(self, prefix: int) -> AppendFile:
        """A new one that begins with so many bytes of the log. Any thread."""
        self._beside.unlink(missing_ok=True)
        file = AppendFile(self._beside)
        try:
            with self._path.open("rb") as source:
                while prefix and (part := source.read(min(prefix, COPY_CHUNK_BYTES))):
                    file.write(part)
                    prefix -= len(part)
        except OSError:
            self.discard(file)
            raise
        return file

    def install(self, file: ReceivedFile, size: int) -> None:
        """Make it the log, by one rename: a crash leaves the old log or the new one."""
        assert isinstance(file, AppendFile)
        self._beside.rename(self._path)
        file.path = self._path
        self._old = self._replace(file, size)

    def settle(self) -> None:
        """Make the last install survive a loss of power, and let the old log go. Any thread."""
        old, self._old = self._old, None
        if old is not None:
            old.close()
        sync_directory(self._path.parent)

    def discard(self, file: ReceivedFile | None) -> None:
        """Remove it, or what a crash left of one."""
        if file is not None:
            assert isinstance(file, AppendFile)
            file.close()
        self._beside.unlink(missing_ok=True)
