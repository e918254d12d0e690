"""A network: delays, bytes in pieces, connections that stall, are refused or cut at any byte."""

import asyncio
import contextvars
import errno
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from tests.simulation.loop import SimulatedLoop
from tests.simulation.machine import CURRENT, Process

DELAY_SECONDS = 0.002
SLOW_SECONDS = 0.2
SLOW = 0.02  # share of deliveries that take long
PIECES = 0.2  # share of deliveries of only a part
HIGH_BYTES, LOW_BYTES = 64 * 1024, 16 * 1024
Address = tuple[str, int]
Ending = Callable[["End"], None]


@dataclass(slots=True, eq=False)
class ListenSocket:
    """What a server binds."""

    address: Address
    family: int = 0

    def getsockname(self) -> Address:
        """Where it listens."""
        return self.address

    def setsockopt(self, *_: int) -> None:
        """Nothing depends on options."""


@dataclass(slots=True, eq=False)
class Listening:
    """A server that takes connections."""

    factory: Callable[[], asyncio.Protocol]
    process: Process
    context: contextvars.Context
    network: "Network"
    address: Address

    def close(self) -> None:
        """Take no more."""
        if self.network.listeners.get(self.address) is self:
            del self.network.listeners[self.address]


@dataclass(slots=True, eq=False)
class Pipe:
    """One direction of a connection."""

    network: "Network"
    source: "End"
    target: "End"
    waiting: bytearray = field(default_factory=bytearray)
    ending: Ending | None = None  # what the target learns after the last byte
    is_pumping: bool = False

    def put(self, data: bytes) -> None:
        """Send."""
        if self.ending is None:
            self.waiting += data
            self.pump_soon()

    def finish(self, ending: Ending) -> None:
        """Let the target know that this was all."""
        if self.ending is None:
            self.ending = ending
            self.pump_soon()

    def pump_soon(self) -> None:
        """Deliver after a delay."""
        if not self.is_pumping:
            self.is_pumping = True
            self.network.loop.call_later(
                self.network.delay(), self._pump, context=self.network.context
            )

    def cut(self) -> None:
        """Lose what is on the way, from a byte of the seed's choice on."""
        if self.ending is None:
            chance = self.network.chance
            del self.waiting[chance.randint(0, len(self.waiting)) :]
            self.finish(chance.choice((reset, hang_up)))

    def _pump(self) -> None:
        self.is_pumping = False
        target = self.target
        if self.network.is_stalled(self):
            return  # heal() goes on
        if self.waiting:
            if not target.reads or target.is_closing():
                return  # resume_reading() goes on
            count = len(self.waiting)
            if self.network.chance.random() < PIECES:
                count = self.network.chance.randint(1, count)
            piece = bytes(self.waiting[:count])
            del self.waiting[:count]
            target.receive(piece)
            self.source.has_room()
        if self.waiting:
            self.pump_soon()
        elif self.ending is not None and not target.is_over:
            target.run(self.ending, target)


