"""The data directory: its lock, the log's file, the configuration file, atomic replacement."""

import fcntl
import hashlib
import os
from pathlib import Path

from tile38py.errors import StartError
from tile38py.limits import COPY_CHUNK_BYTES, RESUME_FREE_BYTES_MIN

LOCK_NAME = "lock"
FILE_MODE = 0o600
DIRECTORY_MODE = 0o700


class DirectoryLock:
    """Keeps a second server out of the directory for as long as this process lives."""

    def __init__(self, directory: Path) -> None:
        path = directory / LOCK_NAME
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        if not lock_file(self._descriptor):
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            who = f" (process {holder})" if holder else ""
            raise StartError(f"the data directory '{directory}' is in use by another server{who}")
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others in. The file stays: removing it would race with the next server."""
        os.close(self._descriptor)


class AppendFile:
    """The log's file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, FILE_MODE)
        if not lock_file(self._descriptor):
            os.close(self._descriptor)
            raise StartError(f"the log '{path}' is in use by another server")

    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self._descriptor).st_size

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes from a position on. Any thread."""
        return os.pread(self._descriptor, size, position)

    def write(self, data: bytes) -> None:
        """Append all of it; after an error a part of it may be there."""
        written = os.write(self._descriptor, data)
        if written < len(data):
            rest = memoryview(data)[written:]
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def truncate(self, size: int) -> None:
        """Cut everything behind a position."""
        os.ftruncate(self._descriptor, size)

    def sync(self) -> None:
        """Bring what is written to the disk. Any thread."""
        os.fdatasync(self._descriptor)

    def has_room(self) -> bool:
        """Whether the disk has room enough to be worth a try."""
        usage = os.fstatvfs(self._descriptor)
        return usage.f_bavail * usage.f_frsize >= RESUME_FREE_BYTES_MIN

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range, None if it isn't all there. Any thread."""
        digest = hashlib.md5(usedforsecurity=False)
        while size > 0:
            part = self.read(position, min(size, COPY_CHUNK_BYTES))
            if not part:
                return None
            digest.update(part)
            position += len(part)
            size -= len(part)
        return digest.hexdigest()

    def cut(self, position: int, kept: Path) -> None:
        """Move everything behind a position into a file of its own."""
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        try:
            at = position
            while part := self.read(at, COPY_CHUNK_BYTES):
                at += os.write(descriptor, part)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_directory(kept.parent)
        self.truncate(position)
        self.sync()

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)


class ConfigFile:
    """The configuration file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> bytes:
        """Its bytes, none if there is no file."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return b""

    def write(self, data: bytes) -> None:
        """Replace it at once and for good; a crash leaves the old or the new one."""
        replace_file(self._path, data)


def lock_file(descriptor: int) -> bool:
    """Take the lock of an open file unless somebody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def replace_file(path: Path, data: bytes) -> None:
    """Write beside, sync, rename over."""
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make names that were added or changed survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_log(path: Path) -> AppendFile:
    """Open the log, after finishing what a crash of Tile38 left half done."""
    backup = path.with_name(path.name + "-bak")
    if not path.exists() and backup.exists():
        # Tile38's AOFSHRINK renames the live log away before the new one is in its place.
        backup.rename(path)
    return AppendFile(path)
