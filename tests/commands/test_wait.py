"""WAIT."""

from pathlib import Path

import pytest

from tests.support.bench import Bench
from tests.support.pair import leader_and_follower
from tests.support.process import ServerProcess
from tests.support.waiting import wait_until


def test_followers_that_have_the_log_are_counted(tmp_path: Path) -> None:
    with leader_and_follower(tmp_path) as (leader, follower), leader.connect() as connection:
        for number in range(20):
            connection.call("SET", "fleet", number, "POINT", 1, 1)
            assert connection.call("WAIT", 1, 10_000) == ":1"
            assert follower.call("SCAN", "fleet", "COUNT") == f":{number + 1}"
        assert connection.call("WAIT", 0, 0) == ":1"
        assert connection.call("WAIT", 2, 20) == ":1"
        size = (leader.data / "appendonly.aof").stat().st_size
        assert f"offset={size},lag=0" in str(connection.call("INFO", "replication"))
        follower.kill()
        connection.call("SET", "fleet", "last", "POINT", 1, 1)
        assert connection.call("WAIT", 1, 20) == ":0"


def test_a_wait_holds_up_nobody_and_ends_with_its_client(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server, server.connect() as other:
        with server.connect() as waiting:
            waiting.send(b"WAIT 1 0\r\n")
            assert other.call("PING") == "+PONG"
        wait_until(lambda: str(other.call("CLIENT", "LIST")).count("id=") == 1)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("1",), "wrong number of arguments for 'wait' command"),
        (("x", "0"), "value is not an integer or out of range"),
        (("1", "x"), "timeout is not an integer or out of range"),
        (("1", "99999999999999999999"), "timeout is not an integer or out of range"),
        (("1", "-1"), "timeout is negative"),
    ],
)
def test_bad_words_are_refused(bench: Bench, words: tuple[str, ...], error: str) -> None:
    assert error.encode() in bench.call("WAIT", *words)


def test_a_follower_has_nobody_to_wait_for(bench: Bench) -> None:
    bench.services.following.leader = object()  # type: ignore[assignment]
    assert bench.call("WAIT", "0", "0").startswith(b"-ERR WAIT cannot be used with replica")


def test_it_cannot_be_queued(bench: Bench) -> None:
    bench.call("MULTI")
    assert b"not allowed inside a transaction" in bench.call("WAIT", "0", "0")
