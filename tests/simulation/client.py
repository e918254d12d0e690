"""Clients on the simulated network, which write and record when each write was acknowledged."""

import asyncio
import contextvars
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.machine import CURRENT, SimulatedProcess
from tests.simulation.network import SimulatedTransport
from tests.simulation.node import Node
from tests.simulation.random_commands import CommandGenerator, Words
from tests.support.resp import Reply, encode_command, parse_reply

# Errors of commands that were not run.
NOT_RUN = (
    "-LOADING",
    "-ERR the log cannot be written: ",
    "-ERR not the leader",
    "-ERR read only",
    "-ERR catching up",
)
UNKNOWN = "-ERR the log cannot be written, the outcome is unknown"
REPLY_SECONDS = 120.0


class ClientConnection(asyncio.Protocol):
    """A connection of a client."""

    def __init__(self) -> None:
        self.transport: SimulatedTransport | None = None
        self.is_over = False
        self._data = b""
        self._position = 0
        self._arrived = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, SimulatedTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Buffer replies."""
        self._data += data
        self._arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake the reader: the connection is closed."""
        del exc
        self.is_over = True
        self._arrived.set()

    async def reply(self) -> "Reply | None":
        """Wait for the next reply; return None at the end of the connection."""
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
        """Send commands in one write."""
        assert self.transport is not None
        self.transport.write(b"".join(map(encode_command, commands)))

    def close(self) -> None:
        """Close the connection."""
        assert self.transport is not None
        self.transport.close()


@dataclass(slots=True, eq=False)
class Write:
    """A write command that a client sent."""

    words: Words
    acknowledged_at: float | None = None


@dataclass(slots=True, eq=False)
class History:
    """The writes of a client to its own keys, in order. No other client touches these keys."""

    writes: list[Write] = field(default_factory=list)

    def add(self, words: Words) -> Write:
        """Add a write that isn't acknowledged yet."""
        self.writes.append(Write(words))
        return self.writes[-1]

    def acknowledged_before(self, moment: float) -> int:
        """Return the number of writes up to the last one acknowledged before a moment."""
        count = 0
        for index, write in enumerate(self.writes):
            if write.acknowledged_at is not None and write.acknowledged_at <= moment:
                count = index + 1
        return count

    def forget_acknowledgements(self) -> None:
        """Forget all acknowledgements: another server leads, which hasn't given them."""
        for write in self.writes:
            write.acknowledged_at = None


class WritingClient:
    """A client that writes to the leader unless it is paused."""

    def __init__(self, name: str, chance: random.Random, leader: Callable[[], Node | None]) -> None:
        self.name = name
        self.process = SimulatedProcess(name)
        self.history = History()
        self.is_paused = False
        self.is_ended = False
        self.is_idle = True
        self.needs_settling = False
        self.meets_restart = False  # whether it has written nothing since its server ended
        self._chance = chance
        self._leader = leader
        self._generator = CommandGenerator(name, chance)
        self._connection: ClientConnection | None = None

    @property
    def context(self) -> contextvars.Context:
        """The context for the task of this client."""
        context = contextvars.copy_context()
        context.run(CURRENT.set, self.process)
        return context

    async def run(self) -> None:
        """Write with random pauses until the end."""
        while not self.is_ended:
            await asyncio.sleep(self._chance.random() * 0.3)
            if self.is_paused or self.needs_settling:
                self.drop()
                continue
            self.is_idle = False
            await self._write()
            self.is_idle = True

    def drop(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()

    @property
    def is_disconnected(self) -> bool:
        """Whether none of the sent bytes can still arrive."""
        connection = self._connection
        if connection is None:
            return True
        return connection.transport is not None and connection.transport.link.is_over

    async def _write(self) -> None:
        node = self._leader()
        if node is None or not node.process.is_alive:
            return
        if self._connection is None or self._connection.is_over:
            if not self.is_disconnected:
                return
            try:
                loop = asyncio.get_running_loop()
                _, self._connection = await loop.create_connection(ClientConnection, *node.address)
            except OSError:
                return
            if self.needs_settling:
                return  # the server has ended meanwhile, and another run accepted the connection
        count = self._chance.choice((1, 1, 2, 5, 20))
        batch = [self.history.add(self._generator.command()) for _ in range(count)]
        self._connection.send(*(write.words for write in batch))
        for write in batch:
            reply = await self._connection.reply()
            if not self.record_reply(write, "" if reply is None else str(reply)):
                self._connection.close()
                return

    def record_reply(self, write: Write, reply: str) -> bool:
        """Record the outcome of a write. Return False if the reply leaves it unknown."""
        if not reply or reply.startswith(UNKNOWN):
            self.needs_settling = True
            return False
        if reply.startswith(NOT_RUN):
            self.history.writes.remove(write)
        else:
            write.acknowledged_at = asyncio.get_running_loop().time()
        return True
