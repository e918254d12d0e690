"""The parts of `os`, `fcntl` and `pathlib` that the server uses, on simulated disks."""

import errno
import io
import os
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Self

from tests.simulation.disk import Disk, Inode, LogSwap
from tests.simulation.loop import SimulatedLoop
from tests.simulation.machine import CURRENT, CrashedError, SimulatedProcess
from tile38py.persistence.files import SHRINK_SUFFIX
from tile38py.persistence.resync import RESYNC_SUFFIX

ROOM_BYTES = 1 << 40
FOLDER = Inode()  # stands for every folder


@dataclass(slots=True, eq=False)
class OpenFile:
    """An open file, behind a descriptor."""

    process: SimulatedProcess
    disk: Disk
    inode: Inode
    position: int = 0
    appends: bool = False
    is_rewrite: bool = False


@dataclass(slots=True, eq=False)
class System:
    """The disks of all machines and all open files, with the interface of the module `os`."""

    loop: SimulatedLoop
    disks: dict[str, Disk] = field(default_factory=dict)
    files: dict[int, OpenFile] = field(default_factory=dict)
    last_descriptor: int = 100
    rewrite_seconds_max: float = 0.0  # additional duration of a rewrite

    O_RDONLY, O_WRONLY, O_RDWR = os.O_RDONLY, os.O_WRONLY, os.O_RDWR
    O_APPEND, O_CREAT, O_EXCL, O_TRUNC = os.O_APPEND, os.O_CREAT, os.O_EXCL, os.O_TRUNC
    O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW = os.O_CLOEXEC, os.O_DIRECTORY, os.O_NOFOLLOW
    W_OK = os.W_OK
    strerror, fspath = staticmethod(os.strerror), staticmethod(os.fspath)
    path = os.path

    def getpid(self) -> int:
        """Return a constant process id."""
        return 1

    def step(self) -> None:
        """Pause the thread before an operation, and crash the process if that is due."""
        self.loop.pause_thread()
        CURRENT.get().step()

    def open(self, path: object, flags: int, mode: int = 0o777) -> int:
        """Open a file or folder, or create a file."""
        del mode
        self.step()
        disk, name = self.locate(path)
        if flags & os.O_DIRECTORY or not name:
            return self._add(disk, FOLDER, flags)
        if name not in disk.names and flags & os.O_CREAT:
            descriptor = self._add(disk, disk.create(name), flags)
            self.files[descriptor].is_rewrite = name.endswith(SHRINK_SUFFIX)
            return descriptor
        if flags & os.O_EXCL and flags & os.O_CREAT:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
        inode = disk.find(name)
        if flags & os.O_TRUNC:
            disk.truncate(inode, 0)
        return self._add(disk, inode, flags)

    def close(self, descriptor: int) -> None:
        """Close a descriptor and release its lock."""
        file = self.files.pop(descriptor, None)
        if file is not None and file.inode.lock is file:
            file.inode.lock = None

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write at the position of the descriptor, or at the end of the file."""
        file = self._file(descriptor)
        if file.is_rewrite and not file.inode.data:
            # A large snapshot may take longer to write than everysec delays a sync.
            self.loop.pause_thread(self.rewrite_seconds_max)
            CURRENT.get().check()
        position = len(file.inode.data) if file.appends else file.position
        count = file.disk.write(file.inode, position, bytes(data))
        file.position = position + count
        return count

    def pwrite(self, descriptor: int, data: bytes, position: int) -> int:
        """Write at a position."""
        file = self._file(descriptor)
        return file.disk.write(file.inode, position, data)

    def read(self, descriptor: int, size: int) -> bytes:
        """Read at the position of the descriptor."""
        file = self._file(descriptor)
        data = bytes(file.inode.data[file.position : file.position + size])
        file.position += len(data)
        return data

    def pread(self, descriptor: int, size: int, position: int) -> bytes:
        """Read at a position."""
        file = self._file(descriptor)
        return bytes(file.inode.data[position : position + size])

    def ftruncate(self, descriptor: int, size: int) -> None:
        """Cut or extend a file."""
        file = self._file(descriptor)
        file.disk.truncate(file.inode, size)

    def fsync(self, descriptor: int) -> None:
        """Make the data of a file, or the names of a folder, durable."""
        file = self._file(descriptor)
        if file.inode is FOLDER:
            file.disk.sync_names()
        else:
            file.disk.sync(file.inode, self.loop.time())

    fdatasync = fsync

    def fstat(self, descriptor: int) -> SimpleNamespace:
        """Return the size and identity of a file."""
        inode = self._file(descriptor).inode
        return SimpleNamespace(st_size=len(inode.data), st_ino=id(inode), st_dev=1)

    def fstatvfs(self, descriptor: int) -> SimpleNamespace:
        """Return the free space of the disk."""
        room = self._file(descriptor).disk.faults.room
        return SimpleNamespace(f_bavail=ROOM_BYTES if room is None else room, f_frsize=1)

    def access(self, path: object, mode: int) -> bool:
        """Return True: all files are writable."""
        del path, mode
        return True

    def chmod(self, path: object, mode: int) -> None:
        """Do nothing: files have no modes."""

    def fdopen(self, descriptor: int, mode: str) -> "FileWriter":
        """Return a file object for writing."""
        assert mode == "wb"
        return FileWriter(self, descriptor)

    def replace(self, old: object, new: object) -> None:
        """Rename a file."""
        self.step()
        disk, name = self.locate(old)
        target = self.locate(new)[1]
        disk.rename(name, target)
        if name == target + SHRINK_SUFFIX:
            disk.swap = None  # the name of a rewritten log may become durable later
        elif name == target + RESYNC_SUFFIX:
            # A complete copy of the leader's log, synced before, replaces the follower's.
            inode = disk.find(target)
            inode.size_durable_min = len(inode.data)
            disk.swap = LogSwap(inode, self.loop.time())
        if name in (target + RESYNC_SUFFIX, target + SHRINK_SUFFIX):
            CURRENT.get().swapped()

    rename = replace

    def unlink(self, path: object) -> None:
        """Remove a file."""
        self.step()
        disk, name = self.locate(path)
        disk.remove(name)

    remove = unlink

    def flock(self, descriptor: int, operation: int) -> None:
        """Lock a file. Raises BlockingIOError if another open file has the lock."""
        del operation
        file = self._file(descriptor)
        holder = file.inode.lock
        if isinstance(holder, OpenFile) and holder is not file and holder.process.is_alive:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        file.inode.lock = file

    def end_process(self, process: SimulatedProcess) -> None:
        """Close the files of a dead process."""
        for descriptor, file in list(self.files.items()):
            if file.process is process:
                del self.files[descriptor]

    def locate(self, path: object) -> tuple[Disk, str]:
        """Return the disk of a path and the name on it, which is empty for a folder."""
        _, machine, *rest = PurePosixPath(str(path)).parts
        return self.disks[machine], "/".join(rest)

    def _add(self, disk: Disk, inode: Inode, flags: int) -> int:
        self.last_descriptor += 1
        file = OpenFile(CURRENT.get(), disk, inode, appends=bool(flags & os.O_APPEND))
        self.files[self.last_descriptor] = file
        return self.last_descriptor

    def _file(self, descriptor: int) -> OpenFile:
        self.step()
        try:
            return self.files[descriptor]
        except KeyError:
            if not CURRENT.get().is_alive:
                raise CrashedError from None
            raise OSError(errno.EBADF, os.strerror(errno.EBADF)) from None


class FileWriter(io.RawIOBase):
    """A file object for writing."""

    def __init__(self, system: System, descriptor: int) -> None:
        super().__init__()
        self._system = system
        self._descriptor = descriptor

    def write(self, data: object) -> int:
        """Write all bytes."""
        assert isinstance(data, bytes | bytearray | memoryview)
        rest = bytes(data)
        while rest:
            rest = rest[self._system.write(self._descriptor, rest) :]
        return len(data)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def close(self) -> None:
        """Close the file object and its descriptor."""
        if not self.closed:
            super().close()
            self._system.files.pop(self._descriptor, None)


class SimulatedPath(PurePosixPath):
    """A path on a simulated disk: /machine/name."""

    __slots__ = ()
    system: System  # of the running simulation; only one runs at a time

    def mkdir(self, mode: int = 0o777, *, parents: bool = False, exist_ok: bool = False) -> None:
        """Do nothing: all folders exist."""

    def resolve(self, *, strict: bool = False) -> Self:
        """Return the path: there are no symbolic links."""
        del strict
        return self

    def exists(self) -> bool:
        """Whether the file exists."""
        disk, name = self.system.locate(self)
        return not name or name in disk.names

    def read_bytes(self) -> bytes:
        """Return the content of the file."""
        self.system.step()
        disk, name = self.system.locate(self)
        return bytes(disk.find(name).data)

    def rename(self, target: PurePosixPath) -> Self:
        """Rename the file over any file of the new name."""
        self.system.replace(self, target)
        return type(self)(target)

    replace = rename  # on POSIX both overwrite the target

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Remove the file."""
        try:
            self.system.unlink(self)
        except FileNotFoundError:
            if not missing_ok:
                raise
