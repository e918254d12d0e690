"""A simulated network: it delays, splits, stalls, refuses and cuts connections at any byte."""

import asyncio
import contextvars
import errno
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from tests.simulation.loop import SimulatedLoop
from tests.simulation.machine import CURRENT, SimulatedProcess

DELAY_SECONDS = 0.002
SLOW_SECONDS = 0.2
SLOW = 0.02  # share of deliveries that take up to SLOW_SECONDS
SPLIT = 0.2  # share of deliveries of only a part
HIGH_BYTES, LOW_BYTES = 64 * 1024, 16 * 1024
Address = tuple[str, int]
Ending = Callable[["SimulatedTransport"], None]


@dataclass(slots=True, eq=False)
class ListenSocket:
    """A socket that a server binds."""

    address: Address
    family: int = 0

    def getsockname(self) -> Address:
        """Return the address."""
        return self.address

    def setsockopt(self, *_: int) -> None:
        """Ignore the option."""


@dataclass(slots=True, eq=False)
class SimulatedListener:
    """A server that accepts connections."""

    factory: Callable[[], asyncio.Protocol]
    process: SimulatedProcess
    context: contextvars.Context
    network: "Network"
    address: Address

    def close(self) -> None:
        """Stop accepting connections."""
        if self.network.listeners.get(self.address) is self:
            del self.network.listeners[self.address]


@dataclass(slots=True, eq=False)
class Pipe:
    """One direction of a connection."""

    network: "Network"
    source: "SimulatedTransport"
    target: "SimulatedTransport"
    waiting: bytearray = field(default_factory=bytearray)
    ending: Ending | None = None  # called for the target after the last byte
    is_pumping: bool = False

    def put(self, data: bytes) -> None:
        """Send bytes."""
        if self.ending is None:
            self.waiting += data
            self.pump_soon()

    def finish(self, ending: Ending) -> None:
        """End the direction after the waiting bytes."""
        if self.ending is None:
            self.ending = ending
            self.pump_soon()

    def pump_soon(self) -> None:
        """Schedule the next delivery."""
        if not self.is_pumping:
            self.is_pumping = True
            self.network.loop.call_later(
                self.network.delay(), self._pump, context=self.network.context
            )

    def cut(self) -> None:
        """Lose the waiting bytes from a random one on, and end the direction."""
        if self.ending is None:
            chance = self.network.chance
            del self.waiting[chance.randint(0, len(self.waiting)) :]
            self.finish(chance.choice((reset, hang_up)))

    def _pump(self) -> None:
        self.is_pumping = False
        target = self.target
        if self.network.is_stalled(self):
            return  # heal() or let_pass() continues
        if self.waiting:
            if not target.reads or target.is_closing():
                return  # resume_reading() continues
            count = len(self.waiting)
            if self.network.chance.random() < SPLIT:
                count = self.network.chance.randint(1, count)
            piece = bytes(self.waiting[:count])
            del self.waiting[:count]
            target.receive(piece)
            self.source.has_room()
        if self.waiting:
            self.pump_soon()
        elif self.ending is not None and not target.is_over:
            target.run(self.ending, target)


