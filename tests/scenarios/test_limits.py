"""Limits of clients in a real server: whoever exceeds one gets a clear end, others go on."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.scenarios.test_bad_input import peak_bytes, told
from tests.support.process import ServerProcess
from tests.support.resp import encode_command
from tests.support.tls import Authority, TlsServer
from tests.support.waiting import wait_until

MEBIBYTE = 1 << 20
FULL = b"-ERR max number of clients reached\r\n"


@pytest.fixture
def calm(server: ServerProcess) -> Iterator[ServerProcess]:
    """A server that serves another client before, meanwhile and after, in bounded memory."""
    with server.connect() as bystander:
        assert bystander.call("SET", "k", "kept", "POINT", 1, 2) == "+OK"
        before = peak_bytes(server)
        yield server
        assert bystander.call("SCAN", "k", "IDS") == [":0", ["$ kept"]]
        assert peak_bytes(server) - before < 64 * MEBIBYTE
    assert "Traceback" not in server.log()


def figure(server: ServerProcess, name: str) -> int:
    """Return a figure of INFO limits."""
    text = str(server.call("INFO", "limits"))
    return int(text.partition(f"{name}:")[2].partition("\r")[0])


@pytest.mark.parametrize("name", ["maxclients", "maxclients-per-user"])
def test_one_client_too_many_gets_an_error(calm: ServerProcess, name: str) -> None:
    with ExitStack() as stack:
        admin = stack.enter_context(calm.connect())
        assert admin.call("CONFIG", "SET", name, 4) == "+OK"
        clients = [stack.enter_context(calm.connect()) for _ in range(2)]
        assert [client.call("PING") for client in clients] == ["+PONG"] * 2
        with socket.create_connection(calm.address, 10) as rejected:
            assert told(rejected) == FULL
        clients[0].close()
        wait_until(lambda: str(calm.call("PING")) == "+PONG", what="a place")
        assert admin.call("CONFIG", "SET", name, 5) == "+OK"
        assert figure(calm, "rejected_connections") >= 1


def test_handshakes_count_as_clients(tmp_path: Path) -> None:
    with TlsServer(tmp_path, Authority(tmp_path)) as server, ExitStack() as stack:
        admin = stack.enter_context(server.connect())
        assert admin.call("CONFIG", "SET", "maxclients", 3) == "+OK"
        for _ in range(2):
            silent = socket.create_connection(("127.0.0.1", server.tls_port), 10)
            stack.enter_context(silent)
            silent.sendall(b"\x16")
        with (
            socket.create_connection(("127.0.0.1", server.tls_port), 10) as raw,
            pytest.raises((ssl.SSLError, ConnectionError)),
        ):
            server.authority.context().wrap_socket(raw, server_hostname="localhost")
        assert admin.call("PING") == "+PONG"


def test_an_idle_client_is_closed_and_a_subscriber_stays(server: ServerProcess) -> None:
    with server.connect() as subscriber, socket.create_connection(server.address, 20) as idle:
        assert subscriber.call("SUBSCRIBE", "c") == ["$ subscribe", "$ c", ":1"]
        assert server.call("CONFIG", "SET", "timeout", 1) == "+OK"
        assert told(idle) == b""
        assert server.call("CONFIG", "SET", "timeout", 0) == "+OK"
        assert server.call("PUBLISH", "c", "text") == ":1"
        assert subscriber.read() == ["$ message", "$ c", "$ text"]
        assert figure(server, "idle_connections_closed") >= 1


@pytest.mark.parametrize(
    ("begun", "end"),
    [
        (b"*2\r\n$4\r\nECHO\r\n$5\r\nab", b"-ERR request timed out before it was complete\r\n"),
        (b"PIN", b"-ERR request timed out before it was complete\r\n"),
        (b"GET /ping HTTP/1.1\r\nA: ", b"HTTP/1.1 408 Request Timeout\r\n"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", b"HTTP/1.1 408 Request Timeout\r\n"),
    ],
)
def test_a_request_that_does_not_arrive_is_ended(
    calm: ServerProcess, begun: bytes, end: bytes
) -> None:
    assert calm.call("CONFIG", "SET", "request-timeout", 1) == "+OK"
    with socket.create_connection(calm.address, 20) as slow:
        slow.sendall(begun)
        assert told(slow).startswith(end)
    assert figure(calm, "slow_requests_closed") == 1


def test_a_thousand_half_requests_hold_up_nobody(calm: ServerProcess) -> None:
    with ExitStack() as stack:
        slow = [socket.create_connection(calm.address, 20) for _ in range(300)]
        for one in slow:
            stack.enter_context(one)
            one.sendall(b"GET /ping HTTP/1.1\r\nA: b\r\n")
        assert calm.call("PING") == "+PONG"
        assert calm.call("CONFIG", "SET", "request-timeout", 1) == "+OK"
        assert all(told(one).startswith(b"HTTP/1.1 408 ") for one in slow)


def test_a_request_above_the_query_buffer_is_ended(calm: ServerProcess) -> None:
    assert calm.call("CONFIG", "SET", "client-query-buffer-limit", "1mb") == "+OK"
    small = encode_command([b"ECHO", b"x" * 900_000])
    with socket.create_connection(calm.address, 20) as client:
        client.sendall(b"PING\r\n" + small + b"*2\r\n$4\r\nECHO\r\n$2000000\r\nabc")
        received = told(client)
    assert received.startswith(b"+PONG\r\n$900000\r\n")
    assert received.endswith(b"-Protocol error: request above client-query-buffer-limit\r\n")


def test_a_rate_limit_slows_a_pipeline_and_loses_nothing(calm: ServerProcess) -> None:
    count, rate = 600, 400
    with calm.connect() as early:
        assert calm.call("CONFIG", "SET", "requests-per-second-per-user", rate) == "+OK"
        began = time.monotonic()
        rows = [("SET", "fleet", number, "POINT", 1, 2) for number in range(count)]
        assert early.call_many(rows) == ["+OK"] * count
        assert time.monotonic() - began > (count - rate) / rate * 0.8
        assert figure(calm, "rate_limit_pauses") > 0
        assert early.call("CONFIG", "SET", "requests-per-second-per-user", 0) == "+OK"
        began = time.monotonic()
        assert early.call_many(rows * 5) == ["+OK"] * count * 5
        assert time.monotonic() - began < 5
    assert calm.call("DROP", "fleet") == ":1"


def test_a_rate_limit_counts_over_all_connections_http_included(calm: ServerProcess) -> None:
    assert calm.call("CONFIG", "SET", "requests-per-second-per-user", 20) == "+OK"
    began = time.monotonic()
    for _ in range(40):
        with socket.create_connection(calm.address, 20) as client:
            client.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
            assert told(client).endswith(b"}\r\n")
    assert time.monotonic() - began > 0.8
    assert calm.call("CONFIG", "SET", "requests-per-second-per-user", 0) == "+OK"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x04PING", 1002),
        (b"\xc1\x84\0\0\0\0PING", 1002),
        (b"\x81\x84\0\0\0\0\xff\xfe\xfd\xfc", 1007),
        (b"\x82\xff" + (1 << 40).to_bytes(8, "big") + b"\0\0\0\0" + b"x" * (MEBIBYTE + 1), 1009),
    ],
)
def test_a_bad_websocket_frame_ends_its_connection_alone(
    calm: ServerProcess, frame: bytes, code: int
) -> None:
    head = (
        b"GET /SUBSCRIBE+c HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with socket.create_connection(calm.address, 20) as client:
        client.sendall(head)
        assert client.recv(1000).startswith(b"HTTP/1.1 101 ")
        client.sendall(frame)
        assert b"\x88" in (end := told(client))
        assert code.to_bytes(2, "big") in end
