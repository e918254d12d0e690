"""SUBSCRIBE and its kin: acknowledgements, messages in each form, what a subscriber may ask."""

import json

import pytest

from tests.support.bench import Bench
from tests.support.fakes import FakeClient
from tile38py.interfaces import Wire

ONLY = b"-ERR only (P)SUBSCRIBE / (P)UNSUBSCRIBE / PING / QUIT allowed in this context\r\n"
HELLO = b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nhello\r\n"
Answers = dict[str, object]


def published(bench: Bench, client: FakeClient, text: bytes = b"hello") -> bytes:
    """What a client gets of a message to channel a."""
    client.taken()
    bench.call("PUBLISH", "a", text)
    bench.loop.turn()
    return client.taken()


def subscriber(bench: Bench, *words: str) -> FakeClient:
    client = bench.new_client()
    bench.call(*(words or ("SUBSCRIBE", "a")), client=client)
    return client


def test_each_name_is_acknowledged_with_the_count(bench: Bench) -> None:
    assert bench.call("Subscribe", "a", "b", "a") == b"".join(
        b"*3\r\n$9\r\nsubscribe\r\n$1\r\n%b\r\n:%d\r\n" % answer
        for answer in [(b"a", 1), (b"b", 2), (b"a", 2)]
    )
    assert bench.call("PSUBSCRIBE", "*") == b"*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:3\r\n"
    assert bench.call("UNSUBSCRIBE", "b") == b"*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:2\r\n"
    assert bench.call("PUNSUBSCRIBE", "x") == b"*3\r\n$12\r\npunsubscribe\r\n$1\r\nx\r\n:2\r\n"


def test_in_json_an_acknowledgement_is_an_object(bench: Bench) -> None:
    bench.call("OUTPUT", "json")
    reply: Answers = json.loads(bench.call("SUBSCRIBE", "a").split(b"\r\n")[1])
    del reply["elapsed"]
    assert reply == {"ok": True, "command": "subscribe", "channel": "a", "num": 1}


def test_a_message_reaches_who_subscribed(bench: Bench) -> None:
    client, other = subscriber(bench), subscriber(bench, "SUBSCRIBE", "b")
    assert published(bench, client) == HELLO
    assert other.taken() == b""


def test_publish_counts_every_way_to_a_client(bench: Bench) -> None:
    client = subscriber(bench)
    bench.call("PSUBSCRIBE", "*", "?", client=client)
    assert bench.call("PUBLISH", "a", "hello") == b":3\r\n"
    assert bench.call("PUBLISH", "bb", "hello") == b":1\r\n"
    bench.loop.turn()
    data = client.taken()
    assert data.startswith(HELLO + b"*4\r\n$8\r\npmessage\r\n")
    assert data.count(b"hello") == 4


@pytest.mark.parametrize(
    ("text", "shown"),
    [(b'{"k": 1}', b'{"k": 1}'), (b"hello", b'"hello"'), (b"5", b"5"), (b"", b'""')],
)
def test_json_shows_json_as_it_is_and_other_text_as_string(
    bench: Bench, text: bytes, shown: bytes
) -> None:
    client = bench.new_client()
    bench.call("OUTPUT", "json", client=client)
    bench.call("SUBSCRIBE", "a", client=client)
    assert published(bench, client, text) == b"$%d\r\n%b\r\n" % (len(shown), shown)


def test_native_clients_get_native_frames(bench: Bench) -> None:
    client = bench.new_client()
    client.wire = Wire.NATIVE
    assert bench.send(b"$11 SUBSCRIBE a\r\n", client).startswith(b"$")
    assert published(bench, client) == b'$7 "hello"\r\n'


def test_websocket_clients_get_text_frames(bench: Bench) -> None:
    client = bench.new_client(framing="plain")
    client.wire = Wire.WEBSOCKET
    bench.call("SUBSCRIBE", "a", client=client)
    assert published(bench, client) == b'\x81\x07"hello"'


@pytest.mark.parametrize(
    ("wire", "shown"),
    [(Wire.HTTP, b'"hello"\n'), (Wire.CHUNKED_HTTP, b'8\r\n"hello"\n\r\n')],
)
def test_http_clients_get_lines(bench: Bench, wire: Wire, shown: bytes) -> None:
    client = bench.new_client(framing="plain")
    client.wire = wire
    bench.call("PSUBSCRIBE", "?", client=client)
    assert published(bench, client) == shown