class End(asyncio.Transport):
    """One end of a connection, as its protocol sees it."""

    def __init__(self, process: Process, context: contextvars.Context, link: "Link") -> None:
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
        """Call something that belongs to this end's process."""
        if self.process.is_alive:
            self.link.network.loop.call_soon(function, *args, context=self._context)

    def receive(self, data: bytes) -> None:
        """Bytes arrived."""
        assert self.protocol is not None
        if not self.is_over and self.process.is_alive:
            self._context.run(self.protocol.data_received, data)

    def lose(self, error: Exception | None) -> None:
        """The connection is over for this end."""
        if not self.is_over:
            self.is_over = self._is_closing = True
            assert self.protocol is not None
            self.run(self.protocol.connection_lost, error)

    def has_room(self) -> None:
        """The other end took something."""
        if self._is_full and self.get_write_buffer_size() <= self._limits[1]:
            self._is_full = False
            if not self.is_over:
                assert self.protocol is not None
                self.run(self.protocol.resume_writing)

    @property
    def outgoing(self) -> Pipe:
        """Where this end writes."""
        return self.link.pipe_from(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send."""
        self.process.check()
        if self._is_closing:
            return
        self.outgoing.put(bytes(data))
        if not self._is_full and self.get_write_buffer_size() > self._limits[0]:
            self._is_full = True
            assert self.protocol is not None
            self.protocol.pause_writing()

    def close(self) -> None:
        """Close after what is on the way."""
        if not self._is_closing:
            self._is_closing = True
            self.outgoing.finish(hang_up)
            self.run(self.lose, None)

    def abort(self) -> None:
        """Close at once."""
        self._is_closing = True
        self.outgoing.waiting.clear()
        self.outgoing.finish(reset)
        self.run(self.lose, None)

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._is_closing

    def is_reading(self) -> bool:
        """Whether it isn't paused."""
        return self.reads

    def pause_reading(self) -> None:
        """Deliver nothing more."""
        self.reads = False

    def resume_reading(self) -> None:
        """Deliver again."""
        self.reads = True
        self.link.pipe_to(self).pump_soon()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Change who is told."""
        self.protocol = cast("asyncio.Protocol", protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who is told."""
        assert self.protocol is not None
        return self.protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """When to ask the protocol to pause."""
        high = HIGH_BYTES if high is None else high
        self._limits = (high, high // 4 if low is None else low)

    def get_write_buffer_size(self) -> int:
        """Bytes that the other end didn't take yet."""
        return len(self.outgoing.waiting)

    def get_extra_info(self, name: str, default: object = None) -> object:
        """The other end's address, and a socket on which options can be set."""
        known = {"peername": self.peer_address, "socket": ListenSocket(self.peer_address)}
        return known.get(name, default)


def reset(end: End) -> None:
    """The end finds that the connection was broken."""
    end.lose(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))


def hang_up(end: End) -> None:
    """The end finds that the other sends no more."""
    if not end.is_over:
        assert end.protocol is not None
        if not end.protocol.eof_received():
            end.close()


class Link:
    """A connection."""

    def __init__(self, network: "Network", client: Process, server: Listening) -> None:
        self.network = network
        self.names = frozenset((client.name, server.process.name))
        self.client = End(client, contextvars.copy_context(), self)
        self.server = End(server.process, server.context.copy(), self)
        self._there = Pipe(network, self.client, self.server)
        self._back = Pipe(network, self.server, self.client)

    @property
    def ends(self) -> tuple[End, End]:
        """Both."""
        return self.client, self.server

    @property
    def pipes(self) -> tuple[Pipe, Pipe]:
        """Both directions."""
        return self._there, self._back

    @property
    def is_over(self) -> bool:
        """Whether neither end knows of it any more."""
        return all(end.is_over or not end.process.is_alive for end in self.ends)

    def pipe_from(self, end: End) -> Pipe:
        """Where an end writes."""
        return self._there if end is self.client else self._back

    def pipe_to(self, end: End) -> Pipe:
        """What an end reads."""
        return self._back if end is self.client else self._there

    def cut(self) -> None:
        """Break it."""
        for pipe in self.pipes:
            pipe.cut()


class Network:
    """All connections."""

    def __init__(self, loop: SimulatedLoop, chance: random.Random) -> None:
        self.loop = loop
        self.chance = chance
        self.context = contextvars.Context()
        self.listeners: dict[Address, Listening] = {}
        self.links: list[Link] = []
        self.stalled: set[frozenset[str]] = set()  # pairs of machines without a connection
        self._ports = 40_000

    def delay(self) -> float:
        """How long the next piece takes."""
        slow = self.chance.random() < SLOW
        return self.chance.random() * (SLOW_SECONDS if slow else DELAY_SECONDS)

    def is_stalled(self, pipe: Pipe) -> bool:
        """Whether nothing passes."""
        return pipe.source.link.names in self.stalled

    def listen(self, factory: Callable[[], asyncio.Protocol], socket: object) -> Listening:
        """Take connections."""
        assert isinstance(socket, ListenSocket)
        context = contextvars.copy_context()
        found = Listening(factory, CURRENT.get(), context, self, socket.address)
        self.listeners[socket.address] = found
        return found

    async def connect(
        self, factory: Callable[[], asyncio.Protocol], address: Address
    ) -> tuple[End, asyncio.Protocol]:
        """Connect, or be refused, or wait for ever."""
        process = CURRENT.get()
        await asyncio.sleep(self.delay())
        listener = self.listeners.get(address)
        if listener is None or not listener.process.is_alive:
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        while frozenset((process.name, listener.process.name)) in self.stalled:  # noqa: ASYNC110
            await asyncio.sleep(SLOW_SECONDS)  # as a real one sends again and again
        self.links = [link for link in self.links if not link.is_over]
        link = Link(self, process, listener)
        self.links.append(link)
        self._ports += 1
        link.client.peer_address = address
        link.server.peer_address = (f"10.0.1.{process.name.strip('nc')}", self._ports)
        link.server.protocol = listener.context.copy().run(listener.factory)
        link.client.protocol = factory()
        link.server.run(link.server.protocol.connection_made, link.server)
        link.client.protocol.connection_made(link.client)
        return link.client, link.client.protocol

    def end_process(self, process: Process, *, is_told: bool) -> None:
        """A process died: others may hear of it."""
        for address, listener in list(self.listeners.items()):
            if listener.process is process:
                del self.listeners[address]
        for link in self.links:
            if any(end.process is process for end in link.ends) and is_told:
                link.cut()

    def between(self, *names: str) -> list[Link]:
        """The connections between machines that live."""
        return [link for link in self.links if link.names == set(names) and not link.is_over]

    def are_linked(self, client: Process, server: Process) -> bool:
        """Whether there is a connection from the one to the other."""
        return any(
            link.client.process is client and link.server.process is server
            for link in self.links
            if not link.is_over
        )

    def let_pass(self, pair: frozenset[str]) -> None:
        """End a stall."""
        self.stalled.discard(pair)
        for link in self.links:
            if link.names == pair:
                for pipe in link.pipes:
                    pipe.pump_soon()

    def heal(self) -> None:
        """Everything passes again; connections that half died are noticed."""
        self.stalled.clear()
        for link in self.links:
            if not all(end.process.is_alive and not end.is_over for end in link.ends):
                link.cut()
            for pipe in link.pipes:
                pipe.pump_soon()
