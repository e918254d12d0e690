"""A leader of scripted replies, on connections in memory, and all that following needs besides.

Notes every byte that a follower says, connection by connection. The engine and the log are real.
"""

import asyncio
import hashlib
from collections.abc import Callable
from typing import TypeVar

from tests.support.fakes import command
from tile38py.replication.link import LinkError, parse_reply

Result = TypeVar("Result")


class FakeStream:
    """One connection of a follower to a leader."""

    def __init__(self, leader: "FakeLeader") -> None:
        self._leader = leader
        self._incoming = asyncio.Queue[bytes]()
        self._unparsed = b""
        self.said: list[bytes] = []  # requests, their words joined by spaces
        self.is_closed = False
        self.is_streaming = False

    async def read(self, size_max: int) -> bytes:
        """What the leader sent."""
        del size_max
        return await self._incoming.get()

    def write(self, data: bytes) -> None:
        """Let the leader answer."""
        self._unparsed += data
        while (parsed := parse_reply(self._unparsed)) is not None:
            words, end = parsed
            assert isinstance(words, list)
            texts = [word for word in words if isinstance(word, bytes)]
            # Every request is an array of bulk strings.
            assert self._unparsed[:end] == command(*texts)
            self._unparsed = self._unparsed[end:]
            self.said.append(b" ".join(texts))
            reply = self._leader.reply(self, texts)
            if reply is not None:
                self.send(reply)

    def send(self, data: bytes) -> None:
        """The leader sends; nothing means that it closes."""
        self._incoming.put_nowait(data)

    def close(self) -> None:
        """The follower closes."""
        self.is_closed = True
        self.send(b"")


class FakeLeader:
    """Also the dial: every place is this leader's, unless it is another's."""

    def __init__(self, log: bytes = b"") -> None:
        self.log = log
        self.server_id = b"0" * 32
        self.facts: dict[bytes, bytes] = {}
        self.password = b""
        self.replies: dict[bytes, bytes | None] = {}  # other than usual, by command
        self.streams: list[FakeStream] = []
        self.error: LinkError | None = None
        self.others: dict[str, FakeLeader] = {}  # by host
        self.tries: list[float] = []  # when somebody connected, or tried to

    async def open(self, host: str, port: int) -> FakeStream:
        """A new connection."""
        if host in self.others:
            return await self.others[host].open("", port)
        self.tries.append(asyncio.get_running_loop().time())
        if self.error is not None:
            raise self.error
        self.streams.append(FakeStream(self))
        return self.streams[-1]

    def reply(self, stream: FakeStream, words: list[bytes]) -> bytes | None:
        """As Tile38 replies, unless told otherwise."""
        name = words[0]
        if name in self.replies:
            return self.replies[name]
        match words:
            case [b"auth", password]:
                is_right = password == self.password
                return b"+OK\r\n" if is_right else b"-ERR invalid password\r\n"
            case [b"server"]:
                facts = {b"id": self.server_id, b"aof_size": b"%d" % len(self.log), **self.facts}
                return command(*[item for pair in facts.items() for item in pair])
            case [b"aofmd5", start, size]:
                return self._digest(int(start), int(size))
            case [b"aof", position]:
                stream.is_streaming = True
                return b"+OK\r\n" + self.log[int(position) :]
        return b"+OK\r\n"

    def append(self, data: bytes) -> None:
        """More of the log, for all who follow."""
        self.log += data
        self.push(data)

    def push(self, data: bytes) -> None:
        """Send to all who follow what is no part of the log."""
        for stream in self.streams:
            if stream.is_streaming and not stream.is_closed:
                stream.send(data)

    def cut(self) -> None:
        """End all connections."""
        for stream in self.streams:
            stream.send(b"")
            stream.is_streaming = False

    def _digest(self, start: int, size: int) -> bytes:
        part = self.log[start : start + size]
        if len(part) < size:
            return b"-EOF\r\n"
        return b"+%b\r\n" % hashlib.md5(part, usedforsecurity=False).hexdigest().encode()


class LoopThreads:
    """Threads that are none: work is done on the loop, a turn later."""

    def run(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Begin."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()

        def end() -> None:
            try:
                future.set_result(work())
            except OSError as error:
                future.set_exception(error)

        loop.call_soon(end)
        return future


class NoRewriting:
    """Nobody else replaces the log."""

    def cancel(self, then: Callable[[], None]) -> None:
        """Nothing runs."""
        then()
