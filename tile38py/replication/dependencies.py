"""Dependencies of a follower: the network, threads and files as interfaces, the server's objects.

Also the waits that every part of a follower needs.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tile38py._engine import Engine
from tile38py.config import Config
from tile38py.config.properties import (
    LEADERAUTH,
    LEADERUSER,
    REPLICA_ANNOUNCE_IP,
    REPLICA_ANNOUNCE_PORT,
)
from tile38py.gates import Gates
from tile38py.interfaces import Clock, Journal, Router, Tell
from tile38py.interfaces.delivery import NumberedEvents
from tile38py.interfaces.following import LeaderAddress
from tile38py.interfaces.views import ByteData
from tile38py.limits import RETRY_SECONDS

Result = TypeVar("Result")


class ByteStream(Protocol):
    """A connection to a leader. Reading may raise OSError."""

    async def read(self, size_max: int) -> bytes:
        """At least one byte, at most so many; none at the end."""

    def write(self, data: bytes) -> None:
        """Send, as soon as the network takes it."""

    def close(self) -> None:
        """Close after what was written."""


class Connector(Protocol):
    """Opens connections."""

    async def open(self, host: str, port: int) -> ByteStream:
        """Connect. Raises LeaderError with a text for people."""


class Threads(Protocol):
    """Runs long work off the event loop."""

    def run(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Start work on a thread."""


class CopyFile(Protocol):
    """The file of a log or of a copy. Everything may raise OSError."""

    def size(self) -> int:
        """Bytes in the file."""

    def has_room(self) -> bool:
        """Whether the disk has enough free space to try a write."""

    def close(self) -> None:
        """Close the file once no thread uses it."""

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes from a position on."""

    def write(self, data: ByteData) -> None:
        """Append all of the data."""

    def truncate(self, size: int) -> None:
        """Cut everything behind a position."""

    def sync(self) -> None:
        """Sync the file to the disk."""

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range, None if it isn't all there or the file was removed."""


class CopyDisk(Protocol):
    """Files of copies of a leader's log, which may replace our own log. May raise OSError."""

    def log(self) -> CopyFile:
        """The file of our log at present."""

    def create(self, prefix: int) -> CopyFile:
        """A new file that begins with so many bytes of our log. Any thread."""

    async def install(self, file: CopyFile, size: int, adopt: Callable[[], None]) -> None:
        """Make a synced file the log and call adopt, with nothing between the two."""

    def discard(self, file: CopyFile | None) -> None:
        """Remove a file; None: remove one that a crash may have left."""


@dataclass(frozen=True, slots=True)
class FollowerIdentity:
    """How a follower identifies itself to its leader."""

    server_id: str
    password: bytes  # leaderauth; empty: none
    port: int
    ip: str  # empty: the address from which it connects
    user: bytes = b""  # leaderuser; empty: the default one

    @property
    def login(self) -> tuple[bytes, ...]:
        """The request to log in; empty if there is none."""
        if not self.password:
            return ()
        return (b"auth", self.user, self.password) if self.user else (b"auth", self.password)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerDependencies:
    """Dependencies of a follower."""

    engine: Engine
    new_engine: Callable[[], Engine]
    clock: Clock
    config: Config
    gates: Gates
    journal: Journal
    router: Router
    numbered: NumberedEvents
    connector: Connector
    threads: Threads
    disk: CopyDisk | None  # None if no log is kept
    port: Callable[[], int]  # the port at which we listen, by the settings in force
    log_info: Tell
    log_error: Tell
    # Keep the leader in the configuration file for the next start. May raise CommandError.
    keep_leader: Callable[[LeaderAddress | None], None]

    def identity(self) -> FollowerIdentity:
        """Our identity by the settings in force."""
        return FollowerIdentity(
            server_id=self.config.identity.server_id,
            password=self.config.get(LEADERAUTH).encode("utf-8", "surrogateescape"),
            user=self.config.get(LEADERUSER).encode("utf-8", "surrogateescape"),
            port=self.config.get(REPLICA_ANNOUNCE_PORT) or self.port(),
            ip=self.config.get(REPLICA_ANNOUNCE_IP),
        )

    async def in_thread(
        self, work: Callable[[], Result], cancel: Callable[[], None] | None = None
    ) -> Result:
        """Run work on a thread and return its result.

        A cancelled caller still waits for the end of the work, which cancel() should bring about.
        """
        future = self.threads.run(work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if cancel is not None:
                cancel()
            await wait_until_done(future)
            raise

    async def written(self) -> None:
        """Wait until everything that was appended is in the log's file."""
        while self.journal.is_dirty or self.journal.error is not None:
            if self.journal.error is not None:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                waiter = LogWaiter()
                self.journal.wait(waiter)
                await waiter.event.wait()


class LogWaiter:
    """Sets an event when the log is written or failed."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def release(self, replies: ByteData, is_last: bool) -> None:
        """Set the event: the log is written."""
        del replies, is_last
        self.event.set()

    def refuse(self, replies: ByteData, reason: str) -> None:
        """Set the event: the log failed. The journal keeps the error."""
        del replies, reason
        self.event.set()


async def wait_until_done(future: asyncio.Future[Result]) -> None:
    """Wait until work on a thread has ended, whatever its result.

    A cancelled caller waits, too, and is cancelled when the work has ended.
    """
    is_cancelled = False
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            is_cancelled = True
    if not future.cancelled():
        future.exception()
    if is_cancelled:
        raise asyncio.CancelledError
