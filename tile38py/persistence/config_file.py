"""The configuration file's bytes: read at the start, written when settings are kept.

In a container it may be a single file that is mounted into the data directory: no other file can be
renamed over it, so it is written in place then. Doesn't know what the settings mean.
"""

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

from tile38py.config import read_members
from tile38py.errors import StartError, reason_of
from tile38py.persistence.files import (
    FILE_MODE,
    NEW_FLAGS,
    NEW_SUFFIX,
    replace_file,
    write_synced,
)

# Errors of renaming a file over one that may be writable all the same: one that is mounted by
# itself, or one in a folder that isn't ours.
NOT_REPLACEABLE: Final = frozenset({errno.EBUSY, errno.EACCES, errno.EPERM, errno.EROFS})


class ConfigFile:
    """The configuration file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(path.name + NEW_SUFFIX)

    def read(self) -> bytes:
        """Its bytes, none if there is no file. Raises StartError if it can't be read."""
        try:
            data = _bytes_of(self._path)
            if not read_members(data):
                # A crash while it was written in place leaves a part of it, and the whole beside.
                whole = _bytes_of(self._beside)
                data = whole if read_members(whole) else data
        except OSError as error:
            reason = reason_of(error).lower()
            raise StartError(f"configuration file '{self._path}': {reason}") from error
        return data

    def is_writable(self) -> bool:
        """Whether it may be written, or made."""
        return os.access(self._path if self._path.exists() else self._path.parent, os.W_OK)

    def keep_copy(self, name: str) -> Path:
        """Copy it to a file beside it; the copy's path."""
        copy = self._path.with_name(name)
        replace_file(copy, self._path.read_bytes())
        return copy

    def write(self, data: bytes) -> None:
        """Replace its content for good unless it is the same; a crash leaves the old or the new."""
        if data == _bytes_of(self._path):
            return
        try:
            replace_file(self._path, data)
        except OSError as error:
            if error.errno not in NOT_REPLACEABLE or not self._path.exists():
                raise
            self._write_in_place(data)

    def _write_in_place(self, data: bytes) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        # Where the folder takes no file beside it, a crash within the next lines loses settings.
        with contextlib.suppress(OSError):
            write_synced(os.open(self._beside, NEW_FLAGS, FILE_MODE), data)
        os.ftruncate(descriptor, 0)
        write_synced(descriptor, data)
        with contextlib.suppress(OSError):
            self._beside.unlink(missing_ok=True)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
