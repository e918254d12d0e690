"""AOF and AOFMD5 beyond what the golden cases show."""

import pytest

from tests.support.bench import Bench, FakeSocket
from tests.support.fakes import command
from tile38py.persistence.no_log import NoLog


def test_sums_of_ranges(bench: Bench) -> None:
    bench.fake_journal.append(b"abc")
    assert bench.call("AOFMD5", "0", "3") == b"+900150983cd24fb0d6963f7d28e17f72\r\n"
    assert bench.call("AOFMD5", "0", "0") == b"+d41d8cd98f00b204e9800998ecf8427e\r\n"
    assert bench.call("AOFMD5", "3", "0") == b"-EOF\r\n"
    assert bench.call("AOFMD5", "1", "3") == b"-EOF\r\n"


def test_positions_are_integers_from_0_on(bench: Bench) -> None:
    for word in ("-1", "x", "1.0", "", str(2**63)):
        assert bench.call("AOF", word) == f"-ERR invalid argument '{word}'\r\n".encode()


def test_without_a_log_there_is_nothing_to_read() -> None:
    bench = Bench(journal=NoLog())
    assert bench.call("AOF") == b"-ERR aof disabled\r\n"
    assert bench.call("AOFMD5", "0", "0") == b"-EOF\r\n"


SET = command(b"SET", b"fleet", b"a", b"POINT", b"1", b"2")


@pytest.fixture
async def line() -> FakeSocket:
    return FakeSocket(Bench())


def test_a_position_behind_the_end_is_refused(bench: Bench) -> None:
    bench.fake_journal.append(b"abc")
    expected = b"-ERR pos is too big, must be less that the aof_size of leader\r\n"
    assert bench.call("AOF", "4") == expected
    assert bench.call("AOF") == b"-ERR wrong number of arguments for 'aof' command\r\n"
    assert bench.client.listener is None
    assert bench.call("AOF", "3") == b"+OK\r\n"


def test_the_answer_is_the_same_in_json(bench: Bench) -> None:
    bench.call("OUTPUT", "json")
    assert bench.call("AOF", "0") == b"+OK\r\n"


async def test_the_log_is_streamed_behind_the_answer(line: FakeSocket) -> None:
    line.send(SET)
    line.bench.fake_journal.flush()
    line.transport.taken()
    assert line.call(b"AOF", b"0") == b"+OK\r\n"
    line.bench.loop.end_threads()
    assert line.transport.taken() == SET
    line.bench.call("SET", "fleet", "b", "POINT", "1", "2")
    assert line.transport.taken() == b""
    line.bench.fake_journal.flush()
    assert line.transport.taken() == command(b"SET", b"fleet", b"b", b"POINT", b"1", b"2")


async def test_a_write_in_the_same_packet_is_answered_first(line: FakeSocket) -> None:
    assert line.send(SET + command(b"AOF", b"0")) == b""
    line.bench.fake_journal.flush()
    line.bench.loop.end_threads()
    assert line.transport.taken() == b"+OK\r\n+OK\r\n" + SET


@pytest.mark.parametrize(
    "word", [b"*x\r\n", b"PING\r\n", command(b"QUIT"), b"replconf ack x\r\n", b"REPLCONF ack\r\n"]
)
async def test_all_but_an_acknowledgement_ends_a_follower(line: FakeSocket, word: bytes) -> None:
    line.call(b"AOF", b"0")
    assert line.send(word) == b""
    assert line.transport.is_aborted


async def test_a_command_in_the_same_packet_ends_it(line: FakeSocket) -> None:
    assert line.send(command(b"AOF", b"0") + b"PING\r\n") == b""
    assert line.transport.is_aborted


async def test_a_follower_that_sends_no_more_is_gone(line: FakeSocket) -> None:
    line.call(b"AOF", b"0")
    assert not line.connection.eof_received()
    assert line.transport.is_aborted


async def test_only_streams_are_counted(line: FakeSocket) -> None:
    line.call(b"REPLCONF", b"listening-port", b"7")
    assert b"connected_slaves:0" in line.bench.call("INFO", "replication")
    line.call(b"AOF", b"0")
    assert b"connected_slaves:1" in line.bench.call("INFO", "replication")
    assert b"tile38_connected_slaves\r\n$1\r\n1\r\n" in line.bench.call("SERVER", "EXT")
    line.connection.connection_lost(None)
    assert b"connected_slaves:0" in line.bench.call("INFO", "replication")


async def test_http_has_no_stream(line: FakeSocket) -> None:
    reply = line.send(b"GET /AOF+0 HTTP/1.1\r\n\r\n")
    assert b'"err":"AOF needs RESP"' in reply


async def test_messages_of_channels_reach_followers_behind_their_cause(
    line: FakeSocket,
) -> None:
    bench = line.bench
    bench.call("SETCHAN", "c", "NEARBY", "fleet", "FENCE", "POINT", "1", "2", "100")
    bench.fake_journal.flush()
    line.call(b"AOF", b"%d" % bench.fake_journal.size)
    assert bench.call("PUBLISH", "news", "hello") == b":0\r\n"
    assert line.transport.taken() == command(b"PUBLISH", b"news", b"hello")
    bench.send(SET)
    assert line.transport.taken() == b""
    bench.fake_journal.flush()
    sent = line.transport.taken()
    assert sent.startswith(SET + b"*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$")
    assert b'"detect":"enter"' in sent
