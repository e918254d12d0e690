"""A follower has what its leader has, whatever happens to either."""

from pathlib import Path

import pytest

from tests.support.pair import (
    contents,
    follow,
    leader_and_follower,
    log_of,
    size_of,
    wait_until_equal,
)
from tests.support.process import ServerProcess
from tests.support.waiting import wait_until
from tests.support.writers import RecordingWriter, WriterThreads


def fill(server: ServerProcess, key: str, count: int) -> None:
    with server.connect() as connection:
        rows = [("SET", key, number, "POINT", number % 80, number % 170) for number in range(count)]
        assert set(map(str, connection.call_many(rows))) == {"+OK"}


def test_what_was_there_and_what_comes_arrives(tmp_path: Path) -> None:
    with leader_and_follower(tmp_path) as (leader, follower):
        fill(leader, "fleet", 1000)
        wait_until_equal(leader, follower)
        leader.call("SETCHAN", "c", "NEARBY", "fleet", "FENCE", "POINT", 1, 1, 1000)
        area = ("NEARBY", "fleet", "FENCE", "POINT", 1, 1, 9)
        leader.call("SETHOOK", "h", "http://127.0.0.1:1/", *area)
        leader.call("FSET", "fleet", 1, "speed", 5)
        leader.call("FSET", "fleet", 1, "speed", 5)
        leader.call("DEL", "fleet", 2)
        wait_until_equal(leader, follower)
        assert follower.call("SET", "fleet", "x", "POINT", 1, 1) == "-ERR not the leader"


def test_own_data_give_way_to_the_leaders(tmp_path: Path) -> None:
    with leader_and_follower(tmp_path) as (leader, follower):
        follower.call("FOLLOW", "no", "one")
        fill(follower, "old", 100)
        follower.call("SETCHAN", "old", "NEARBY", "fleet", "FENCE", "POINT", 1, 1, 1000)
        fill(leader, "fleet", 10)
        follow(follower, leader)
        wait_until_equal(leader, follower)
        assert follower.call("KEYS", "*") == ["$ fleet"]
        assert not list(follower.data.glob("*-resync"))
        assert (follower.data / "appendonly.aof").stat().st_mode & 0o777 == 0o600


def test_a_follower_goes_on_where_it_was(tmp_path: Path) -> None:
    with leader_and_follower(tmp_path) as (leader, follower):
        fill(leader, "fleet", 1000)
        wait_until_equal(leader, follower)
        node = (follower.data / "appendonly.aof").stat().st_ino
        follower.stop()
        fill(leader, "more", 1000)
        follower.start()
        wait_until_equal(leader, follower)
        leader.stop()
        leader.start()
        fill(leader, "last", 10)
        wait_until_equal(leader, follower)
        assert (follower.data / "appendonly.aof").stat().st_ino == node


def test_a_leader_that_rewrote_its_log_is_followed(tmp_path: Path) -> None:
    with leader_and_follower(tmp_path) as (leader, follower):
        fill(leader, "fleet", 1000)
        fill(leader, "fleet", 1000)
        leader.call("DROP", "gone")
        wait_until_equal(leader, follower)
        before = size_of(leader)
        health: list[object] = []

        def has_rewritten_log() -> bool:
            health.append(follower.call("HEALTHZ"))
            return size_of(leader) < before and size_of(follower) == size_of(leader)

        leader.call("AOFSHRINK")
        wait_until(has_rewritten_log)
        assert set(map(str, health)) == {"+OK"}
        leader.call("SET", "fleet", "after", "POINT", 1, 1)
        wait_until_equal(leader, follower)


def test_a_promoted_follower_may_come_back(tmp_path: Path) -> None:
    with leader_and_follower(tmp_path) as (leader, follower):
        fill(leader, "fleet", 100)
        wait_until_equal(leader, follower)
        assert follower.call("FOLLOW", "no", "one") == "+OK"
        wait_until(lambda: "connected_slaves:0" in str(leader.call("INFO", "replication")))
        fill(follower, "mine", 10)
        fill(leader, "others", 20)
        follow(follower, leader)
        wait_until_equal(leader, follower)


def test_expiry_writes_nothing_to_a_followers_log(tmp_path: Path) -> None:
    with leader_and_follower(tmp_path) as (leader, follower):
        for number in range(20):
            leader.call("SET", "fleet", number, "EX", 0.3, "POINT", 1, 1)
        wait_until(lambda: leader.call("KEYS", "*") == [])
        wait_until_equal(leader, follower)
        assert log_of(follower).count(b"del\r\n") == 20
        follower.call("FOLLOW", "no", "one")
        size = size_of(follower)
        follower.call("SET", "fleet", "own", "EX", 0.1, "POINT", 1, 1)
        wait_until(lambda: follower.call("KEYS", "*") == [])
        wait_until(lambda: log_of(follower)[size:].endswith(b"$5\r\nfleet\r\n$3\r\nown\r\n"))


