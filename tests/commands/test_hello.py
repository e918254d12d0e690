"""HELLO, and what RESP3 changes."""

import json

import pytest

from tests.support.bench import Bench
from tests.support.fakes import FakeClient
from tile38py.version import VERSION

NIL3 = b"_\r\n"


def resp3(bench: Bench) -> FakeClient:
    client = bench.new_client()
    assert bench.call("HELLO", "3", client=client).startswith(b"%7\r\n")
    return client


def test_the_greeting_is_a_map_in_resp3_and_a_list_in_resp2(bench: Bench) -> None:
    fields = (
        b"$6\r\nserver\r\n$6\r\ntile38\r\n$7\r\nversion\r\n$%d\r\n%b\r\n$5\r\nproto\r\n:%%d\r\n"
        b"$2\r\nid\r\n:%d\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
        b"$7\r\nmodules\r\n*0\r\n" % (len(VERSION), VERSION.encode(), bench.client.client_id)
    )
    assert bench.call("HELLO") == b"*14\r\n" + fields % 2
    assert bench.call("HELLO", "3") == b"%7\r\n" + fields % 3
    assert bench.call("hello") == b"%7\r\n" + fields % 3
    assert bench.call("HELLO", "2") == b"*14\r\n" + fields % 2


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["4"], b"-NOPROTO unsupported protocol version"),
        (["-1"], b"-NOPROTO "),
        (["x"], b"-ERR Protocol version is not an integer or out of range"),
        (["3", "AUTH", "default"], b"-ERR Syntax error in HELLO option 'AUTH'"),
        (["3", "SETNAME"], b"-ERR Syntax error in HELLO option 'SETNAME'"),
        (["3", "nope"], b"-ERR Syntax error in HELLO option 'nope'"),
        (["3", "SETNAME", "a b"], b"-ERR Client names cannot contain spaces"),
        (["3", "AUTH", "ann", "x"], b"-WRONGPASS "),
    ],
)
def test_what_is_wrong_changes_nothing(bench: Bench, words: list[str], error: bytes) -> None:
    assert bench.call("HELLO", *words).startswith(error)
    assert bench.client.session.protocol == 2
    assert bench.client.name == b""


def test_a_login_and_a_name_come_along(bench: Bench) -> None:
    bench.config.set("requirepass", "secret")
    assert bench.call("HELLO", "3").startswith(b"-NOAUTH ")
    assert bench.call("HELLO", "3", "AUTH", "default", "wrong").startswith(b"-WRONGPASS ")
    assert bench.client.session.protocol == 2
    reply = bench.call("HELLO", "3", "setname", "bob", "auth", "default", "secret")
    assert reply.startswith(b"%7\r\n")
    assert bench.client.name == b"bob"
    assert bench.call("GET", "k", "i") == NIL3


def test_nil_is_the_only_reply_to_data_commands_that_differs(bench: Bench) -> None:
    client = resp3(bench)
    bench.call("SET", "k", "i", "FIELD", "f", "1", "POINT", "1", "2", client=client)
    for words in [
        ("GET", "k", "none"),
        ("GET", "none", "i"),
        ("JGET", "k", "i", "none"),
        ("TYPE", "none"),
        ("BOUNDS", "none"),
        ("FGET", "none", "i", "f"),
        ("GET", "k", "i", "WITHFIELDS"),
        ("SCAN", "k"),
        ("STATS", "k", "none"),
    ]:
        expected = bench.call(*words).replace(b"$-1\r\n", NIL3)
        assert bench.call(*words, client=client) == expected


def test_settings_are_a_map(bench: Bench) -> None:
    assert bench.call("CONFIG GET", "autogc") == b"*2\r\n$6\r\nautogc\r\n$1\r\n0\r\n"
    assert bench.call("CONFIG GET", "autogc", client=resp3(bench)).startswith(b"%1\r\n$6\r\n")
    assert bench.call("CONFIG GET", "databases") == b"*2\r\n$9\r\ndatabases\r\n$1\r\n1\r\n"


def test_messages_are_pushes_with_ordinary_commands_beside_them(bench: Bench) -> None:
    client = resp3(bench)
    reply = bench.call("SUBSCRIBE", "a", client=client)
    assert reply == b">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
    assert bench.call("GET", "k", "i", client=client) == NIL3
    assert bench.call("PING", client=client) == b"+PONG\r\n"
    bench.call("PSUBSCRIBE", "*", client=client)
    bench.call("PUBLISH", "a", "hello")
    bench.loop.turn()
    assert client.taken() == (
        b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nhello\r\n"
        b">4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\na\r\n$5\r\nhello\r\n"
    )
    reply = bench.call("UNSUBSCRIBE", client=client)
    assert reply == b">3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n"
    bench.call("PUNSUBSCRIBE", client=client)
    assert client.listener is None


def test_live_fences_are_pushes_too(bench: Bench) -> None:
    client = resp3(bench)
    for _ in range(2):
        words = ("NEARBY", "fleet", "FENCE", "DETECT", "enter", "POINT", "1", "2", "5")
        assert bench.call(*words, client=client) == b"+OK\r\n"
    assert bench.call("SUBSCRIBE", "a", client=client).endswith(b":1\r\n")
    bench.call("SET", "fleet", "t", "POINT", "1", "2")
    bench.fake_journal.flush()
    bench.loop.turn()
    pushes = client.taken().split(b">2\r\n$5\r\nfence\r\n$")
    assert len(pushes) == 3
    assert json.loads(pushes[1].split(b"\r\n")[1])["detect"] == "enter"
    assert bench.call("RESET", client=client) == b"+RESET\r\n"
    bench.call("SET", "fleet", "u", "POINT", "1", "2")
    bench.fake_journal.flush()
    bench.loop.turn()
    assert client.taken() == b""


def test_the_protocol_stays_while_messages_are_sent(bench: Bench) -> None:
    client = resp3(bench)
    bench.call("SUBSCRIBE", "a", client=client)
    assert bench.call("HELLO", "2", client=client).startswith(b"-ERR the protocol can't be changed")
    assert bench.call("HELLO", "3", client=client).startswith(b"%7\r\n")


def test_json_is_the_same_in_either_protocol(bench: Bench) -> None:
    client = resp3(bench)
    bench.call("OUTPUT", "json", client=client)
    reply = bench.call("GET", "k", "i", client=client)
    assert reply.startswith(b"$") and b'{"ok":false,"err":"key not found"' in reply
    bench.call("SUBSCRIBE", "a", client=client)
    bench.call("PUBLISH", "a", "hello")
    bench.loop.turn()
    assert client.taken() == b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nhello\r\n"


def test_who_asks_for_a_protocol_gets_resp_where_connections_begin_in_json(bench: Bench) -> None:
    client = FakeClient(bench.engine.session(output="json"))
    assert bench.call("GET", "k", "i", client=client).startswith(b"$")
    assert bench.call("HELLO", "2", client=client).startswith(b"*14\r\n")
    assert bench.call("GET", "k", "i", client=client) == b"$-1\r\n"
