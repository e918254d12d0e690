"""Live commands over plain HTTP, with clients as people have them, and one that reads nothing."""

import asyncio
import json
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path

import aiohttp

from tests.support.process import ServerProcess
from tests.support.waiting import wait_until

FENCE = "/nearby+fleet+fence+detect+enter,exit+ids+point+33+-115+5000"
MEBIBYTE = 1 << 20


@contextmanager
def stream(server: ServerProcess, path: str) -> Iterator[HTTPResponse]:
    """A reply that goes on."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as reply:
        yield reply


def line_of(reply: HTTPResponse) -> dict[str, object]:
    """The next line."""
    content: dict[str, object] = json.loads(reply.readline())
    return content


def clients_count(server: ServerProcess) -> int:
    """How many connections there are beside the one that asks."""
    return str(server.call("CLIENT", "LIST")).count("id=") - 1


def test_what_enters_and_leaves_a_fence_is_told_at_once(server: ServerProcess) -> None:
    with server.connect() as writer, stream(server, FENCE) as reply:
        assert line_of(reply) == {"ok": True, "live": True}
        writer.call("SET", "fleet", "truck", "POINT", 33, -115)
        seen = line_of(reply)
        assert (seen["detect"], seen["id"]) == ("enter", "truck")
        writer.call("SET", "fleet", "truck", "POINT", 50, 0)
        seen = line_of(reply)
        assert (seen["detect"], seen["id"]) == ("exit", "truck")


def test_a_fence_is_gone_with_its_client(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, ["-v"]) as server:
        with stream(server, FENCE) as reply:
            line_of(reply)
            assert clients_count(server) == 1
            assert "not live" not in server.log()
        wait_until(lambda: clients_count(server) == 0, what="no client")
        assert "not live" in server.log()


def test_a_clean_stop_is_a_clean_end(server: ServerProcess) -> None:
    with stream(server, "/subscribe+news") as reply:
        line_of(reply)
        server.call("PUBLISH", "news", "the last")
        assert server.stop() == 0
        assert reply.read() == b'"the last"\n'  # raises for a body without its end


def test_messages_of_channels_arrive_in_order(server: ServerProcess) -> None:
    texts = [f'{{"number":{number}}}' for number in range(500)]

    def publish() -> None:
        with server.connect() as publisher:
            for text in texts:
                assert publisher.call("PUBLISH", "news", text) == ":1"

    async def run() -> list[str]:
        async with (
            asyncio.timeout(20),
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{server.port}/psubscribe+n*+x") as reply,
        ):
            assert reply.headers["Access-Control-Allow-Origin"] == "*"
            acknowledged = [json.loads(await reply.content.readline()) for _ in range(2)]
            assert [one["channel"] for one in acknowledged] == ["n*", "x"]
            await asyncio.to_thread(publish)
            return [(await reply.content.readline()).decode().strip() for _ in texts]

    assert asyncio.run(run()) == texts


def test_a_stream_that_nobody_reads_is_cut_and_delays_nobody(tmp_path: Path) -> None:
    with (
        ServerProcess(tmp_path, ["-v"]) as server,
        server.connect() as publisher,
        socket.create_connection(server.address, 10) as slow,
        stream(server, "/subscribe+other") as quick,
    ):
        line_of(quick)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(b"GET /subscribe+news HTTP/1.1\r\nHost: here\r\n\r\n")
        assert slow.recv(1)
        text = b"x" * MEBIBYTE
        counts = [publisher.call("PUBLISH", "news", text) for _ in range(40)]
        assert counts[0] == ":1"
        wait_until(lambda: publisher.call("PUBLISH", "news", b"") == ":0", what="a cut")
        assert "takes no messages, connection cut" in server.log()
        assert publisher.call("PUBLISH", "other", '{"still":"here"}') == ":1"
        assert line_of(quick) == {"still": "here"}
