"""MULTI, EXEC, DISCARD, WATCH and UNWATCH."""

import pytest

from tests.support.bench import Bench

QUEUED = b"+QUEUED\r\n"
ABORT = b"-EXECABORT Transaction discarded because of previous errors.\r\n"
NOT_ALLOWED = b"-ERR Command not allowed inside a transaction\r\n"


def test_queued_commands_run_at_exec(bench: Bench) -> None:
    assert bench.call("MULTI") == b"+OK\r\n"
    assert bench.call("SET", "k", "i", "POINT", "1", "2") == QUEUED
    assert bench.call("GET", "k", "i", "POINT") == QUEUED
    assert bench.call("TTL", "k", "none") == QUEUED
    assert bench.engine.statistics()["num_objects"] == 0
    assert bench.fake_journal.data == b""
    assert bench.call("EXEC") == b"*3\r\n+OK\r\n*2\r\n$1\r\n1\r\n$1\r\n2\r\n:-2\r\n"
    assert bench.fake_journal.data.count(b"SET") == 1
    assert bench.call("GET", "k", "none") == b"$-1\r\n"


def test_commands_of_the_server_run_in_their_place(bench: Bench) -> None:
    words = (
        b"MULTI\r\nSET k i POINT 1 2\r\nDBSIZE\r\nSET k j POINT 1 2\r\nDBSIZE\r\nEXEC\r\nPING\r\n"
    )
    replies = bench.send(words)
    assert replies == b"+OK\r\n" + 4 * QUEUED + b"*4\r\n+OK\r\n:1\r\n+OK\r\n:2\r\n+PONG\r\n"
    assert not bench.client.session.in_transaction


def test_an_error_in_exec_stops_no_other_command(bench: Bench) -> None:
    bench.send(b"MULTI\r\nRENAME none other\r\nSET k i POINT 1 2\r\n")
    assert bench.call("EXEC") == b"*2\r\n-ERR key not found\r\n+OK\r\n"


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        (("NOPE",), b"-ERR unknown command 'NOPE'\r\n"),
        (("SET", "k"), b"-ERR wrong number of arguments for 'set' command\r\n"),
        (("CONFIG GET",), b"-ERR wrong number of arguments for 'config get' command\r\n"),
        (("SUBSCRIBE", "a"), NOT_ALLOWED),
        (("UNSUBSCRIBE",), NOT_ALLOWED),
        (("MONITOR",), NOT_ALLOWED),
        (("AOF", "0"), NOT_ALLOWED),
        (("FOLLOW", "no", "one"), NOT_ALLOWED),
        (("HELLO", "3"), NOT_ALLOWED),
        (("HOOKSTATS",), NOT_ALLOWED),
    ],
)
def test_what_cannot_be_queued_makes_exec_refuse_all(
    bench: Bench, words: tuple[str, ...], reply: bytes
) -> None:
    bench.call("MULTI")
    assert bench.call("SET", "k", "i", "POINT", "1", "2") == QUEUED
    assert bench.call(*words) == reply
    assert bench.call("EXEC") == ABORT
    assert bench.call("DBSIZE") == b":0\r\n"


def test_a_live_fence_fails_within_exec(bench: Bench) -> None:
    bench.send(b"MULTI\r\nNEARBY k FENCE POINT 1 2 3\r\nDBSIZE\r\n")
    assert bench.call("EXEC") == b"*2\r\n-ERR FENCE is not allowed inside a transaction\r\n:0\r\n"
    assert bench.client.listener is None


def test_discard_forgets_the_commands(bench: Bench) -> None:
    assert bench.call("DISCARD") == b"-ERR DISCARD without MULTI\r\n"
    bench.send(b"MULTI\r\nSET k i POINT 1 2\r\n")
    assert bench.call("DISCARD") == b"+OK\r\n"
    assert bench.call("EXEC") == b"-ERR EXEC without MULTI\r\n"
    assert bench.call("DBSIZE") == b":0\r\n"


