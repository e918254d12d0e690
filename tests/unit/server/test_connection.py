"""Connections on a fake socket: order, the log, long work, slow readers, HTTP, the end."""

import asyncio
import gc

import pytest

from tests.support.bench import Bench, FakeSocket, turn_until
from tests.support.fakes import command
from tile38py.limits import (
    INPUT_BYTES_WAITING_MAX,
    OUTPUT_BYTES_HIGH,
    OUTPUT_BYTES_LOW,
    OUTPUT_BYTES_MAX,
)
from tile38py.server.connection import Connection
from tile38py.server.transports.http import HttpTransport
from tile38py.server.transports.resp import RespTransport

PING = command(b"PING")
SET = command(b"SET", b"fleet", b"a", b"POINT", b"1", b"2")
GET = command(b"GET", b"fleet", b"a", b"POINT")
SLEEP = command(b"SLEEP", b"1")
POINT = b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n"


@pytest.fixture
async def line() -> FakeSocket:
    return FakeSocket(Bench(is_developer=True))


async def until_reading(line: FakeSocket) -> None:
    await turn_until(line.transport.is_reading)


async def test_replies_leave_at_once(line: FakeSocket) -> None:
    assert line.send(PING + GET) == b"+PONG\r\n$-1\r\n"
    assert line.send(PING[:5]) == b""
    assert line.send(PING[5:]) == b"+PONG\r\n"


async def test_replies_to_writes_wait_for_the_log(line: FakeSocket) -> None:
    assert line.send(PING + SET + GET) == b""
    line.bench.fake_journal.flush()
    assert line.transport.taken() == b"+PONG\r\n+OK\r\n" + POINT


async def test_nothing_overtakes_a_write_that_waits(line: FakeSocket) -> None:
    other = FakeSocket(line.bench)
    line.send(SET)
    assert line.send(PING) == b""
    # Another client must not see what isn't in the log.
    assert other.send(GET) == b""
    line.bench.fake_journal.flush()
    assert (line.transport.taken(), other.transport.taken()) == (b"+OK\r\n+PONG\r\n", POINT)


async def test_a_write_that_could_not_be_logged_ends_in_an_error(line: FakeSocket) -> None:
    line.send(SET)
    line.bench.fake_journal.flush("no space")
    expected = b"-ERR the log cannot be written, the outcome is unknown: no space\r\n"
    assert (line.transport.taken(), line.transport.is_closed) == (expected, True)


