"""A log file in memory, on a disk that can be full."""

import errno
import hashlib
import os

from tile38py.interfaces.views import ByteData


class FakeLogFile:
    """A log file in memory, on a disk that can be full."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data
        self.room: int | None = None  # bytes that still fit
        self.synced = 0  # bytes that survive a power loss
        self.sync_error: OSError | None = None
        self.writes = 0

    def write(self, data: ByteData) -> None:
        """Append the bytes that fit. Raises OSError if some don't."""
        self.writes += 1
        fits = data if self.room is None else data[: self.room]
        self.data += fits
        if self.room is not None:
            self.room -= len(fits)
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def truncate(self, size: int) -> None:
        """Cut the file to a size."""
        if self.room is not None:
            self.room += len(self.data) - size
        self.data = self.data[:size]

    def sync(self) -> None:
        """Sync the data. Raises the error that a test sets."""
        if self.sync_error is not None:
            raise self.sync_error
        self.synced = len(self.data)

    def has_room(self) -> bool:
        """Whether the disk isn't full."""
        return self.room is None or self.room > 0

    def size(self) -> int:
        """Return the size in bytes."""
        return len(self.data)

    def read(self, position: int, size: int) -> bytes:
        """Return a range."""
        return self.data[position : position + size]

    def close(self) -> None:
        """Do nothing."""

    def digest(self, position: int, size: int) -> str | None:
        """Return the MD5 of a range, None if it isn't all there."""
        part = self.data[position : position + size]
        if len(part) < size:
            return None
        return hashlib.md5(part, usedforsecurity=False).hexdigest()
