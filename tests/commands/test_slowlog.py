"""SLOWLOG: what is in it, for how long, and what it tells."""

import json
import threading

import pytest

from tests.support.bench import Bench, FakeSocket, turn_until
from tests.support.fakes import SECOND

EVERYTHING = 0


@pytest.fixture
def watched(bench: Bench) -> Bench:
    """A server where every command is slow."""
    bench.slow_log.configure(microseconds=EVERYTHING, count_max=3)
    return bench


def length(bench: Bench) -> bytes:
    bench.slow_log.configure(microseconds=-1, count_max=3)
    return bench.call("SLOWLOG", "LEN")


def test_commands_of_the_engine_and_of_the_server_are_told(watched: Bench) -> None:
    watched.client.name = b"bob"
    watched.send(b"SET fleet a POINT 1 2\r\nINFO cluster\r\n")
    rows = [(one.number, one.args, one.address, one.name) for one in watched.slow_log.commands]
    assert rows == [
        (1, [b"INFO", b"cluster"], "127.0.0.1:5001", b"bob"),
        (0, [b"SET", b"fleet", b"a", b"POINT", b"1", b"2"], "127.0.0.1:5001", b"bob"),
    ]


def test_get_shows_the_newest_first(watched: Bench) -> None:
    for key in "abcd":
        watched.call("TTL", key, "x")
    watched.slow_log.configure(microseconds=-1, count_max=3)
    reply = watched.call("SLOWLOG", "GET", "2")
    assert reply.startswith(b"*2\r\n*7\r\n:3\r\n:1700000000\r\n:")
    assert b"*3\r\n$3\r\nTTL\r\n$1\r\nd\r\n$1\r\nx\r\n$14\r\n127.0.0.1:5001\r\n$0" in reply
    for words in (("GET",), ("GET", "-1"), ("get", "99")):
        assert watched.call("SLOWLOG", *words).startswith(b"*3\r\n*7\r\n:3\r\n")
    watched.call("OUTPUT", "json")
    reply = watched.call("SLOWLOG", "GET", "1").split(b"\r\n")[1]
    [row] = json.loads(reply)["slowlog"]
    assert (row["id"], row["args"], row["addr"]) == (3, ["TTL", "d", "x"], "127.0.0.1:5001")
    assert row["waited"] == 0 <= row["duration"]


def test_what_others_must_not_see_is_left_out(watched: Bench) -> None:
    watched.call("AUTH", "secret")
    watched.call("CONFIG", "SET", "requirepass", "secret")
    told = [one.args for one in watched.slow_log.commands]
    assert told == [[b"CONFIG SET"], [b"AUTH"]]


def test_long_arguments_are_cut(watched: Bench) -> None:
    watched.call("SET", "fleet", "a", "STRING", "x" * 1000)
    watched.call("INFO", *["y"] * 100)
    server, data = watched.slow_log.commands
    assert data.args[-1] == b"x" * 128 + b"... (872 more bytes)"
    assert (len(server.args), server.args[-1]) == (32, b"... (70 more arguments)")


async def test_waiting_for_a_thread_is_told_apart(watched: Bench) -> None:
    line, gate = FakeSocket(watched), threading.Event()

    def hold_up() -> None:
        gate.wait(10)
        watched.clock.time_ns += 5 * SECOND

    line.pool.submit(hold_up)
    line.send(b"SLEEP 2\r\n")
    gate.set()
    await turn_until(lambda: len(watched.slow_log.commands) == 1)
    [sleep] = watched.slow_log.commands
    assert sleep.args == [b"SLEEP", b"2"]
    assert (sleep.took_ns, sleep.waited_ns) == (2 * SECOND, 5 * SECOND)


def test_quick_commands_are_not_in_it(bench: Bench) -> None:
    bench.send(b"SET fleet a POINT 1 2\r\nGET fleet a\r\nINFO\r\n")
    assert bench.call("SLOWLOG", "LEN") == b":0\r\n"


def test_reset_empties_it_and_numbers_go_on(watched: Bench) -> None:
    watched.call("TTL", "a", "x")
    watched.slow_log.configure(microseconds=-1, count_max=3)
    assert watched.call("SLOWLOG", "RESET") == b"+OK\r\n"
    assert length(watched) == b":0\r\n"
    watched.slow_log.configure(microseconds=EVERYTHING, count_max=3)
    watched.call("TTL", "a", "x")
    assert watched.slow_log.commands[0].number == 1


def test_a_smaller_bound_drops_the_oldest_at_once(watched: Bench) -> None:
    for key in "abc":
        watched.call("TTL", key, "x")
    watched.slow_log.configure(microseconds=-1, count_max=1)
    assert [one.number for one in watched.slow_log.commands] == [2]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("", "wrong number of arguments for 'slowlog' command"),
        ("GET 1 2", "wrong number of arguments for 'slowlog' command"),
        ("LEN x", "wrong number of arguments for 'slowlog' command"),
        ("GET x", "invalid argument 'x'"),
        ("GET -2", "invalid argument '-2'"),
        ("NOPE", "Syntax error, try SLOWLOG (GET [count] | LEN | RESET)"),
    ],
)
def test_bad_arguments(bench: Bench, line: str, error: str) -> None:
    assert bench.call("SLOWLOG", *line.split()) == f"-ERR {error}\r\n".encode()


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("slowlog-log-slower-than", "-1", "-1"),
        ("slowlog-log-slower-than", "", "10000"),
        ("slowlog-max-len", "0", "0"),
        ("slowlog-max-len", "10001", None),
        ("slowlog-max-len", "-1", None),
        ("slowlog-log-slower-than", "1.5", None),
    ],
)
def test_settings(bench: Bench, name: str, value: str, shown: str | None) -> None:
    reply = bench.call("CONFIG", "SET", name, value)
    if shown is None:
        assert reply == f"-ERR Invalid argument '{value}' for CONFIG SET '{name}'\r\n".encode()
    else:
        assert (reply, bench.config.text(name)) == (b"+OK\r\n", shown)
