"""Large writes on a fake socket: others go on while a thread parses, order, the log, the end."""

import asyncio

import pytest

from tests.support.bench import Bench, FakeSocket, turn_until
from tests.support.fakes import command
from tile38py.limits import RECEIVED_BYTES_HIGH

PING = command(b"PING")
POINTS = b'{"type":"MultiPoint","coordinates":[[1,2]%b]}' % (b",[3,4]" * 100_000)
SET = command(b"SET", b"fleet", b"a", b"OBJECT", POINTS)
GET = command(b"GET", b"fleet", b"a", b"BOUNDS")
BOUNDS = b"*2\r\n*2\r\n$1\r\n2\r\n$1\r\n1\r\n*2\r\n$1\r\n4\r\n$1\r\n3\r\n"


@pytest.fixture
async def line() -> FakeSocket:
    return FakeSocket(Bench(is_developer=True))


async def test_others_go_on_while_a_large_write_is_parsed(line: FakeSocket) -> None:
    other = FakeSocket(line.bench)
    assert line.send(SET + PING + GET) == b""
    assert other.send(PING + GET) == b"+PONG\r\n$-1\r\n"
    await turn_until(lambda: line.bench.fake_journal.is_dirty)
    assert line.bench.fake_journal.data == SET
    line.bench.fake_journal.flush()
    assert line.transport.taken() == b"+OK\r\n+PONG\r\n" + BOUNDS
    assert other.send(GET) == BOUNDS


async def test_reads_of_others_pass_a_large_group_of_the_log_and_writes_wait(
    line: FakeSocket,
) -> None:
    reader, writer = FakeSocket(line.bench), FakeSocket(line.bench)
    line.send(SET)
    journal = line.bench.fake_journal
    await turn_until(lambda: journal.is_dirty)
    journal.lets_reads_pass = True
    assert reader.send(PING + GET) == b"+PONG\r\n" + BOUNDS
    assert writer.send(command(b"SET", b"fleet", b"b", b"POINT", b"1", b"2")) == b""
    assert writer.send(PING) == b""
    assert line.send(PING) == b""
    journal.flush()
    assert writer.transport.taken() == b"+OK\r\n+PONG\r\n"
    assert line.transport.taken() == b"+OK\r\n+PONG\r\n"


async def test_a_large_request_lets_others_run_as_it_arrives(line: FakeSocket) -> None:
    other = FakeSocket(line.bench)
    piece = SET[:RECEIVED_BYTES_HIGH]
    assert line.send(piece) == b""
    assert not line.transport.reads
    assert other.send(PING) == b"+PONG\r\n"
    await turn_until(lambda: line.transport.reads)
    assert line.send(SET[RECEIVED_BYTES_HIGH:]) == b""
    await turn_until(lambda: line.bench.fake_journal.is_dirty)
    assert line.bench.fake_journal.data == SET


async def test_a_large_write_that_could_not_be_logged_ends_in_an_error(line: FakeSocket) -> None:
    line.send(SET)
    await turn_until(lambda: line.bench.fake_journal.is_dirty)
    line.bench.fake_journal.flush("no space")
    expected = b"-ERR the log cannot be written, the outcome is unknown: no space\r\n"
    assert (line.transport.taken(), line.transport.is_closed) == (expected, True)


async def test_a_large_write_of_a_client_that_leaves_before_it_is_applied_has_no_effect(
    line: FakeSocket,
) -> None:
    other = FakeSocket(line.bench)
    line.send(SET)
    line.connection.connection_lost(None)
    # The thread is the only one of its pool, so the first geometry is parsed when this task runs.
    await asyncio.get_running_loop().run_in_executor(line.pool, int)
    await asyncio.sleep(0)
    assert (line.bench.fake_journal.data, line.transport.taken()) == (b"", b"")
    assert other.send(GET) == b"$-1\r\n"
