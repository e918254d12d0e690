"""MONITOR: which commands are shown, and how."""

import pytest

from tests.support.bench import Bench
from tests.support.fakes import FakeClient
from tile38py.interfaces import Wire


@pytest.fixture
def monitor(bench: Bench) -> FakeClient:
    client = bench.new_client()
    assert bench.call("MONITOR", client=client) == b"+OK\r\n"
    return client


def seen(bench: Bench, monitor: FakeClient) -> list[str]:
    """The commands that were shown since the last look."""
    bench.fake_journal.flush()
    bench.loop.turn()
    head = "+1700000000.000000 [0 127.0.0.1:5001] "
    lines = monitor.taken().decode().splitlines()
    assert all(line.startswith(head) for line in lines)
    return [line.removeprefix(head) for line in lines]


def test_commands_are_shown_as_typed(bench: Bench, monitor: FakeClient) -> None:
    bench.call("Set", 'k"1', "ié\n", "POINT", "1", "2")
    bench.call("info", "all")
    bench.call("GET", "k", b"\xff")
    assert seen(bench, monitor) == [
        r'"Set" "k\"1" "ié\n" "POINT" "1" "2"',
        '"info" "all"',
        r'"GET" "k" "\xff"',
    ]


def test_failed_commands_are_shown_but_not_wrong_ones(bench: Bench, monitor: FakeClient) -> None:
    for words in ["SET", "k"], ["NOPE"], ["FOLLOW", "x"], ["PUBLISH", "a"], ["PING"]:
        bench.call(*words)
    bench.call("SET", "k", "i", "POINT", "north", "2")
    bench.call("PUBLISH", "a", "b")
    assert seen(bench, monitor) == ['"SET" "k" "i" "POINT" "north" "2"', '"PUBLISH" "a" "b"']


def test_secrets_are_not_shown(bench: Bench, monitor: FakeClient) -> None:
    bench.call("CONFIG", "SET", "requirepass", "secret")
    bench.call("AUTH", "secret")
    bench.call("CONFIG", "SET", "requirepass", "")
    bench.call("FOLLOW", "no", "one")
    bench.call("CLIENT", "LIST")
    assert seen(bench, monitor) == []


def test_anything_the_monitor_says_ends_it(bench: Bench, monitor: FakeClient) -> None:
    assert bench.call("GET", "k", "i", client=monitor) == b""
    assert monitor.is_gone
    other = bench.new_client()
    bench.call("MONITOR", client=other)
    assert bench.call("QUIT", client=other) == b"+OK\r\n"


def test_the_answer_is_the_same_in_json(bench: Bench) -> None:
    bench.call("OUTPUT", "json")
    assert bench.call("MONITOR") == b"+OK\r\n"


def test_websocket_gets_lines_as_messages(bench: Bench) -> None:
    client = bench.new_client(framing="plain")
    client.wire = Wire.WEBSOCKET
    bench.call("MONITOR", client=client)
    bench.call("GET", "k", "i")
    bench.loop.turn()
    assert client.taken() == b'\x81\x33+1700000000.000000 [0 127.0.0.1:5001] "GET" "k" "i"'


@pytest.mark.parametrize("wire", [Wire.HTTP, Wire.CHUNKED_HTTP])
def test_plain_http_is_told_what_it_needs(bench: Bench, wire: Wire) -> None:
    client = bench.new_client(framing="plain")
    client.wire = wire
    assert b'"err":"MONITOR needs WebSocket or RESP"' in bench.call("MONITOR", client=client)
    assert client.listener is None


def test_nothing_is_told_when_nobody_looks(bench: Bench, monitor: FakeClient) -> None:
    assert monitor.listener is not None
    monitor.listener.close()
    assert bench.client.session.feed(b"get k i\r\n", 0).monitored == []


def test_no_arguments_are_taken(bench: Bench) -> None:
    assert b"wrong number of arguments for 'monitor'" in bench.call("MONITOR", "x")
