"""Connections over TCP, and the words for why there is none."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from typing import cast

from tile38py.errors import reason_of
from tile38py.limits import (
    LINK_BUFFER_BYTES,
    LINK_CONNECT_SECONDS_MAX,
    LINK_DEAD_SECONDS_MAX,
    LINK_IDLE_SECONDS,
)
from tile38py.replication.link import LinkError

PORT_MAX = 65535


class TcpStream:
    """A connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, size_max: int) -> bytes:
        """At least one byte, none at the end."""
        return await self._reader.read(size_max)

    def write(self, data: bytes) -> None:
        """Send; requests are small, so nobody need wait."""
        self._writer.write(data)

    def close(self) -> None:
        """Close after what was written."""
        self._writer.close()


class TcpDial:
    """Opens connections that notice when the other machine has vanished."""

    async def open(self, host: str, port: int) -> TcpStream:
        """Connect within the time allowed; the errors read as Tile38's do."""
        if not 0 <= port <= PORT_MAX:
            raise LinkError(f"dial tcp: address {port}: invalid port")
        try:
            async with asyncio.timeout(LINK_CONNECT_SECONDS_MAX):
                return await _connect(host, port)
        except TimeoutError:
            raise LinkError(f"dial tcp {_place(host, port)}: i/o timeout") from None


async def _connect(host: str, port: int) -> TcpStream:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        raise LinkError(f"dial tcp: lookup {host}: no such host") from None
    failure: LinkError | None = None
    for address in _addresses(found):
        try:
            reader, writer = await asyncio.open_connection(address, port, limit=LINK_BUFFER_BYTES)
        except OSError as error:
            reason = reason_of(error).lower()
            text = f"dial tcp {_place(address, port)}: connect: {reason}"
            failure = failure or LinkError(text)
        else:
            _watch(writer)
            return TcpStream(reader, writer)
    raise failure or LinkError(f"dial tcp: lookup {host}: no such host")


def _addresses(found: Sequence[tuple[int, int, int, str, tuple[object, ...]]]) -> Iterator[str]:
    # IPv4 is tried first, as Tile38 does for localhost, and its error is the one that is told.
    for family in (socket.AF_INET, socket.AF_INET6):
        for entry in found:
            if entry[0] == family:
                yield str(entry[4][0])


def _watch(writer: asyncio.StreamWriter) -> None:
    """Have the system find out that the leader's machine is gone: its stream may be silent."""
    connection = cast("socket.socket", writer.get_extra_info("socket"))
    options = {
        "TCP_KEEPIDLE": LINK_IDLE_SECONDS,
        "TCP_KEEPINTVL": LINK_IDLE_SECONDS,
        "TCP_KEEPCNT": LINK_DEAD_SECONDS_MAX // LINK_IDLE_SECONDS,
        "TCP_USER_TIMEOUT": LINK_DEAD_SECONDS_MAX * 1000,
        "TCP_NODELAY": 1,
    }
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in options.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
