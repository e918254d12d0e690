"""Connections to a leader: requests and replies, then the leader's log as it grows.

Every wait for a reply has a deadline and every reply a bound: the other end may be no Tile38 at
all. Knows no command.
"""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TypeAlias, cast

from tile38py.errors import reason_of
from tile38py.limits import (
    LEADER_BUFFER_BYTES,
    LEADER_CONNECT_SECONDS_MAX,
    LEADER_DEAD_SECONDS_MAX,
    LEADER_IDLE_SECONDS,
    LEADER_REPLY_BYTES_MAX,
    LEADER_REPLY_COUNT_MAX,
    LEADER_REPLY_SECONDS_MAX,
)
from tile38py.protocol.resp import encode_request
from tile38py.replication.dependencies import ByteStream, Connector

PORT_MAX = 65535
READ_BYTES = 16 * 1024
NESTING_MAX = 2
DIGITS_MAX = 19
SSL_PLACE = re.compile(r"^\[[^]]*\] | \(_ssl\.c:\d+\)$|\.$")
# Words for an error text that says too little.
SSL_REASONS = {"pem lib": "not in PEM, or the password of the key is wrong"}

# A simple string is str, a bulk string bytes.
Value: TypeAlias = str | bytes | int | list["Value"] | None


class LeaderError(Exception):
    """The leader can't be reached, refuses, or sends nonsense; the text says which."""


class LeaderClosedError(LeaderError):
    """The leader closed the connection."""


class RefusalError(LeaderError):
    """The leader replied with an error; the text is the error's."""


class LeaderConnection:
    """A connection to a leader."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._unread = b""
        self._failure: LeaderError | None = None

    async def call(self, *words: bytes, seconds_max: float = LEADER_REPLY_SECONDS_MAX) -> Value:
        """Send a request and return the reply. Raises RefusalError for an error reply."""
        self._stream.write(encode_request(words))
        try:
            async with asyncio.timeout(seconds_max):
                return await self._reply()
        except TimeoutError:
            raise LeaderError("i/o timeout") from None

    async def expect_ok(self, *words: bytes) -> None:
        """Send a request. Raises LeaderError if the reply isn't OK."""
        reply = await self.call(*words)
        if reply != "OK":
            raise LeaderError(f"invalid reply to '{words[0].decode()}'")

    async def read(self, size_max: int) -> bytes:
        """Bytes behind the last reply. Raises LeaderClosedError at the end."""
        if self._unread:
            data, self._unread = self._unread, b""
            return data
        return await self._receive(size_max)

    def unread(self, data: bytes) -> None:
        """Return bytes, to be read again first."""
        self._unread = data + self._unread

    def acknowledge(self, position: int) -> None:
        """Tell the leader that everything before a position of its log was run and logged."""
        self._stream.write(encode_request((b"replconf", b"ack", b"%d" % position)))

    def quit(self) -> None:
        """Send QUIT and close."""
        self._stream.write(encode_request((b"quit",)))
        self._stream.close()

    def fail(self, error: LeaderError) -> None:
        """Close; the pending read and later ones raise the error."""
        self._failure = error
        self._stream.close()

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    async def _reply(self) -> Value:
        while (parsed := parse_reply(self._unread)) is None:
            if len(self._unread) > LEADER_REPLY_BYTES_MAX:
                raise LeaderError("invalid reply")
            self._unread += await self._receive(READ_BYTES)
        value, end = parsed
        self._unread = self._unread[end:]
        if isinstance(value, RefusalError):
            raise value
        return value

    async def _receive(self, size_max: int) -> bytes:
        try:
            data = await self._stream.read(size_max)
        except ssl.SSLError as error:  # such as the leader's refusal of our certificate
            raise LeaderError(f"tls: {tls_reason(error)}") from error
        except OSError as error:
            raise LeaderError(f"read: {reason_of(error).lower()}") from error
        if self._failure is not None:
            raise self._failure
        if not data:
            raise LeaderClosedError("EOF")
        return data


@contextlib.asynccontextmanager
async def open_leader_connection(
    connector: Connector, host: str, port: int
) -> AsyncIterator[LeaderConnection]:
    """Open a connection for the length of a block."""
    connection = LeaderConnection(await connector.open(host, port))
    try:
        yield connection
    finally:
        connection.close()


def parse_reply(
    data: bytes, position: int = 0, depth: int = 0
) -> tuple[Value | RefusalError, int] | None:
    """Parse a reply; return it and its end, None if it is incomplete. Raises LeaderError."""
    end = data.find(b"\r\n", position)
    if end < 0:
        if len(data) > position and data[position : position + 1] not in b"+-:$*":
            raise LeaderError("invalid reply")
        return None
    kind, text = data[position : position + 1], data[position + 1 : end]
    match kind:
        case b"+":
            return text.decode("utf-8", "replace"), end + 2
        case b"-":
            return RefusalError(text.decode("utf-8", "replace")), end + 2
        case b":":
            return _number(text, least=-(2**63)), end + 2
        case b"$":
            return _bulk(data, end + 2, _number(text))
        case b"*" if depth < NESTING_MAX:
            return _array(data, end + 2, _number(text), depth)
    raise LeaderError("invalid reply")


