"""What following is given of the server it runs in, and small ways to wait for it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tile38py._engine import Engine
from tile38py.config import Config
from tile38py.config.properties import LEADERAUTH, REPLICA_ANNOUNCE_IP, REPLICA_ANNOUNCE_PORT
from tile38py.following import Target
from tile38py.gates import Gates
from tile38py.interfaces import Broadcaster, Clock, Journal, Tell
from tile38py.limits import RETRY_SECONDS
from tile38py.replication.edges import CopyDisk, Dial, Threads
from tile38py.replication.handshake import Us

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The parts of a server that following works with."""

    engine: Engine
    new_engine: Callable[[], Engine]
    clock: Clock
    config: Config
    gates: Gates
    journal: Journal
    broadcaster: Broadcaster
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
