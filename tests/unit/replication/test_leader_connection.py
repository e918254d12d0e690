"""Connections to leaders, and why there is none."""

import asyncio
import socket

import pytest

from tile38py.replication.leader_connection import LeaderError, TcpConnector


@pytest.mark.parametrize(
    ("host", "port", "error"),
    [
        ("127.0.0.1", 65536, "dial tcp: address 65536: invalid port"),
        ("127.0.0.1", -1, "dial tcp: address -1: invalid port"),
        ("a\0b", 1, "dial tcp: lookup a\0b: no such host"),
        ("\udcff", 1, "dial tcp: lookup \udcff: no such host"),
        ("x" * 300, 1, f"dial tcp: lookup {'x' * 300}: no such host"),
    ],
)
async def test_a_place_that_is_none(host: str, port: int, error: str) -> None:
    with pytest.raises(LeaderError) as raised:
        await TcpConnector(lambda: None).open(host, port)
    assert str(raised.value) == error


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(LeaderError) as raised:
            await TcpConnector(lambda: None).open("localhost", port)
    assert str(raised.value) == f"dial tcp 127.0.0.1:{port}: connect: connection refused"


async def test_bytes_go_both_ways() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(4))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    stream = await TcpConnector(lambda: None).open("127.0.0.1", server.sockets[0].getsockname()[1])
    stream.write(b"ping")
    assert await stream.read(100) == b"ping"
    assert await stream.read(100) == b""
    stream.close()
    server.close()