def test_without_a_log_a_follower_catches_up_too(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with (
        leader_and_follower(tmp_path) as (leader, _),
        ServerProcess(tmp_path / "other", ("--appendonly", "no")) as follower,
    ):
        fill(leader, "fleet", 1000)
        follow(follower, leader)
        wait_until(lambda: follower.call("HEALTHZ") == "+OK")
        wait_until(lambda: contents(follower) == contents(leader))
        leader.stop()
        leader.start()
        fill(leader, "more", 10)
        wait_until(lambda: contents(follower) == contents(leader))


def test_messages_of_the_leader_reach_subscribers_of_the_follower(tmp_path: Path) -> None:
    with leader_and_follower(tmp_path) as (leader, follower):
        wait_until_equal(leader, follower)
        with follower.connect() as connection:
            connection.call("SUBSCRIBE", "news")
            wait_until(lambda: leader.call("PUBLISH", "news", "hello") is not None)
            assert connection.read() == ["$ message", "$ news", "$ hello"]
        assert size_of(follower) == 0


def wait_for_writes(load: WriterThreads, count: int) -> None:
    wait_until(lambda: load.acknowledged >= count, what=f"{count} acknowledged writes")


def kill_in_a_loop(folder: Path, rounds: int) -> None:
    with leader_and_follower(folder) as (leader, follower):
        for number in range(rounds):
            writers = [RecordingWriter(f"writer-{number}-{place}") for place in range(2)]
            with WriterThreads(leader, writers) as load:
                wait_for_writes(load, load.acknowledged + 500)
                victim = (leader, follower)[number % 2]
                victim.kill()
                victim.start()
                leader.kill()
            leader.start()
            with leader.connect() as connection:
                assert not any(writer.missing(connection) for writer in writers)
            wait_until_equal(leader, follower)
            for writer in writers:  # to compare more and more would take longer and longer
                assert leader.call("DROP", writer.key) == ":1"


def test_kills_of_either_side_under_load(tmp_path: Path) -> None:
    kill_in_a_loop(tmp_path, rounds=2)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_kills_of_either_side_under_load(tmp_path: Path) -> None:
    kill_in_a_loop(tmp_path, rounds=20)


def test_who_cannot_be_followed(tmp_path: Path) -> None:
    with leader_and_follower(tmp_path) as (leader, follower):
        wait_until_equal(leader, follower)
        place = ("127.0.0.1", leader.port)
        assert leader.call("FOLLOW", *place) == "-ERR cannot follow self"
        refusal = "-ERR cannot follow a follower"
        assert leader.call("FOLLOW", "127.0.0.1", follower.port) == refusal
        reply = leader.call("FOLLOW", "127.0.0.1", 1)
        reason = "dial tcp 127.0.0.1:1: connect: connection refused"
        assert reply == f"-ERR cannot follow: {reason}"
        leader.call("CONFIG", "SET", "requirepass", "secret")
        follower.call("FOLLOW", "no", "one")
        refusal = "-ERR cannot follow: ERR authentication required"
        assert follower.call("FOLLOW", *place) == refusal
        follower.call("CONFIG", "SET", "leaderauth", "wrong")
        assert follower.call("FOLLOW", *place) == "-ERR cannot follow: ERR invalid password"
        follower.call("CONFIG", "SET", "leaderauth", "secret")
        assert follower.call("FOLLOW", *place) == "+OK"
        wait_until(lambda: follower.call("HEALTHZ") == "+OK")


def test_a_follower_of_one_that_became_a_follower_finds_the_leader(tmp_path: Path) -> None:
    (tmp_path / "head").mkdir()
    with (
        leader_and_follower(tmp_path) as (former, follower),
        ServerProcess(tmp_path / "head") as head,
    ):
        fill(former, "former", 10)
        wait_until_equal(former, follower)
        fill(head, "fleet", 10)
        follow(former, head)
        wait_until_equal(head, former)
        wait_until_equal(head, follower)
        former.kill()
        role = follower.call("ROLE")
        assert isinstance(role, list)
        assert role[:3] == ["$ slave", "$ 127.0.0.1", f":{head.port}"]
        follower.kill()
        follower.start()
        wait_until_equal(head, follower)


def test_live_fences_of_a_follower_see_the_leaders_writes(tmp_path: Path) -> None:
    with leader_and_follower(tmp_path) as (leader, follower):
        wait_until_equal(leader, follower)
        with follower.connect() as connection:
            words = ("NEARBY", "fleet", "FENCE", "POINT", 1, 1, 1000)
            assert connection.call(*words) == "+OK"
            leader.call("SET", "fleet", "a", "POINT", 1, 1)
            assert '"detect":"enter"' in str(connection.read())
