"""A copy of a leader's log, with its data, that grows beside our own until it takes their place.

All of it runs on threads, one call at a time. A crash leaves our own log as it was.
"""

from tile38py._engine import Engine, Followed
from tile38py.errors import reason_of
from tile38py.interfaces import Clock
from tile38py.limits import LOAD_CHUNK_BYTES
from tile38py.replication.dependencies import CopyFile
from tile38py.replication.link import LinkError


class DiskError(LinkError):
    """The copy can't be kept: what its data has and its file lacks can't be told."""


class Staging:
    """One copy. Without a file it is in memory only, for servers that keep no log."""

    def __init__(self, engine: Engine, file: CopyFile | None, clock: Clock) -> None:
        self.engine = engine
        self.file = file
        self.size = 0  # bytes of the leader's log that were run
        self._clock = clock
        self._is_cancelled = False

    def cancel(self) -> None:
        """Have load() end soon, from another thread."""
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

    def take(self, data: bytes) -> Followed:
        """Run a piece of the leader's stream and keep it."""
        followed = self.engine.follow(data, self._clock.now_ns())
        if self.file is not None and followed.log:
            try:
                self.file.write(followed.log)
            except OSError as error:
                raise DiskError(reason_of(error).lower()) from error
        self.size += len(followed.log)
        return followed

    def digest(self, position: int, size: int) -> str | None:
        """The sum of a range of the file."""
        assert self.file is not None
        return self.file.digest(position, size)

    def sync(self) -> None:
        """Bring the file to the disk."""
        if self.file is not None:
            try:
                self.file.sync()
            except OSError as error:
                raise DiskError(reason_of(error).lower()) from error

    def _load(self, file: CopyFile) -> None:
        rest = b""
        while not self._is_cancelled:
            # A command larger than the piece is parsed again with twice as much.
            data = file.read(self.size + len(rest), max(LOAD_CHUNK_BYTES, len(rest)))
            if not data:
                break
            rest += data
            loaded = self.engine.load(rest, self._clock.now_ns())
            self.size += loaded.consumed
            rest = rest[loaded.consumed :]
            if loaded.error is not None:
                break  # the leader's stream goes on from here and tells what is wrong
        self.engine.take_events()
