"""Clients that behave badly: half commands, malformed frames, replies that nobody reads."""

import socket
from pathlib import Path

import pytest

from tests.support.process import ServerProcess
from tests.support.resp import encode_command

MEBIBYTE = 1 << 20
BATCH = encode_command([b"SET", b"fleet", b"a", b"STRING", b"x\r\ny"]) + b"PING\r\n"
BATCH += encode_command([b"GET", b"fleet", b"a"])
REPLIES = b"+OK\r\n+PONG\r\n$4\r\nx\r\ny\r\n"

MALFORMED = {
    "count isn't a number": (b"*x\r\n", b"-Protocol error: invalid multibulk length\r\n"),
    "negative count": (b"*-1\r\n", b"-Protocol error: invalid multibulk length\r\n"),
    "huge count": (b"*99999999999999999999\r\n", b"-Protocol error: invalid multibulk length\r\n"),
    "no bulk": (b"*1\r\n+PING\r\n", b"-Protocol error: expected '$', got '+'\r\n"),
    "length isn't a number": (b"*1\r\n$x\r\n", b"-Protocol error: invalid bulk length\r\n"),
    "negative length": (b"*1\r\n$-5\r\n", b"-Protocol error: invalid bulk length\r\n"),
    "wrong length": (b"*1\r\n$4\r\nPINGPONG\r\n", b"-Protocol error: invalid bulk length\r\n"),
    "open quote": (b'SET "a\r\n', b"-Protocol error: unbalanced quotes in request\r\n"),
}


def receive(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (piece := connection.recv(count - len(data))):
        data += piece
    return data


def resident_bytes(server: ServerProcess) -> int:
    for line in Path(f"/proc/{server.process_id}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def test_a_command_may_come_byte_by_byte(server: ServerProcess) -> None:
    with socket.create_connection(server.address, 10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in BATCH:
            connection.sendall(bytes([byte]))
        assert receive(connection, len(REPLIES)) == REPLIES


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_frame_is_answered_and_ends_the_connection(
    server: ServerProcess, name: str
) -> None:
    frame, error = MALFORMED[name]
    with server.connect() as bystander:
        with socket.create_connection(server.address, 10) as connection:
            connection.sendall(b"PING\r\n" + frame)
            assert receive(connection, 1000) == b"+PONG\r\n" + error
        assert bystander.call("PING") == "+PONG"


def test_a_first_malformed_frame_ends_the_connection_silently(server: ServerProcess) -> None:
    with socket.create_connection(server.address, 10) as connection:
        connection.sendall(b"*-1\r\n")
        assert receive(connection, 1000) == b""


def test_half_commands_hold_up_nobody(server: ServerProcess) -> None:
    halves = [socket.create_connection(server.address, 10) for _ in range(200)]
    try:
        for number, connection in enumerate(halves):
            connection.sendall(BATCH[: 1 + number % (len(BATCH) - 1)])
        with server.connect() as other:
            assert other.call("SET", "fleet", "b", "POINT", 1, 2) == "+OK"
    finally:
        for connection in halves:
            connection.close()
    assert server.call("PING") == "+PONG"


def test_a_promised_length_takes_no_memory(server: ServerProcess) -> None:
    before = resident_bytes(server)
    with socket.create_connection(server.address, 10) as connection:
        connection.sendall(b"*2\r\n$4\r\nPING\r\n$400000000\r\nx")
        assert server.call("PING") == "+PONG"
        assert resident_bytes(server) - before < 32 * MEBIBYTE


def test_a_slow_reader_neither_fills_memory_nor_holds_up_others(server: ServerProcess) -> None:
    count = 2000
    value = b"v" * 100_000
    reply = b"$100000\r\n" + value + b"\r\n"
    with server.connect() as other:
        assert other.call("SET", "big", "a", "STRING", value) == "+OK"
        before = resident_bytes(server)
        with socket.create_connection(server.address, 30) as slow:
            slow.sendall(encode_command([b"GET", b"big", b"a"]) * count)
            for number in range(200):
                assert other.call("SET", "small", number, "POINT", 1, 2) == "+OK"
            assert resident_bytes(server) - before < 64 * MEBIBYTE
            for _ in range(count):
                assert receive(slow, len(reply)) == reply