class SimulatedTransport(asyncio.Transport):
    """One end of a connection, as asyncio's protocols see it."""

    def __init__(
        self, process: SimulatedProcess, context: contextvars.Context, link: "SimulatedLink"
    ) -> None:
        super().__init__()
        self.process = process
        self.link = link
        self.protocol: asyncio.Protocol | None = None
        self.reads = True
        self.is_over = False
        self.peer_address: Address = ("", 0)
        self._context = context
        self._is_closing = False
        self._is_full = False
        self._limits = (HIGH_BYTES, LOW_BYTES)

    def run(  # type: ignore[explicit-any] # as call_soon
        self, function: Callable[..., object], *args: object
    ) -> None:
        """Schedule a call in the process of this end."""
        if self.process.is_alive:
            self.link.network.loop.call_soon(function, *args, context=self._context)

    def receive(self, data: bytes) -> None:
        """Pass received bytes to the protocol."""
        assert self.protocol is not None
        if not self.is_over and self.process.is_alive:
            self._context.run(self.protocol.data_received, data)

    def lose(self, error: Exception | None) -> None:
        """Close this end and call connection_lost."""
        if not self.is_over:
            self.is_over = self._is_closing = True
            assert self.protocol is not None
            self.run(self.protocol.connection_lost, error)

    def has_room(self) -> None:
        """Resume the protocol if the write buffer is below its low-water mark."""
        if self._is_full and self.get_write_buffer_size() <= self._limits[1]:
            self._is_full = False
            if not self.is_over:
                assert self.protocol is not None
                self.run(self.protocol.resume_writing)

    @property
    def outgoing(self) -> Pipe:
        """The direction that this end writes to."""
        return self.link.pipe_from(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes; pause the protocol above the high-water mark."""
        self.process.check()
        if self._is_closing:
            return
        self.outgoing.put(bytes(data))
        if not self._is_full and self.get_write_buffer_size() > self._limits[0]:
            self._is_full = True
            assert self.protocol is not None
            self.protocol.pause_writing()

    def close(self) -> None:
        """Close after the bytes that wait."""
        if not self._is_closing:
            self._is_closing = True
            self.outgoing.finish(hang_up)
            self.run(self.lose, None)

    def abort(self) -> None:
        """Close at once and drop the bytes that wait."""
        self._is_closing = True
        self.outgoing.waiting.clear()
        self.outgoing.finish(reset)
        self.run(self.lose, None)

    def is_closing(self) -> bool:
        """Whether this end was closed."""
        return self._is_closing

    def is_reading(self) -> bool:
        """Whether reading isn't paused."""
        return self.reads

    def pause_reading(self) -> None:
        """Pause reading."""
        self.reads = False

    def resume_reading(self) -> None:
        """Resume reading."""
        self.reads = True
        self.link.pipe_to(self).pump_soon()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Replace the protocol."""
        self.protocol = cast("asyncio.Protocol", protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol."""
        assert self.protocol is not None
        return self.protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the high-water and low-water marks."""
        high = HIGH_BYTES if high is None else high
        self._limits = (high, high // 4 if low is None else low)

    def get_write_buffer_size(self) -> int:
        """Return the number of bytes that the other end hasn't received."""
        return len(self.outgoing.waiting)

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return the peer's address, or a socket that ignores options."""
        known = {"peername": self.peer_address, "socket": ListenSocket(self.peer_address)}
        return known.get(name, default)


def reset(end: SimulatedTransport) -> None:
    """Let an end see ECONNRESET."""
    end.lose(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))


def hang_up(end: SimulatedTransport) -> None:
    """Let an end see the end of the stream."""
    if not end.is_over:
        assert end.protocol is not None
        if not end.protocol.eof_received():
            end.close()


class SimulatedLink:
    """A connection between two processes: two ends and two directions."""

    def __init__(
        self, network: "Network", client: SimulatedProcess, server: SimulatedListener
    ) -> None:
        self.network = network
        self.names = frozenset((client.name, server.process.name))
        self.client = SimulatedTransport(client, contextvars.copy_context(), self)
        self.server = SimulatedTransport(server.process, server.context.copy(), self)
        self._there = Pipe(network, self.client, self.server)
        self._back = Pipe(network, self.server, self.client)

    @property
    def ends(self) -> tuple[SimulatedTransport, SimulatedTransport]:
        """Both ends."""
        return self.client, self.server

    @property
    def pipes(self) -> tuple[Pipe, Pipe]:
        """Both directions."""
        return self._there, self._back

    @property
    def is_over(self) -> bool:
        """Whether both ends are closed or their processes dead."""
        return all(end.is_over or not end.process.is_alive for end in self.ends)

    def pipe_from(self, end: SimulatedTransport) -> Pipe:
        """Return the direction that an end writes to."""
        return self._there if end is self.client else self._back

    def pipe_to(self, end: SimulatedTransport) -> Pipe:
        """Return the direction that an end reads from."""
        return self._back if end is self.client else self._there

    def cut(self) -> None:
        """Cut both directions."""
        for pipe in self.pipes:
            pipe.cut()


