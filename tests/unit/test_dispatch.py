"""The pipeline: order of replies, what is logged, what stops it."""

import errno

import pytest

from tests.support.bench import Bench
from tests.support.fakes import command
from tile38py._engine import Close, Http
from tile38py.commands.registry import COMMANDS
from tile38py.dispatch import BackgroundWork, Dispatcher
from tile38py.limits import OUTPUT_BYTES_HIGH

SET = command(b"SET", b"fleet", b"a", b"POINT", b"1", b"2")


@pytest.fixture
def bench() -> Bench:
    return Bench(is_developer=True)


def test_replies_of_both_sides_keep_their_order(bench: Bench) -> None:
    pipeline = command(b"PING") + command(b"CLIENT", b"GETNAME") + SET + command(b"NOPE")
    assert bench.send(pipeline) == (b"+PONG\r\n$0\r\n\r\n+OK\r\n-ERR unknown command 'NOPE'\r\n")


def test_what_changed_is_logged_as_it_came(bench: Bench) -> None:
    batch = bench.client.session.feed(SET + command(b"CLIENT", b"LIST") + SET, 0)
    result = bench.dispatcher.drive(bench.client, batch)
    assert result.wrote
    assert bench.fake_journal.data == SET * 2


def test_reads_log_nothing(bench: Bench) -> None:
    bench.call("GET", "fleet", "a")
    bench.call("CONFIG", "SET", "keepalive", "1")
    assert bench.fake_journal.data == b""


def test_arity_is_checked_before_the_handler_runs(bench: Bench) -> None:
    assert bench.call("READONLY") == b"-ERR wrong number of arguments for 'readonly' command\r\n"
    assert bench.call("CONFIG", "REWRITE", "x") == (
        b"-ERR wrong number of arguments for 'config' command\r\n"
    )


def test_long_work_is_handed_back(bench: Bench) -> None:
    pipeline = command(b"SLEEP", b"2") + command(b"PING")
    result = bench.dispatcher.drive(bench.client, bench.client.session.feed(pipeline, 0))
    assert isinstance(result.stop, BackgroundWork)
    assert b"".join(result.replies) == b""
    assert result.stop.frame(result.stop.run()) == b"+OK\r\n"
    assert bench.clock.slept == 2


def test_an_error_of_long_work_is_a_reply(bench: Bench) -> None:
    bench.fake_journal.append(b"abc")
    bench.fake_journal.is_readable = False
    assert bench.call("AOFMD5", "0", "3") == b"-EOF\r\n"


def test_a_protocol_error_and_http_end_the_session(bench: Bench) -> None:
    result = bench.dispatcher.drive(bench.client, bench.client.session.feed(b"*-1\r\n", 0))
    assert isinstance(result.stop, Close)
    assert result.stop.message == "Protocol error: invalid multibulk length"
    client = bench.new_client()
    batch = client.session.feed(b"GET /ping HTTP/1.1\r\n", 0)
    assert isinstance(bench.dispatcher.drive(client, batch).stop, Http)


def test_one_turn_makes_only_so_many_replies(bench: Bench) -> None:
    bench.client.name = b"x" * 1000
    count = 3000
    pipeline = command(b"CLIENT", b"LIST") * count
    result = bench.dispatcher.drive(bench.client, bench.client.session.feed(pipeline, 0))
    assert result.has_more
    assert result.size < 2 * OUTPUT_BYTES_HIGH
    assert bench.send(b"").count(b"id=1 ") + b"".join(result.replies).count(b"id=1 ") == count


def test_nothing_more_is_run_for_a_client_that_ended_itself(bench: Bench) -> None:
    batch = bench.client.session.feed(command(b"CLIENT", b"KILL", b"ID", b"1") + SET, 0)
    bench.dispatcher.drive(bench.client, batch)
    assert bench.fake_journal.data == b""


def test_developers_commands_are_unknown_to_others() -> None:
    assert Bench().call("SLEEP", "1") == b"-ERR unknown command 'SLEEP'\r\n"


def test_an_operating_error_of_the_settings_file_is_a_reply(bench: Bench) -> None:
    bench.settings_file.error = OSError(errno.ENOSPC, "x")
    assert bench.call("CONFIG", "REWRITE") == (
        b"-ERR cannot write the configuration file: No space left on device\r\n"
    )


def test_every_command_has_a_summary_and_is_registered_once() -> None:
    assert all(command.record.summary for command in COMMANDS.by_name.values())
    assert isinstance(Bench(is_developer=True).dispatcher, Dispatcher)
