"""A leader with scripted replies on connections in memory, and fakes of a follower's dependencies.

Records the requests of each connection. The engine and the log are real.
"""

import asyncio
import hashlib
from collections.abc import Callable
from typing import TypeVar

from tests.support.fakes import command
from tile38py.replication.leader_connection import LeaderError, parse_reply

Result = TypeVar("Result")


class FakeStream:
    """A connection of a follower to a fake leader."""

    def __init__(self, leader: "FakeLeader") -> None:
        self._leader = leader
        self._incoming = asyncio.Queue[bytes]()
        self._unparsed = b""
        self.requests: list[bytes] = []  # the words of each joined by spaces
        self.is_closed = False
        self.is_streaming = False

    async def read(self, size_max: int) -> bytes:
        """Wait for bytes from the leader."""
        del size_max
        return await self._incoming.get()

    def write(self, data: bytes) -> None:
        """Send requests; the leader replies at once."""
        self._unparsed += data
        while (parsed := parse_reply(self._unparsed)) is not None:
            words, end = parsed
            assert isinstance(words, list)
            texts = [word for word in words if isinstance(word, bytes)]
            # Every request is an array of bulk strings.
            assert self._unparsed[:end] == command(*texts)
            self._unparsed = self._unparsed[end:]
            self.requests.append(b" ".join(texts))
            reply = self._leader.reply(self, texts)
            if reply is not None:
                self.send(reply)

    def send(self, data: bytes) -> None:
        """Send bytes to the follower; empty bytes close the connection."""
        self._incoming.put_nowait(data)

    def close(self) -> None:
        """Close the connection from the follower's side."""
        self.is_closed = True
        self.send(b"")


class FakeLeader:
    """A leader, and the connector to it: all addresses are its own, except those in `others`."""

    def __init__(self, log: bytes = b"") -> None:
        self.log = log
        self.server_id = b"0" * 32
        self.facts: dict[bytes, bytes] = {}
        self.password = b""
        self.replies: dict[bytes, bytes | None] = {}  # in place of the usual ones, by command
        self.streams: list[FakeStream] = []
        self.acknowledged: list[int] | None = None  # what it was told; a Tile38 refuses to be
        self.error: LeaderError | None = None
        self.others: dict[str, FakeLeader] = {}  # by host
        self.tries: list[float] = []  # times of all attempts to connect

    async def open(self, host: str, port: int) -> FakeStream:
        """Open a connection. Raises the error that a test sets."""
        if host in self.others:
            return await self.others[host].open("", port)
        self.tries.append(asyncio.get_running_loop().time())
        if self.error is not None:
            raise self.error
        self.streams.append(FakeStream(self))
        return self.streams[-1]

    def reply(self, stream: FakeStream, words: list[bytes]) -> bytes | None:
        """Return a scripted reply, or else Tile38's. None: no reply."""
        if words[0] in self.replies:
            return self.replies[words[0]]
        return self._tile38_reply(stream, words)

    def _tile38_reply(self, stream: FakeStream, words: list[bytes]) -> bytes | None:
        match words:
            case [b"auth", password]:
                is_right = password == self.password
                return b"+OK\r\n" if is_right else b"-ERR invalid password\r\n"
            case [b"server"]:
                facts = {b"id": self.server_id, b"aof_size": b"%d" % len(self.log), **self.facts}
                return command(*[item for pair in facts.items() for item in pair])
            case [b"aofmd5", start, size]:
                return self._digest(int(start), int(size))
            case [b"replconf", b"ack", position]:
                return self._take_acknowledgement(stream, int(position))
            case [b"aof", position]:
                stream.is_streaming = True
                return b"+OK\r\n" + self.log[int(position) :]
        return b"+OK\r\n"

    def _take_acknowledgement(self, stream: FakeStream, position: int) -> bytes | None:
        if self.acknowledged is None:
            return b"-ERR cannot find follower\r\n"
        if not stream.is_streaming:
            return b"+OK\r\n"
        self.acknowledged.append(position)
        return None

    def append(self, data: bytes) -> None:
        """Append to the log, and stream it to all followers."""
        self.log += data
        self.push(data)

    def push(self, data: bytes) -> None:
        """Send bytes to all followers without appending them to the log."""
        for stream in self.streams:
            if stream.is_streaming and not stream.is_closed:
                stream.send(data)

    def cut(self) -> None:
        """Close all connections."""
        for stream in self.streams:
            stream.send(b"")
            stream.is_streaming = False

    def _digest(self, start: int, size: int) -> bytes:
        part = self.log[start : start + size]
        if len(part) < size:
            return b"-EOF\r\n"
        return b"+%b\r\n" % hashlib.md5(part, usedforsecurity=False).hexdigest().encode()


class LoopThreads:
    """A fake thread pool: work runs on the event loop, one iteration later."""

    def run(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Submit work."""
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
    """A shrinker that never rewrites the log."""

    def cancel(self, then: Callable[[], None]) -> None:
        """Call back at once: no rewrite runs."""
        then()
