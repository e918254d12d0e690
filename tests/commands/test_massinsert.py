"""MASSINSERT, which exists under --dev only."""

import pytest

from tests.support.bench import Bench, FakeSocket, turn_until
from tests.support.fakes import command
from tile38py._engine import HookEvent
from tile38py.limits import SLICE_COMMANDS_COUNT_MAX


def test_objects_of_all_kinds_are_made_and_logged(bench: Bench) -> None:
    assert bench.call("MASSINSERT", "2", "9") == b"+OK\r\n"
    assert bench.log_lines == ["massinsert: done 18 objects"]
    assert bench.call("KEYS", "*") == b"*2\r\n$4\r\nmi:0\r\n$4\r\nmi:1\r\n"
    assert bench.call("SCAN", "mi:1", "COUNT") == b":9\r\n"
    assert bench.call("GET", "mi:0", "8") == b"$4\r\nstr8\r\n"
    assert bench.call("FGET", "mi:0", "1", "fname:12") == b"$12\r\n123.12312301\r\n"
    assert bench.fake_journal.data.count(b"$3\r\nSET\r\n") == 18


def test_points_lie_in_the_box_and_some_expire(bench: Bench) -> None:
    bench.call("MASSINSERT", "1", "200", "10", "20", "11", "21")
    assert bench.call("WITHIN", "mi:0", "COUNT", "BOUNDS", "10", "20", "11", "21") == b":175\r\n"
    lasting = [bench.call("TTL", "mi:0", str(n)) for n in range(200)].count(b":-1\r\n")
    assert 50 < lasting < 150


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("1", "wrong number of arguments for 'massinsert' command"),
        ("1 1 1", "wrong number of arguments for 'massinsert' command"),
        ("x 1", "invalid argument 'x'"),
        ("1 -1", "invalid argument '-1'"),
        ("10000 10000", "invalid argument '10000'"),
        ("1 1 1 2 3 x", 'strconv.ParseFloat: parsing "x": invalid syntax'),
    ],
)
def test_bad_arguments(bench: Bench, line: str, error: str) -> None:
    assert bench.call("MASSINSERT", *line.split()) == f"-ERR {error}\r\n".encode()
    assert bench.call("KEYS", "*") == b"*0\r\n"


def test_it_is_a_write(bench: Bench) -> None:
    bench.gates.is_read_only = True
    bench.gates.apply()
    assert bench.call("MASSINSERT", "1", "1") == b"-ERR read only\r\n"
    assert bench.fake_journal.data == b""


async def test_others_are_served_and_messages_leave_while_it_runs(bench: Bench) -> None:
    fence = ("WITHIN", "mi:0", "FENCE", "BOUNDS", "-90", "-180", "90", "180")
    assert bench.call("SETHOOK", "h", "http://x", *fence) == b":1\r\n"
    bench.fake_journal.flush()
    line, other = FakeSocket(bench), FakeSocket(bench)
    count = 10 * SLICE_COMMANDS_COUNT_MAX
    # What stands behind it in the pipeline has to wait.
    assert line.send(command(b"MASSINSERT", b"1", b"%d" % count) + command(b"PING")) == b""
    bench.fake_journal.flush()
    events = sum(isinstance(event, HookEvent) for event in bench.hooks.taken)
    assert 0 < events < 2 * SLICE_COMMANDS_COUNT_MAX
    assert other.call(b"SCAN", b"mi:0", b"COUNT") == b":%d\r\n" % SLICE_COMMANDS_COUNT_MAX
    assert other.call(b"PING") == b"+PONG\r\n"
    await turn_until(lambda: bench.log_lines != [])
    bench.fake_journal.flush()
    assert line.transport.taken() == b"+OK\r\n+PONG\r\n"
    assert other.call(b"SCAN", b"mi:0", b"COUNT") == b":%d\r\n" % count


async def test_it_ends_in_an_error_when_the_log_takes_no_more(bench: Bench) -> None:
    line = FakeSocket(bench)
    assert line.call(b"MASSINSERT", b"1", b"%d" % (3 * SLICE_COMMANDS_COUNT_MAX)) == b""
    bench.fake_journal.flush("no space")
    assert b"no space" in line.transport.taken()
    await turn_until(lambda: bench.log_lines != [])
    bench.fake_journal.flush()
    assert line.transport.taken() == b""
