"""Clients on the simulated network: they write, and note what was acknowledged and when."""

import asyncio
import contextvars
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.machine import CURRENT, Process
from tests.simulation.network import End
from tests.simulation.node import Node
from tests.simulation.words import Vocabulary, Words
from tests.support.resp import Reply, encode_command, parse_reply

# Errors that say that the command was not run, whatever it was.
NOT_RUN = (
    "-LOADING",
    "-ERR the log cannot be written: ",
    "-ERR not the leader",
    "-ERR read only",
    "-ERR catching up",
)
UNKNOWN = "-ERR the log cannot be written, the outcome is unknown"
REPLY_SECONDS = 120.0


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self.end: End | None = None
        self.is_over = False
        self._data = b""
        self._position = 0
        self._arrived = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start."""
        assert isinstance(transport, End)
        self.end = transport

    def data_received(self, data: bytes) -> None:
        """Take replies."""
        self._data += data
        self._arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        del exc
        self.is_over = True
        self._arrived.set()

    async def reply(self) -> "Reply | None":
        """The next reply, None at the end of the connection."""
        while True:
            parsed = parse_reply(self._data, self._position)
            if parsed is not None:
                reply, self._position = parsed
                return reply
            if self.is_over:
                return None
            self._arrived.clear()
            async with asyncio.timeout(REPLY_SECONDS):
                await self._arrived.wait()

    def send(self, *commands: Words) -> None:
        """Send commands."""
        assert self.end is not None
        self.end.write(b"".join(map(encode_command, commands)))

    def close(self) -> None:
        """Hang up."""
        assert self.end is not None
        self.end.close()


@dataclass(slots=True, eq=False)
class Write:
    """A command that a client sent."""

    words: Words
    acknowledged_at: float | None = None


@dataclass(slots=True, eq=False)
class History:
    """What a client did to its own keys, in order. No other client touches them."""

    writes: list[Write] = field(default_factory=list)

    def add(self, words: Words) -> Write:
        """One more, which nobody acknowledged yet."""
        self.writes.append(Write(words))
        return self.writes[-1]

    def acknowledged_before(self, moment: float) -> int:
        """How many writes have to be there of which one was acknowledged before this."""
        count = 0
        for index, write in enumerate(self.writes):
            if write.acknowledged_at is not None and write.acknowledged_at <= moment:
                count = index + 1
        return count

    def forget_promises(self) -> None:
        """Another server has these writes: it promised nothing, until it does for a later one."""
        for write in self.writes:
            write.acknowledged_at = None


class Client:
    """Writes to the node that leads, until it is told to pause."""

    def __init__(self, name: str, chance: random.Random, leader: Callable[[], Node | None]) -> None:
        self.name = name
        self.process = Process(name)
        self.history = History()
        self.is_paused = False
        self.is_ended = False
        self.is_idle = True
        self.needs_settling = False
        self.meets_restart = False  # whether it wrote nothing since its server ended
        self._chance = chance
        self._leader = leader
        self._vocabulary = Vocabulary(name, chance)
        self._caller: Caller | None = None

    @property
    def context(self) -> contextvars.Context:
        """What its task has to run in."""
        context = contextvars.copy_context()
        context.run(CURRENT.set, self.process)
        return context

    async def run(self) -> None:
        """Write, with pauses."""
        while not self.is_ended:
            await asyncio.sleep(self._chance.random() * 0.3)
            if self.is_paused or self.needs_settling:
                self.drop()
                continue
            self.is_idle = False
            await self._write()
            self.is_idle = True

    def drop(self) -> None:
        """Leave the present server, for good if it is dead."""
        if self._caller is not None:
            self._caller.close()

    @property
    def is_apart(self) -> bool:
        """Whether nothing that it sent can still arrive."""
        caller = self._caller
        return caller is None or (caller.end is not None and caller.end.link.is_over)

    async def _write(self) -> None:
        node = self._leader()
        if node is None or not node.process.is_alive:
            return
        if self._caller is None or self._caller.is_over:
            if not self.is_apart:
                return
            try:
                connecting = asyncio.get_running_loop().create_connection(Caller, *node.address)
                _, self._caller = await connecting
            except OSError:
                return
            if self.needs_settling:
                return  # the server that answers isn't the one that was called
        count = self._chance.choice((1, 1, 2, 5, 20))
        batch = [self.history.add(self._vocabulary.command()) for _ in range(count)]
        self._caller.send(*(write.words for write in batch))
        for write in batch:
            reply = await self._caller.reply()
            if not self.learn(write, "" if reply is None else str(reply)):
                self._caller.close()
                return

    def learn(self, write: Write, reply: str) -> bool:
        """What became of a write, by its reply; whether that says it."""
        if not reply or reply.startswith(UNKNOWN):
            self.needs_settling = True
            return False
        if reply.startswith(NOT_RUN):
            self.history.writes.remove(write)
        else:
            write.acknowledged_at = asyncio.get_running_loop().time()
        return True
