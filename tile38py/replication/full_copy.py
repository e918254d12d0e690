"""A full copy: a leader's log with its data, built beside our own until it replaces them.

The methods of FullCopy run on threads, one call at a time. After a crash our own log is as it was.
"""

import asyncio

from tile38py._engine import Engine, Followed
from tile38py.errors import reason_of
from tile38py.interfaces import Clock
from tile38py.limits import LOAD_CHUNK_BYTES
from tile38py.replication.dependencies import CopyDisk, CopyFile, FollowerDependencies
from tile38py.replication.leader_connection import LeaderError


class DiskError(LeaderError):
    """The copy must be discarded: its file may lack what its data has."""


class FullCopy:
    """A full copy. Without a file, for servers without a log, it is in memory only."""

    def __init__(self, engine: Engine, file: CopyFile | None, clock: Clock) -> None:
        self.engine = engine
        self.file = file
        self.size = 0  # bytes of the leader's log that were run
        self._clock = clock
        self._is_cancelled = False
        engine.begin_recovery([])

    def cancel(self) -> None:
        """End load() at its next chance. Any thread."""
        self._is_cancelled = True

    def load(self) -> None:
        """Run what is in the file, and cut it behind the last complete command."""
        if self.file is None:
            return
        try:
            self._load(self.file)
            self.file.truncate(self.size)
        except OSError as error:
            raise DiskError(reason_of(error).lower()) from error

    def add(self, data: bytes, scanned: int) -> Followed:
        """Run a piece of the leader's stream and append it to the file."""
        followed = self.engine.follow(data, scanned, self._clock.now_ns())
        if self.file is not None and followed.log:
            try:
                self.file.write(followed.log)
            except OSError as error:
                raise DiskError(reason_of(error).lower()) from error
        self.size += len(followed.log)
        return followed

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range of the file."""
        assert self.file is not None
        return self.file.digest(position, size)

    def sync(self) -> None:
        """Sync the file to the disk."""
        if self.file is not None:
            try:
                self.file.sync()
            except OSError as error:
                raise DiskError(reason_of(error).lower()) from error

    def _load(self, file: CopyFile) -> None:
        rest = b""
        while not self._is_cancelled:
            # A command larger than the chunk is parsed again with twice as many bytes.
            data = file.read(self.size + len(rest), max(LOAD_CHUNK_BYTES, len(rest)))
            if not data:
                break
            rest += data
            loaded = self.engine.load(rest, self._clock.now_ns())
            self.size += loaded.consumed
            rest = rest[loaded.consumed :]
            if loaded.error is not None:
                break  # the leader's stream goes on from here and reports the error
        self.engine.take_events()


async def create_copy(dependencies: FollowerDependencies, disk: CopyDisk, prefix: int) -> FullCopy:
    """Create a copy, not loaded, of so many bytes of our own log. Raises DiskError."""
    created: list[CopyFile] = []
    try:
        await dependencies.in_thread(lambda: created.append(disk.create(prefix)))
    except OSError as error:
        raise DiskError(reason_of(error).lower()) from error
    except asyncio.CancelledError:
        # Its lock would prevent every later copy.
        for file in created:
            disk.discard(file)
        raise
    return FullCopy(dependencies.new_engine(), created[0], dependencies.clock)


async def shorten_copy(dependencies: FollowerDependencies, copy: FullCopy, prefix: int) -> FullCopy:
    """Cut a copy's file to so many bytes; return it, not loaded. Raises DiskError."""
    file = copy.file
    assert file is not None
    try:
        await dependencies.in_thread(lambda: file.truncate(prefix))
    except OSError as error:
        raise DiskError(reason_of(error).lower()) from error
    return FullCopy(dependencies.new_engine(), file, dependencies.clock)