def _number(text: bytes, least: int = -1) -> int:
    digits = text.removeprefix(b"-")
    if not digits.isdigit() or len(digits) > DIGITS_MAX or int(text) < least:
        raise LeaderError("invalid reply")
    return int(text)


def _bulk(data: bytes, start: int, size: int) -> tuple[Value, int] | None:
    if size < 0:
        return None, start
    if size > LEADER_REPLY_BYTES_MAX:
        raise LeaderError("invalid reply")
    end = start + size
    return (data[start:end], end + 2) if len(data) >= end + 2 else None


def _array(data: bytes, position: int, count: int, depth: int) -> tuple[Value, int] | None:
    if count > LEADER_REPLY_COUNT_MAX:
        raise LeaderError("invalid reply")
    values: list[Value] = []
    for _ in range(count):
        parsed = parse_reply(data, position, depth + 1)
        if parsed is None:
            return None
        value, position = parsed
        values.append(str(value) if isinstance(value, RefusalError) else value)
    return values, position


class TcpStream:
    """A TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, size_max: int) -> bytes:
        """At least one byte, none at the end."""
        return await self._reader.read(size_max)

    def write(self, data: bytes) -> None:
        """Send. Requests are small, so there is no need to wait for the write buffer."""
        self._writer.write(data)

    def close(self) -> None:
        """Close after what was written."""
        self._writer.close()


class TcpConnector:
    """Opens TCP connections with keep-alive, which detects a vanished machine."""

    def __init__(self, tls: Callable[[], ssl.SSLContext | None]) -> None:
        """Use the TLS context that a function returns at the time; None: no TLS."""
        self._tls = tls

    async def open(self, host: str, port: int) -> TcpStream:
        """Connect within LEADER_CONNECT_SECONDS_MAX. Errors have Tile38's texts."""
        if not 0 <= port <= PORT_MAX:
            raise LeaderError(f"dial tcp: address {port}: invalid port")
        try:
            async with asyncio.timeout(LEADER_CONNECT_SECONDS_MAX):
                return await _connect(host, port, self._tls())
        except TimeoutError:
            raise LeaderError(f"dial tcp {_address(host, port)}: i/o timeout") from None


async def _connect(host: str, port: int, tls: ssl.SSLContext | None) -> TcpStream:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        raise LeaderError(f"dial tcp: lookup {host}: no such host") from None
    failure: LeaderError | None = None
    for address in _addresses(found):
        try:
            reader, writer = await asyncio.open_connection(
                address, port, limit=LEADER_BUFFER_BYTES, ssl=tls
            )
        except ssl.SSLError as error:
            failure = failure or LeaderError(f"tls {_address(address, port)}: {tls_reason(error)}")
        except OSError as error:
            reason = reason_of(error).lower()
            text = f"dial tcp {_address(address, port)}: connect: {reason}"
            failure = failure or LeaderError(text)
        else:
            _keep_alive(writer)
            return TcpStream(reader, writer)
    raise failure or LeaderError(f"dial tcp: lookup {host}: no such host")


def tls_reason(error: ssl.SSLError) -> str:
    """Return an error of OpenSSL in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    # Some errors have no reason, but a text such as `[SSL] PEM lib (_ssl.c:3926)`.
    text: str = getattr(error, "reason", None) or str(error.args[-1])
    plain = SSL_PLACE.sub("", text).replace("_", " ").lower()
    return SSL_REASONS.get(plain, plain)


def _addresses(found: Sequence[tuple[int, int, int, str, tuple[object, ...]]]) -> Iterator[str]:
    # IPv4 is tried first, as Tile38 does for localhost, and its error is the one reported.
    for family in (socket.AF_INET, socket.AF_INET6):
        for entry in found:
            if entry[0] == family:
                yield str(entry[4][0])


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Have the system detect that the leader's machine is gone: a healthy stream may be silent."""
    connection = cast("socket.socket", writer.get_extra_info("socket"))
    options = {
        "TCP_KEEPIDLE": LEADER_IDLE_SECONDS,
        "TCP_KEEPINTVL": LEADER_IDLE_SECONDS,
        "TCP_KEEPCNT": LEADER_DEAD_SECONDS_MAX // LEADER_IDLE_SECONDS,
        "TCP_USER_TIMEOUT": LEADER_DEAD_SECONDS_MAX * 1000,
        "TCP_NODELAY": 1,
    }
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in options.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
