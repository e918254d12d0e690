"""Files in the data directory: the log, backups, atomic replacement and sync."""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from tile38py.errors import StartError
from tile38py.interfaces.views import ByteData
from tile38py.limits import COPY_CHUNK_BYTES, RESUME_FREE_BYTES_MIN

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
BACKUP_SUFFIX = "-bak"  # of the old log while Tile38 replaces it
SHRINK_SUFFIX = "-shrink"  # of the log that a rewrite writes
PART_SUFFIX = ".part"  # of an incomplete backup
NEW_SUFFIX = ".new"  # of a file that is to replace another
LOG_NAME = "appendonly.aof"
NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


class AppendFile:
    """A log's file.

    It stays open while threads read, sum up or sync: close() takes effect when the last of them is
    done, so that none of them uses a descriptor that was assigned to another file meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._users = 0
        self._is_closed = False
        self._lock = threading.Lock()  # guards the two above
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
        with self._in_use():
            return os.pread(self._descriptor, size, position)

    def write(self, data: ByteData) -> None:
        """Append all of the data. After an error a part may be written."""
        written = os.write(self._descriptor, data)
        if written < len(data):
            rest = memoryview(data)[written:]
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def truncate(self, size: int) -> None:
        """Cut everything behind a position."""
        os.ftruncate(self._descriptor, size)

    def sync(self) -> None:
        """Sync the file to the disk. Any thread."""
        with self._in_use():
            os.fdatasync(self._descriptor)

    def has_room(self) -> bool:
        """Whether the disk has RESUME_FREE_BYTES_MIN free."""
        usage = os.fstatvfs(self._descriptor)
        return usage.f_bavail * usage.f_frsize >= RESUME_FREE_BYTES_MIN

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range, None if it isn't all there or the file is closed. Any thread."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._in_use())
            except OSError:
                return None
            return self._digest(position, size)

    def _digest(self, position: int, size: int) -> str | None:
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
        """Move everything behind a position to a new file."""
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
        """Close the file as soon as no thread uses it."""
        with self._lock:
            is_last = not self._is_closed and not self._users
            self._is_closed = True
        if is_last:
            os.close(self._descriptor)

    @contextlib.contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._lock:
            if self._is_closed:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            self._users += 1
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            is_last = self._is_closed and not self._users
        if is_last:
            os.close(self._descriptor)


class DiskLogFolder:
    """The directory of the log: creates files beside the log and renames one over it."""

    def __init__(self, path: Path) -> None:
        # If the path is a symbolic link, its target is replaced, not the link.
        self._path = path.resolve()

    def create(self, suffix: str) -> AppendFile:
        """Create or empty the file with the log's name and a suffix."""
        try:
            file = AppendFile(self._beside(suffix))
        except StartError:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY)) from None
        try:
            os.chmod(file.path, FILE_MODE)  # noqa: PTH101 - a stale one may have another mode
            file.truncate(0)
        except OSError:
            file.close()
            raise
        return file

    def put_in_place(self, suffix: str) -> None:
        """Rename such a file over the log, atomically."""
        self._beside(suffix).replace(self._path)

    def sync(self) -> None:
        """Sync the directory, so that renames survive a loss of power."""
        sync_directory(self._path.parent)

    def remove(self, suffix: str) -> None:
        """Remove such a file if it exists."""
        self._beside(suffix).unlink(missing_ok=True)

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(self._path.name + suffix)


class DiskBackupFolder:
    """The directory of backups. Each is a folder with a log; an incomplete one has a suffix."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self, name: str) -> AppendFile:
        """Start a backup. Raises FileExistsError if its name is taken."""
        if (self._path / name).exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        self._path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        self.sweep()
        part = self._part(name)
        part.mkdir(mode=DIRECTORY_MODE)
        return AppendFile(part / LOG_NAME)

    def finish(self, name: str) -> str:
        """Rename a synced backup to its final name; return its path."""
        part, whole = self._part(name), self._path / name
        sync_directory(part)
        part.rename(whole)
        sync_directory(self._path)
        sync_directory(self._path.parent)
        return str(whole.absolute())

    def sweep(self) -> None:
        """Remove incomplete backups. None may be running."""
        if self._path.is_dir():
            for part in self._path.glob(f"*{PART_SUFFIX}"):
                shutil.rmtree(part, ignore_errors=True)

    def _part(self, name: str) -> Path:
        return self._path / f"{name}{PART_SUFFIX}"


def lock_file(descriptor: int) -> bool:
    """Lock an open file; return False if another process holds the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file's content atomically: write a file beside it, sync, rename."""
    beside = path.with_name(path.name + NEW_SUFFIX)
    try:
        write_synced(os.open(beside, NEW_FLAGS, FILE_MODE), data)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def write_synced(descriptor: int, data: bytes) -> None:
    """Write to an open file, sync and close it."""
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(directory: Path) -> None:
    """Sync a directory, so that added and changed names survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_log(path: Path) -> AppendFile:
    """Open the log. Complete an AOFSHRINK of Tile38 that a crash interrupted."""
    backup = path.with_name(path.name + BACKUP_SUFFIX)
    if not path.exists() and backup.exists():
        # Tile38's AOFSHRINK renames the old log before the new one has its name.
        backup.rename(path)
    file = AppendFile(path)
    # The log is locked by now, so such a file was left by a crash.
    DiskLogFolder(path).remove(SHRINK_SUFFIX)
    return file
