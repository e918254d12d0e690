"""EXEC."""

import hashlib

from tests.support.bench import Bench

QUEUED = b"+QUEUED\r\n"
NAMES = (b"set", b"fset", b"del")


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


def test_a_live_fence_that_could_not_be_recognized_when_it_was_queued_fails(bench: Bench) -> None:
    sha = hashlib.sha1(b"return true").hexdigest()
    bench.send(b"MULTI\r\nSCRIPT LOAD 'return true'\r\n")
    bench.call("NEARBY", "k", "WHEREEVALSHA", sha, "0", "FENCE", "POINT", "1", "2", "3")
    assert bench.call("EXEC").endswith(b"-ERR FENCE is not allowed inside a transaction\r\n")
    assert bench.client.listener is None


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


def test_a_sentinel_makes_a_leader_in_a_transaction(bench: Bench) -> None:
    bench.send(b"MULTI\r\nSLAVEOF NO ONE\r\nCONFIG REWRITE\r\nCLIENT KILL TYPE normal\r\n")
    assert bench.call("EXEC") == b"*3\r\n+OK\r\n+OK\r\n:0\r\n"


def test_the_log_marks_all_commands_of_a_transaction_but_the_last(bench: Bench) -> None:
    bench.send(b"MULTI\r\nSET k i POINT 1 2\r\nGET k i\r\nFSET k i f 1\r\nPUBLISH c m\r\n")
    bench.send(b"EVAL \"tile38.call('del','k','i'); tile38.call('set','k','j','point',1,2)\" 0\r\n")
    bench.send(b"EXEC\r\n")
    names = [line for line in bench.fake_journal.data.split(b"\r\n") if line.lower() in NAMES]
    assert names == [b"seT", b"fseT", b"deL", b"set"]
    bench.fake_journal.data = b""
    bench.call("MULTI")
    bench.call("SET", "k", "i", "POINT", "1", "2")
    bench.call("EXEC")
    assert b"\r\nSET\r\n" in bench.fake_journal.data


def test_a_client_cannot_write_the_mark(bench: Bench) -> None:
    bench.send(b"*5\r\n$3\r\nseT\r\n$1\r\nk\r\n$1\r\ni\r\n$6\r\nSTRING\r\n$3\r\nseT\r\n")
    assert b"\r\nset\r\n" in bench.fake_journal.data
    assert bench.fake_journal.data.endswith(b"\r\nseT\r\n")


def test_a_client_that_ends_itself_ends_no_transaction(bench: Bench) -> None:
    own = bench.client.address
    bench.send(f"MULTI\r\nSET k i POINT 1 2\r\nCLIENT KILL {own}\r\nSET k j POINT 1 2\r\n".encode())
    bench.send(b"EXEC\r\n")
    assert bench.engine.statistics()["num_objects"] == 2
    assert bench.fake_journal.data.lower().count(b"set") == 2


def test_words_behind_a_name_that_takes_none_abort_the_transaction(bench: Bench) -> None:
    for name in ("EXEC", "DISCARD"):
        bench.send(b"MULTI\r\nSET k i POINT 1 2\r\n")
        assert b"wrong number of arguments" in bench.call(name, "x")
        assert bench.call("EXEC").startswith(b"-EXECABORT")
    assert bench.engine.statistics()["num_objects"] == 0


def test_unwatch_is_queued(bench: Bench) -> None:
    bench.call("MULTI")
    assert bench.call("UNWATCH") == QUEUED
    assert bench.call("EXEC") == b"*1\r\n+OK\r\n"


def test_follow_is_not_queued(bench: Bench) -> None:
    bench.call("MULTI")
    assert b"not allowed inside a transaction" in bench.call("FOLLOW", "no", "one")