def test_multi_is_not_nested_and_goes_on(bench: Bench) -> None:
    bench.call("MULTI")
    assert bench.call("MULTI") == b"-ERR MULTI calls can not be nested\r\n"
    assert bench.call("WATCH", "k") == b"-ERR WATCH inside MULTI is not allowed\r\n"
    assert bench.call("DBSIZE") == QUEUED
    assert bench.call("EXEC") == b"*1\r\n:0\r\n"
    assert bench.call("MULTI", "now").startswith(b"-ERR wrong number of arguments for 'multi'")


@pytest.mark.parametrize(
    ("change", "is_run"),
    [
        ("SET k j POINT 1 2", False),
        ("FSET k i speed 5", False),
        ("DEL k i", False),
        ("DROP k", False),
        ("FLUSHDB", False),
        ("RENAME k other", False),
        ("SET other i POINT 1 2", True),
        ("GET k i", True),
    ],
)
def test_exec_runs_only_if_the_watched_keys_are_unchanged(
    bench: Bench, change: str, is_run: bool
) -> None:
    other = bench.new_client()
    bench.call("SET", "k", "i", "POINT", "1", "2")
    assert bench.call("WATCH", "k", "none") == b"+OK\r\n"
    bench.call(*change.split(), client=other)
    bench.send(b"MULTI\r\nPING\r\n")
    assert bench.call("EXEC") == (b"*1\r\n+PONG\r\n" if is_run else b"*-1\r\n")
    bench.send(b"MULTI\r\nPING\r\n")
    assert bench.call("EXEC") == b"*1\r\n+PONG\r\n"


def test_a_watched_key_that_comes_into_being_is_changed(bench: Bench) -> None:
    bench.call("HELLO", "3")
    bench.call("WATCH", "k")
    bench.call("SET", "k", "i", "POINT", "1", "2")
    bench.send(b"MULTI\r\nPING\r\n")
    assert bench.call("EXEC") == b"_\r\n"


@pytest.mark.parametrize("forget", ["UNWATCH", "RESET"])
def test_watched_keys_can_be_forgotten(bench: Bench, forget: str) -> None:
    bench.call("WATCH", "k")
    bench.call("SET", "k", "i", "POINT", "1", "2")
    bench.call(forget)
    bench.send(b"MULTI\r\nPING\r\n")
    assert bench.call("EXEC") == b"*1\r\n+PONG\r\n"


def test_reset_and_quit_end_a_transaction(bench: Bench) -> None:
    bench.send(b"MULTI\r\nDBSIZE\r\n")
    assert bench.call("RESET") == b"+RESET\r\n"
    assert bench.call("EXEC") == b"-ERR EXEC without MULTI\r\n"
    bench.send(b"MULTI\r\n")
    assert bench.call("QUIT") == b"+OK\r\n"


def test_in_json_each_reply_of_exec_is_an_object(bench: Bench) -> None:
    bench.call("OUTPUT", "json")
    bench.call("MULTI")
    assert b'{"ok":true,"queued":true,' in bench.call("SET", "k", "i", "POINT", "1", "2")
    reply = bench.call("EXEC")
    assert reply.startswith(b"*1\r\n$")
    assert b'{"ok":true,' in reply


def test_a_pipeline_may_be_a_transaction_of_many(bench: Bench) -> None:
    sets = b"".join(b"SET k %d POINT 1 2\r\n" % number for number in range(5000))
    replies = bench.send(b"MULTI\r\n" + sets + b"EXEC\r\nDBSIZE\r\n")
    while not replies.endswith(b":5000\r\n"):
        more = bench.send(b"")
        assert more
        replies += more
    assert replies == b"+OK\r\n" + 5000 * QUEUED + b"*5000\r\n" + 5000 * b"+OK\r\n" + b":5000\r\n"
