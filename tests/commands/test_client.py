"""CLIENT with several connections."""

import json

import pytest

from tests.support.bench import Bench
from tests.support.fakes import SECOND


def test_list_shows_age_and_idle_time(bench: Bench) -> None:
    bench.clock.time_ns += 9 * SECOND
    bench.client.active_ns += 6 * SECOND
    bench.call("CLIENT", "SETNAME", "nan")
    bench.new_client()
    text = (
        b"id=1 addr=127.0.0.1:5001 name=nan age=9 idle=3 user=default\n"
        b"id=2 addr=127.0.0.1:5002 name= age=9 idle=9 user=default\n"
    )
    assert bench.call("CLIENT", "LIST") == b"$%d\r\n%b\r\n" % (len(text), text)


def test_names_are_texts_in_json(bench: Bench) -> None:
    bench.client.name = b"nan"
    bench.call("OUTPUT", "json")
    reply = bench.call("CLIENT", "LIST").split(b"\r\n")[1]
    assert json.loads(reply)["list"] == [
        {
            "addr": "127.0.0.1:5001",
            "age": 0,
            "id": 1,
            "idle": 0,
            "name": "nan",
            "user": "default",
        }
    ]


def test_kill_by_id_and_address(bench: Bench) -> None:
    second, third, fourth = bench.new_client(), bench.new_client(), bench.new_client()
    assert bench.call("CLIENT", "KILL", "id", "2") == b"+OK\r\n"
    assert bench.call("CLIENT", "KILL", "Addr", "127.0.0.1:5003") == b"+OK\r\n"
    assert bench.call("CLIENT", "KILL", "127.0.0.1:5004") == b"+OK\r\n"
    assert [one.is_gone for one in (second, third, fourth)] == [True] * 3
    assert not bench.client.is_gone


def test_ids_are_compared_as_texts(bench: Bench) -> None:
    assert bench.call("CLIENT", "KILL", "ID", "01") == b"-ERR No such client\r\n"


@pytest.mark.parametrize("word", ["name", "Laddr"])
def test_kill_by_what_clients_do_not_have_finds_nobody(bench: Bench, word: str) -> None:
    assert bench.call("CLIENT", "KILL", word, "x") == b"-ERR No such client\r\n"
    assert b"wrong number of arguments" in bench.call("CLIENT", "KILL", word, "x", "y")


def test_kill_refuses_a_word_behind_an_address(bench: Bench) -> None:
    other = bench.new_client()
    reply = bench.call("CLIENT", "KILL", other.address, "x")
    assert reply == b"-ERR wrong number of arguments for 'client' command\r\n"
    assert not other.is_gone


def test_kill_by_type_spares_who_asks(bench: Bench) -> None:
    normal, subscriber, monitor, follower = (bench.new_client() for _ in range(4))
    bench.call("SUBSCRIBE", "c", client=subscriber)
    bench.call("MONITOR", client=monitor)
    bench.call("AOF", "0", client=follower)
    assert bench.call("CLIENT", "KILL", "type", "PubSub") == b":1\r\n"
    assert [one.is_gone for one in (normal, subscriber, monitor, follower)] == [0, 1, 0, 0]
    assert bench.call("CLIENT", "KILL", "TYPE", "replica") == b":1\r\n"
    assert [one.is_gone for one in (normal, subscriber, monitor, follower)] == [0, 1, 0, 1]
    assert bench.call("CLIENT", "KILL", "TYPE", "normal") == b":2\r\n"
    assert [one.is_gone for one in (normal, subscriber, monitor, follower)] == [1, 1, 1, 1]
    assert bench.call("CLIENT", "KILL", "TYPE", "master") == b":0\r\n"
    assert not bench.client.is_gone


def test_kill_by_type_knows_redis_types_only(bench: Bench) -> None:
    assert bench.call("CLIENT", "KILL", "TYPE", "x") == b"-ERR Unknown client type 'x'\r\n"
    assert b"wrong number of arguments" in bench.call("CLIENT", "KILL", "TYPE")
    bench.call("OUTPUT", "json")
    assert b'"killed":0' in bench.call("CLIENT", "KILL", "TYPE", "normal")
