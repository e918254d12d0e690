"""What following is given of the server it runs in, and small ways to wait for it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tile38py._engine import Engine
from tile38py.config import Config
from tile38py.config.properties import LEADERAUTH, REPLICA_ANNOUNCE_IP, REPLICA_ANNOUNCE_PORT
from tile38py.gates import Gates
from tile38py.interfaces import Clock, Journal, Router, Tell
from tile38py.interfaces.following import Target
from tile38py.limits import RETRY_SECONDS

Result = TypeVar("Result")


class Stream(Protocol):
    """A connection to a leader. Reading may raise OSError."""

    async def read(self, size_max: int) -> bytes:
        """At least one byte, at most so many; none at the end."""

    def write(self, data: bytes) -> None:
        """Send, as soon as the network takes it."""

    def close(self) -> None:
        """Close after what was written."""


class Dial(Protocol):
    """Opens connections."""

    async def open(self, host: str, port: int) -> Stream:
        """Connect. Raises LinkError with a text for people."""


class Threads(Protocol):
    """Runs what takes long beside the event loop."""

    def run(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Begin on another thread."""


class CopyFile(Protocol):
    """A log's file. Everything may raise OSError."""

    def size(self) -> int:
        """Bytes in the file."""

    def has_room(self) -> bool:
        """Whether it is worth trying to write."""

    def close(self) -> None:
        """Give it back, once all threads are out of it."""

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes from a position on."""

    def write(self, data: bytes) -> None:
        """Append all of it."""

    def truncate(self, size: int) -> None:
        """Cut everything behind a position."""

    def sync(self) -> None:
        """Bring what is written to the disk."""

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range, None if it isn't all there or the file is no more."""


class CopyDisk(Protocol):
    """Where a received log lies until it takes the place of our own. May raise OSError."""

    def log(self) -> CopyFile:
        """The file that is our log at present."""

    def create(self, prefix: int) -> CopyFile:
        """A new one that begins with so many bytes of our own log. Any thread."""

    async def install(self, file: CopyFile, size: int, adopt: Callable[[], None]) -> None:
        """Make it the log and call adopt, with nothing between them; it was synced before."""

    def discard(self, file: CopyFile | None) -> None:
        """Remove it, or what a crash left of one."""


@dataclass(frozen=True, slots=True)
class Us:
    """What a leader is told of us."""

    server_id: str
    password: bytes  # leaderauth, empty if there is none
    port: int
    ip: str  # empty if it is what the leader sees


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The parts of a server that following works with."""

    engine: Engine
    new_engine: Callable[[], Engine]
    clock: Clock
    config: Config
    gates: Gates
    journal: Journal
    router: Router
    dial: Dial
    threads: Threads
    disk: CopyDisk | None  # None if no log is kept
    port: int
    inform: Tell
    complain: Tell
    keep_leader: Callable[[Target | None], None]  # for the next start; may raise CommandError

    def us(self) -> Us:
        """What a leader is told of us, by the settings in force."""
        return Us(
            server_id=self.config.identity.server_id,
            password=self.config.get(LEADERAUTH).encode("utf-8", "surrogateescape"),
            port=self.config.get(REPLICA_ANNOUNCE_PORT) or self.port,
            ip=self.config.get(REPLICA_ANNOUNCE_IP),
        )

    async def in_thread(
        self, work: Callable[[], Result], hurry: Callable[[], None] | None = None
    ) -> Result:
        """What comes of work on a thread. Who is cancelled meanwhile still sees it end, soon."""
        future = self.threads.run(work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if hurry is not None:
                hurry()
            await ended(future)
            raise

    async def written(self) -> None:
        """Wait until the log's file has all that was appended."""
        while self.journal.is_dirty or self.journal.error is not None:
            if self.journal.error is not None:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                turn = Turn()
                self.journal.wait(turn)
                await turn.event.wait()


class Turn:
    """Waits for the log as clients' replies do."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def release(self, replies: bytes, is_last: bool) -> None:
        """The log is written."""
        del replies, is_last
        self.event.set()

    def refuse(self, replies: bytes, reason: str) -> None:
        """It isn't, which the log itself tells, too."""
        del replies, reason
        self.event.set()


async def ended(future: asyncio.Future[Result]) -> None:
    """Wait until a thread's work has ended, come what may; nobody wants its result.

    Who is cancelled meanwhile is so once it has ended.
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