def test_who_unsubscribed_from_all_is_an_ordinary_client_again(bench: Bench) -> None:
    client = subscriber(bench)
    bench.call("PSUBSCRIBE", "[a]*", client=client)
    bench.call("UNSUBSCRIBE", "a", client=client)
    assert published(bench, client) == b""
    assert bench.call("GET", "k", "i", client=client) == ONLY
    bench.call("PUNSUBSCRIBE", "[a]*", client=client)
    assert bench.call("GET", "k", "i", client=client) == b"$-1\r\n"
    assert client.listener is None
    bench.call("SUBSCRIBE", "a", client=client)
    assert published(bench, client) == HELLO


def test_replies_stay_behind_messages_that_were_published_before(bench: Bench) -> None:
    client = subscriber(bench)
    bench.call("PUBLISH", "a", "hello")
    bench.call("UNSUBSCRIBE", client=client)
    assert client.listener is not None  # its queue still has the message
    bench.loop.turn()
    assert client.taken() == HELLO
    assert bench.call("GET", "k", "i", client=client) == b"$-1\r\n"


def test_without_names_all_are_unsubscribed(bench: Bench) -> None:
    client = subscriber(bench, "SUBSCRIBE", "a", "b")
    bench.call("PSUBSCRIBE", "*", client=client)
    assert bench.call("UNSUBSCRIBE", client=client) == b"".join(
        b"*3\r\n$11\r\nunsubscribe\r\n$1\r\n%b\r\n:%d\r\n" % answer
        for answer in [(b"a", 2), (b"b", 1)]
    )
    assert bench.call("UNSUBSCRIBE", client=client).endswith(b"$-1\r\n:1\r\n")
    assert bench.call("PUNSUBSCRIBE", client=client).endswith(b"$1\r\n*\r\n:0\r\n")
    assert bench.call("PUNSUBSCRIBE", client=client).endswith(b"$-1\r\n:0\r\n")


def test_a_subscriber_may_ping_and_quit(bench: Bench) -> None:
    client = subscriber(bench)
    assert bench.call("ping", client=client) == b"*2\r\n$4\r\npong\r\n$0\r\n\r\n"
    assert bench.call("PING", "x", client=client) == b"*2\r\n$4\r\npong\r\n$1\r\nx\r\n"
    assert bench.call("QUIT", client=client) == b"+OK\r\n"
    assert client.is_gone


def test_names_are_needed(bench: Bench) -> None:
    wrong = b"-ERR wrong number of arguments for '%b' command\r\n"
    assert bench.call("SUBSCRIBE") == wrong % b"subscribe"
    assert bench.call("GET", "k", "i") == b"$-1\r\n"
    client = subscriber(bench)
    for name in "SUBSCRIBE", "PSUBSCRIBE":
        assert bench.call(name, client=client) == wrong % name.lower().encode()


def test_whoever_is_not_subscribed_may_unsubscribe(bench: Bench) -> None:
    head = b"*3\r\n$11\r\nunsubscribe\r\n"
    assert bench.call("Unsubscribe", "a") == head + b"$1\r\na\r\n:0\r\n"
    assert bench.call("UNSUBSCRIBE") == head + b"$-1\r\n:0\r\n"
    assert bench.client.listener is None


def test_requests_behind_subscribe_in_one_packet_are_answered(bench: Bench) -> None:
    reply = bench.send(b"SUBSCRIBE a\r\nPING x\r\nGET k i\r\n")
    assert reply.endswith(b"*2\r\n$4\r\npong\r\n$1\r\nx\r\n" + ONLY)


def test_messages_wait_for_the_log_in_their_order(bench: Bench) -> None:
    client = subscriber(bench)
    bench.call("SET", "k", "i", "POINT", "1", "2")
    assert published(bench, client) == b""
    bench.fake_journal.flush()
    bench.loop.turn()
    assert client.taken() == HELLO


def test_a_failing_log_stops_no_messages_of_others(bench: Bench) -> None:
    client = subscriber(bench)
    bench.call("SET", "k", "i", "POINT", "1", "2")
    published(bench, client)
    (waiter, _, _) = bench.fake_journal.held[-1]
    waiter.refuse(b"", "full")
    bench.loop.turn()
    assert client.taken() == b""
    bench.router.recovered()
    bench.loop.turn()
    assert client.taken() == HELLO