async def test_what_waits_for_the_log_leaves_in_its_order(line: FakeSocket) -> None:
    line.bench.call("SET", "fleet", "big", "STRING", "x" * (OUTPUT_BYTES_HIGH - OUTPUT_BYTES_LOW))
    line.bench.call("SET", "fleet", "small", "STRING", "y" * (OUTPUT_BYTES_LOW // 2))
    line.send(command(b"GET", b"fleet", b"big"))
    for _ in range(3):
        line.send(command(b"GET", b"fleet", b"small"))
    line.send(PING)  # too much is held by now, so this waits unread
    line.bench.fake_journal.flush()
    assert line.transport.taken().endswith(b"y\r\n+PONG\r\n")


async def test_much_that_is_held_stops_reading(line: FakeSocket) -> None:
    line.bench.call("SET", "fleet", "big", "STRING", "x" * 200_000)
    line.send(SET)
    for _ in range(10):
        line.send(command(b"GET", b"fleet", b"big"))
    assert not line.transport.is_reading()
    assert line.connection._held_bytes > OUTPUT_BYTES_HIGH
    line.bench.fake_journal.flush()
    await until_reading(line)
    assert line.transport.taken().count(b"x" * 200_000) == 10


async def test_a_client_waits_for_its_long_work_only(line: FakeSocket) -> None:
    other = FakeSocket(line.bench)
    assert line.send(PING + SLEEP + PING) == b"+PONG\r\n"
    # It reads on, to notice a client that leaves, and runs nothing of it yet.
    assert line.send(PING) == b""
    assert line.transport.is_reading()
    assert other.send(PING) == b"+PONG\r\n"
    replies: list[bytes] = []

    def is_answered() -> bool:
        replies.append(line.transport.taken())
        return b"".join(replies) == b"+OK\r\n+PONG\r\n+PONG\r\n"

    await turn_until(is_answered)


async def test_what_arrives_in_spite_of_a_pause_is_bounded(line: FakeSocket) -> None:
    line.send(SLEEP)
    for _ in range(2):
        line.connection.data_received(b"x" * INPUT_BYTES_WAITING_MAX)
    assert line.transport.is_aborted


async def test_a_client_that_left_gets_no_result(line: FakeSocket) -> None:
    line.send(SLEEP)
    line.connection.connection_lost(None)
    await asyncio.sleep(0)
    line.pool.shutdown()
    await asyncio.sleep(0)
    assert line.transport.taken() == b""
    assert len(line.bench.clients) == 1


async def test_a_client_that_left_is_not_answered_by_the_log(line: FakeSocket) -> None:
    line.send(SET)
    line.connection.connection_lost(None)
    line.bench.fake_journal.flush()
    assert line.transport.taken() == b""


async def test_a_slow_reader_waits_until_it_has_read(line: FakeSocket) -> None:
    line.connection.pause_writing()
    assert not line.transport.is_reading()
    line.connection.data_received(PING)
    assert line.transport.taken() == b""
    line.connection.resume_writing()
    assert line.transport.is_reading()
    assert line.transport.taken() == b"+PONG\r\n"


async def test_a_flooded_client_is_cut_off(line: FakeSocket) -> None:
    line.send(SLEEP)
    line.connection.pause_writing()
    line.transport.unsent = OUTPUT_BYTES_MAX + 1
    await turn_until(lambda: line.transport.is_aborted)


async def test_many_replies_are_made_in_turns(line: FakeSocket) -> None:
    line.bench.call("SET", "fleet", "big", "STRING", "x" * 100_000)
    count = 50
    line.connection.data_received(command(b"GET", b"fleet", b"big") * count)
    line.bench.fake_journal.flush()
    assert line.transport.taken().count(b"$100000") < count
    assert not line.transport.is_reading()


async def test_why_a_url_is_refused_reaches_the_log(line: FakeSocket) -> None:
    words = (b"SETHOOK", b"h", b"bogus://x", b"NEARBY", b"fleet", b"POINT", b"1", b"1", b"1")
    assert line.call(*words) == b"-ERR invalid argument 'bogus://x'\r\n"
    assert line.bench.log_lines == ["SETHOOK: an endpoint was refused: unknown scheme"]


async def test_a_read_under_monitor_keeps_its_time_slice(line: FakeSocket) -> None:
    monitor = line.bench.new_client()
    line.bench.call("MONITOR", client=monitor)
    monitor.taken()
    assert line.send(GET) == b"$-1\r\n"
    assert line.transport.is_reading()
    line.bench.loop.turn()
    assert b'"GET" "fleet" "a" "POINT"' in monitor.taken()


async def test_quit_closes_after_the_earlier_replies(line: FakeSocket) -> None:
    assert line.send(PING + command(b"QUIT") + PING) == b"+PONG\r\n+OK\r\n"
    assert line.transport.is_closed


async def test_quit_closes_only_after_the_log(line: FakeSocket) -> None:
    line.send(SET + command(b"QUIT"))
    assert not line.transport.is_closed
    line.bench.fake_journal.flush()
    assert (line.transport.taken(), line.transport.is_closed) == (b"+OK\r\n+OK\r\n", True)


async def test_a_protocol_error_closes(line: FakeSocket) -> None:
    assert line.send(PING + b"*-1\r\n").endswith(b"-Protocol error: invalid multibulk length\r\n")
    assert line.transport.is_closed


async def test_a_half_closed_client_gets_its_replies(line: FakeSocket) -> None:
    assert line.connection.eof_received() is False
    other = FakeSocket(line.bench)
    other.send(SET)
    assert other.connection.eof_received() is True
    line.bench.fake_journal.flush()
    assert (other.transport.taken(), other.transport.is_closed) == (b"+OK\r\n", True)


async def test_a_half_closed_client_gets_its_long_reply(line: FakeSocket) -> None:
    line.send(SLEEP)
    assert line.connection.eof_received() is True
    await turn_until(lambda: line.transport.is_closed)
    assert line.transport.taken() == b"+OK\r\n"


async def test_a_killed_client_is_cut_at_once(line: FakeSocket) -> None:
    name = str(line.connection.client_id).encode()
    assert line.send(PING + command(b"CLIENT", b"KILL", b"ID", name) + PING) == b""
    assert line.transport.is_aborted


async def test_strangers_are_turned_away_in_protected_mode() -> None:
    bench = Bench()
    stranger = FakeSocket(bench, address=("10.0.0.1", 5000))
    assert stranger.transport.taken().startswith(b"-DENIED Tile38 is running in protected mode")
    assert stranger.transport.is_closed
    assert len(bench.clients) == 1
    bench.config.set("requirepass", "secret")
    assert not FakeSocket(bench, address=("10.0.0.1", 5000)).transport.is_closed


async def test_one_client_too_many_is_told_so() -> None:
    bench = Bench()
    bench.clients.count_max = 1
    line = FakeSocket(bench)
    assert line.transport.taken() == b"-ERR max number of clients reached\r\n"
    assert line.transport.is_closed


async def test_a_clean_stop_closes_after_the_last_reply(line: FakeSocket) -> None:
    line.send(SET)
    line.connection.finish()
    assert not line.transport.is_closed
    line.bench.fake_journal.flush()
    assert (line.transport.taken(), line.transport.is_closed) == (b"+OK\r\n", True)
    assert line.send(PING) == b""


async def test_nothing_is_run_behind_the_last_reply(line: FakeSocket) -> None:
    line.send(command(b"QUIT"))
    line.connection.data_received(SET)
    assert line.bench.fake_journal.data == b""


@pytest.mark.parametrize("request_bytes", [PING + SLEEP, b"GET /PING HTTP/1.1\r\n\r\n"])
def test_a_lost_connection_is_freed_without_a_search_for_cycles(request_bytes: bytes) -> None:
    async def lose() -> None:
        line = FakeSocket(Bench(is_developer=True))
        line.send(request_bytes)
        line.pool.shutdown()
        line.connection.connection_lost(None)
        for _ in range(3):
            await asyncio.sleep(0)

    def connections() -> list[object]:
        kinds = (Connection, RespTransport, HttpTransport)
        return [one for one in gc.get_objects() if isinstance(one, kinds)]

    gc.collect()
    before = connections()  # other tests may have left some
    gc.disable()
    try:
        asyncio.run(lose())
        assert len(connections()) == len(before)
    finally:
        gc.enable()
