"""Input of every wrong kind: told to whoever sent it, felt by nobody else, never in the log."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import ServerProcess
from tests.support.resp import encode_command

MEBIBYTE = 1 << 20
ARGUMENT_BYTES_MAX = 512 * MEBIBYTE
DEEP = 100_000
DEEP_JSON = b'{"a":' * DEEP + b"1" + b"}" * DEEP
DEEP_POSITIONS = b'{"type":"Polygon","coordinates":' + b"[" * DEEP + b"]" * DEEP + b"}"
# Tile38 takes these for numbers, and so they have to do no harm.
NON_FINITE = (
    "POINT nan 1",
    "POINT 1 inf",
    "POINT 1 2 -inf",
    "BOUNDS 1 2 nan 4",
    "FIELD f nan POINT 1 2",
)
DEEP_COLLECTION = b'{"type":"GeometryCollection","geometries":[' * DEEP + b"]}" * DEEP

REFUSED = {
    "number beyond all": (b"SET k a POINT 1e999 1", "-ERR invalid argument '1e999'"),
    "text as number": (b"SET k a POINT \xff\xfe 1", "-ERR invalid argument '\udcff\udcfe'"),
    "command of bytes": (b"\xff\xfe", "-ERR unknown command '\udcff\udcfe'"),
    "deep JSON": (b"SET k a OBJECT " + DEEP_JSON, "-ERR invalid data"),
    "deep positions": (b"SET k a OBJECT " + DEEP_POSITIONS, "-ERR invalid data"),
    "deep collection": (b"SET k a OBJECT " + DEEP_COLLECTION, "-ERR invalid data"),
    "deep area": (b"WITHIN k OBJECT " + DEEP_COLLECTION, "-ERR invalid data"),
}
# Each of these ends the connection; what is promised never comes.
BROKEN = {
    "malformed frame": b"PING\r\n*1\r\nPING\r\n",
    "absurd count": b"PING\r\n*9223372036854775807\r\n",
    "absurd length": b"PING\r\n*1\r\n$9223372036854775807\r\n",
    "argument above its bound": b"PING\r\n*1\r\n$%d\r\n" % (ARGUMENT_BYTES_MAX + 1),
    "line without end": b"PING\r\n" + b"SET k a STRING " + b"x" * 100_000,
    "absurd native length": b"PING\r\n$99999999999 PING\r\n",
    "absurd HTTP body": b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    "HTTP head without end": b"GET /PING HTTP/1.1\r\nA: " + b"x" * 100_000,
}


@pytest.fixture
def watched(server: ServerProcess) -> Iterator[ServerProcess]:
    """A server with an object, whose log mustn't grow and that serves others before and after."""
    log = server.data / "appendonly.aof"
    with server.connect() as bystander:
        assert bystander.call("SET", "k", "kept", "POINT", 1, 2) == "+OK"
        before = log.read_bytes()
        yield server
        assert bystander.call("SCAN", "k", "IDS") == [":0", ["$ kept"]]
        assert bystander.call("HEALTHZ") == "+OK"
    assert log.read_bytes() == before
    assert "Traceback" not in server.log()


def peak_bytes(server: ServerProcess) -> int:
    """The most memory that it ever had."""
    for line in Path(f"/proc/{server.process_id}/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def told(connection: socket.socket) -> bytes:
    """What comes until the end."""
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


@pytest.mark.parametrize("name", REFUSED)
def test_what_means_nothing_is_refused(watched: ServerProcess, name: str) -> None:
    line, error = REFUSED[name]
    with socket.create_connection(watched.address, 10) as connection:
        connection.sendall(encode_command(line.split(b" ")) + b"QUIT\r\n")
        reply = error.encode("utf-8", "surrogateescape")
        assert told(connection) == reply + b"\r\n+OK\r\n"


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_the_protocol_ends_the_connection(watched: ServerProcess, name: str) -> None:
    before = peak_bytes(watched)
    with socket.create_connection(watched.address, 10) as connection:
        connection.sendall(BROKEN[name])
        reply = told(connection)
    is_http = b"HTTP" in BROKEN[name]
    assert reply.startswith(b"HTTP/1.1 4" if is_http else b"+PONG\r\n-Protocol error: ") or (
        b"$99999999999 " in BROKEN[name] and reply.startswith(b"+PONG\r\n-Protocol error: ")
    )
    assert peak_bytes(watched) - before < 32 * MEBIBYTE


def test_half_a_command_and_a_hang_up_leave_nothing(watched: ServerProcess) -> None:
    whole = encode_command([b"SET", b"k", b"new", b"POINT", b"1", b"2"])
    for cut in range(1, len(whole)):
        with socket.create_connection(watched.address, 10) as connection:
            connection.sendall(whole[:cut])


def test_the_largest_argument_takes_bounded_memory_and_gives_it_back(
    watched: ServerProcess,
) -> None:
    before = peak_bytes(watched)
    piece = b"x" * MEBIBYTE
    with socket.create_connection(watched.address, 30) as connection, watched.connect() as other:
        connection.sendall(b"*3\r\n$3\r\nGET\r\n$1\r\nk\r\n$%d\r\n" % ARGUMENT_BYTES_MAX)
        for number in range(ARGUMENT_BYTES_MAX // MEBIBYTE):
            connection.sendall(piece)
            if number % 64 == 0:
                assert other.call("GET", "k", "kept", "POINT") == ["$ 1", "$ 2"]
        connection.sendall(b"\r\nQUIT\r\n")
        assert told(connection) == b"$-1\r\n+OK\r\n"
    assert peak_bytes(watched) - before < 3 * ARGUMENT_BYTES_MAX


def test_positions_that_are_no_numbers_do_no_harm(server: ServerProcess) -> None:
    with server.connect() as connection:
        assert connection.call("SET", "k", "kept", "POINT", 1, 2) == "+OK"
        for number, words in enumerate(NON_FINITE):
            assert connection.call("SET", "k", number, *words.split()) == "+OK"
        found = connection.call("WITHIN", "k", "IDS", "BOUNDS", 0, 0, 5, 5)
        assert isinstance(found, list)
        assert "$ kept" in found[1]
        near = connection.call("NEARBY", "k", "LIMIT", 1, "IDS", "POINT", 1, 2)
        assert near[1] in (["$ kept"], ["$ 4"])
        assert connection.call("NEARBY", "k", "IDS", "POINT", 1, 2, "nan")
        live = connection.call("SCAN", "k", "BOUNDS")
    assert server.stop() == 0
    server.start()
    assert server.call("SCAN", "k", "BOUNDS") == live
