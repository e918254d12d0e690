"""FOLLOW and SLAVEOF."""

import json

import pytest

from tests.support.bench import Bench
from tile38py import errors
from tile38py.interfaces.following import LeaderAddress

COMMANDS = pytest.mark.parametrize("name", ["FOLLOW", "SLAVEOF", "REPLICAOF"])
OK = b"+OK\r\n"


@COMMANDS
def test_no_one_is_followed(bench: Bench, name: str) -> None:
    assert bench.call(name, "no", "one") == OK
    assert bench.call(name, "NO", "ONE") == OK
    assert bench.log_lines == ["following no one"] * 2


@COMMANDS
def test_bad_arguments(bench: Bench, name: str) -> None:
    arity = f"-ERR wrong number of arguments for '{name.lower()}' command\r\n".encode()
    assert bench.call(name) == arity
    assert bench.call(name, "host") == arity
    assert bench.call(name, "host", "") == arity
    assert bench.call(name, "", "1") == arity
    assert bench.call(name, "host", "1", "2") == arity
    assert bench.call(name, "host", "x") == b"-ERR invalid argument 'x'\r\n"
    assert bench.call(name, "host", "-1") == b"-ERR invalid argument '-1'\r\n"
    assert not bench.following.probed


@COMMANDS
def test_a_leader_is_followed_and_saved(bench: Bench, name: str) -> None:
    assert bench.call(name, "LeaderHost", "9851") == OK
    assert bench.following.leader == LeaderAddress("leaderhost", 9851)
    saved = json.loads(bench.settings_file.data)
    assert (saved["follow_host"], saved["follow_port"]) == ("leaderhost", 9851)
    assert bench.log_lines == ["following new host 'leaderhost' '9851'."]
    assert bench.call("SET", "k", "a", "POINT", "1", "1") == b"-ERR not the leader\r\n"
    assert bench.call("GET", "k", "a") == b"-ERR catching up to leader\r\n"


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (
            errors.cannot_follow("dial tcp 127.0.0.1:1: connect: connection refused"),
            b"-ERR cannot follow: dial tcp 127.0.0.1:1: connect: connection refused\r\n",
        ),
        (errors.cannot_follow("invalid id"), b"-ERR cannot follow: invalid id\r\n"),
        (
            errors.cannot_follow("ERR invalid password"),
            b"-ERR cannot follow: ERR invalid password\r\n",
        ),
        (errors.cannot_follow_self(), b"-ERR cannot follow self\r\n"),
        (errors.cannot_follow_follower(), b"-ERR cannot follow a follower\r\n"),
    ],
)
def test_a_leader_that_will_not_do_changes_nothing(
    bench: Bench, error: errors.CommandError, reply: bytes
) -> None:
    bench.call("FOLLOW", "first", "1")
    saved = bench.settings_file.data
    bench.following.error = error
    assert bench.call("FOLLOW", "second", "2") == reply
    assert bench.following.leader == LeaderAddress("first", 1)
    assert bench.settings_file.data == saved


def test_the_same_leader_again_is_not_asked_again(bench: Bench) -> None:
    bench.call("FOLLOW", "leader", "1")
    assert bench.call("FOLLOW", "LEADER", "01") == OK
    assert len(bench.following.probed) == 1
    assert bench.call("FOLLOW", "leader", "2") == OK
    assert bench.following.leader == LeaderAddress("leader", 2)


def test_the_last_of_several_has_the_last_word(bench: Bench) -> None:
    other = bench.new_client()
    bench.following.while_asking = lambda: bench.call("FOLLOW", "no", "one", client=other)
    assert bench.call("FOLLOW", "leader", "1") == OK
    assert bench.following.leader is None
    assert "follow_host" not in json.loads(bench.settings_file.data)


def test_the_same_leader_again_outdoes_one_that_is_still_asked(bench: Bench) -> None:
    other = bench.new_client()
    bench.call("FOLLOW", "leader", "1")
    bench.following.while_asking = lambda: bench.call("FOLLOW", "leader", "1", client=other)
    assert bench.call("FOLLOW", "new", "2") == OK
    assert bench.following.leader == LeaderAddress("leader", 1)


def test_what_cannot_be_saved_is_not_followed(bench: Bench) -> None:
    bench.settings_file.error = OSError(28, "")
    reply = bench.call("FOLLOW", "leader", "1")
    assert reply.startswith(b"-ERR cannot write the configuration file: ")
    assert bench.following.leader is None
    assert not bench.config.identity.follow_host


def test_a_promoted_follower_takes_writes_at_once(bench: Bench) -> None:
    bench.call("FOLLOW", "leader", "1")
    bench.call("FOLLOW", "no", "one")
    assert bench.call("SET", "k", "a", "POINT", "1", "1") == OK
    assert bench.config.identity.follow_host == ""


def test_what_a_follower_tells_of_itself(bench: Bench) -> None:
    bench.call("FOLLOW", "leader", "1")
    bench.gates.caught_up_once = True
    bench.gates.apply()
    bench.following.offset = 559
    role = b"*5\r\n$5\r\nslave\r\n$6\r\nleader\r\n:1\r\n$9\r\nconnected\r\n:559\r\n"
    assert bench.call("ROLE") == role
    assert bench.call("INFO", "replication").split(b"\r\n")[2:-2] == [
        b"role:slave",
        b"master_host:leader",
        b"master_port:1",
        b"master_link_status:down",
        b"master_link_down_since_seconds:-1",
        b"slave_repl_offset:559",
        b"connected_slaves:0",
    ]
    bench.call("CONFIG", "SET", "replica-priority", "0")
    assert b"slave_priority:0\r\n" in bench.call("INFO", "replication")
    bench.following.stale_seconds, bench.following.proven = 7, 500
    assert b"master_link_down_since_seconds:7\r\n" in bench.call("INFO", "replication")
    assert b"\r\naof_proven_size:500\r\n" in bench.call("INFO", "aof")
    assert bench.call("HEALTHZ") == b"-ERR not caught up\r\n"
    bench.following.is_caught_up = True
    assert bench.call("HEALTHZ") == OK
    up = bench.call("INFO", "replication")
    assert b"master_link_status:up\r\n" in up
    assert b"since_seconds" not in up
    bench.call("OUTPUT", "json")
    stats = json.loads(bench.call("SERVER").split(b"\r\n")[1])["stats"]
    assert (stats["following"], stats["caught_up"], stats["caught_up_once"]) == (
        ("leader:1", True, True)
    )
    role_text = b'"role":{"role":"slave","host":"leader","port":1,"state":"connected","offset":559}'
    assert role_text in bench.call("ROLE")


def test_a_follower_that_never_caught_up_is_not_well(bench: Bench) -> None:
    bench.call("FOLLOW", "leader", "1")
    assert bench.call("HEALTHZ") == b"-ERR catching up to leader\r\n"
    assert bench.call("SERVER") == b"-ERR catching up to leader\r\n"
    assert bench.call("CONFIG", "GET", "maxmemory").startswith(b"*2\r\n")