class Network:
    """All listeners and connections of a simulation."""

    def __init__(self, loop: SimulatedLoop, chance: random.Random) -> None:
        self.loop = loop
        self.chance = chance
        self.context = contextvars.Context()
        self.listeners: dict[Address, SimulatedListener] = {}
        self.links: list[SimulatedLink] = []
        self.stalled: set[frozenset[str]] = set()  # pairs of machines between which nothing passes
        self._ports = 40_000

    def delay(self) -> float:
        """Return a random delay for the next piece."""
        slow = self.chance.random() < SLOW
        return self.chance.random() * (SLOW_SECONDS if slow else DELAY_SECONDS)

    def is_stalled(self, pipe: Pipe) -> bool:
        """Whether the two machines of a direction are stalled."""
        return pipe.source.link.names in self.stalled

    def listen(self, factory: Callable[[], asyncio.Protocol], socket: object) -> SimulatedListener:
        """Accept connections on a socket's address."""
        assert isinstance(socket, ListenSocket)
        context = contextvars.copy_context()
        listener = SimulatedListener(factory, CURRENT.get(), context, self, socket.address)
        self.listeners[socket.address] = listener
        return listener

    async def connect(
        self, factory: Callable[[], asyncio.Protocol], address: Address
    ) -> tuple[SimulatedTransport, asyncio.Protocol]:
        """Connect; wait while the machines are stalled. Raises ConnectionRefusedError."""
        process = CURRENT.get()
        await asyncio.sleep(self.delay())
        listener = self.listeners.get(address)
        if listener is None or not listener.process.is_alive:
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        while frozenset((process.name, listener.process.name)) in self.stalled:  # noqa: ASYNC110
            await asyncio.sleep(SLOW_SECONDS)  # like TCP's repeated SYN
        self.links = [link for link in self.links if not link.is_over]
        link = SimulatedLink(self, process, listener)
        self.links.append(link)
        self._ports += 1
        link.client.peer_address = address
        link.server.peer_address = (f"10.0.1.{process.name.strip('nc')}", self._ports)
        link.server.protocol = listener.context.copy().run(listener.factory)
        link.client.protocol = factory()
        link.server.run(link.server.protocol.connection_made, link.server)
        link.client.protocol.connection_made(link.client)
        return link.client, link.client.protocol

    def end_process(self, process: SimulatedProcess, *, is_told: bool) -> None:
        """Remove the listeners of a dead process; if told, peers see its connections cut."""
        for address, listener in list(self.listeners.items()):
            if listener.process is process:
                del self.listeners[address]
        for link in self.links:
            if any(end.process is process for end in link.ends) and is_told:
                link.cut()

    def between(self, *names: str) -> list[SimulatedLink]:
        """Return the open connections between two machines."""
        return [link for link in self.links if link.names == set(names) and not link.is_over]

    def are_linked(self, client: SimulatedProcess, server: SimulatedProcess) -> bool:
        """Whether there is an open connection from a client process to a server process."""
        return any(
            link.client.process is client and link.server.process is server
            for link in self.links
            if not link.is_over
        )

    def let_pass(self, pair: frozenset[str]) -> None:
        """End the stall of two machines."""
        self.stalled.discard(pair)
        for link in self.links:
            if link.names == pair:
                for pipe in link.pipes:
                    pipe.pump_soon()

    def heal(self) -> None:
        """End all stalls, and cut half-open connections."""
        self.stalled.clear()
        for link in self.links:
            if not all(end.process.is_alive and not end.is_over for end in link.ends):
                link.cut()
            for pipe in link.pipes:
                pipe.pump_soon()
