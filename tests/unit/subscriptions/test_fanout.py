"""How messages reach listeners: in slices, joined, in order; slow ones are cut."""

import pytest

from tests.support.bench import Bench
from tests.support.fakes import FakeClient
from tile38py.limits import (
    FANOUT_BYTES_MAX,
    FANOUT_COUNT_MAX,
    JOINED_WRITE_BYTES_MAX,
    LIVE_BYTES_MAX,
)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def subscriber(bench: Bench, *words: str) -> FakeClient:
    client = bench.new_client()
    bench.call(*(words or ("SUBSCRIBE", "a")), client=client)
    return client


def publish(bench: Bench, text: str, channel: str = "a") -> None:
    bench.router.publish(channel.encode(), text.encode())


def texts(data: bytes) -> list[bytes]:
    """What the messages say, without their frames."""
    return [line for line in data.split(b"\r\n") if line.startswith(b"text")]


def test_messages_to_the_same_listeners_are_sent_as_one(bench: Bench) -> None:
    clients = [subscriber(bench) for _ in range(3)]
    for number in range(5):
        publish(bench, f"text{number}")
    bench.loop.turn()
    for client in clients:
        (data,) = client.pushed
        assert texts(data) == [b"text%d" % number for number in range(5)]


def test_bytes_are_made_once_whoever_gets_them(bench: Bench) -> None:
    first, second = subscriber(bench), subscriber(bench)
    publish(bench, "text")
    bench.loop.turn()
    assert first.pushed[0] is second.pushed[0]


def test_messages_of_two_ways_keep_their_order(bench: Bench) -> None:
    client = subscriber(bench)
    bench.call("PSUBSCRIBE", "a*", client=client)
    for number in range(2):
        publish(bench, f"text{number}")
    publish(bench, "text2", channel="ab")
    bench.loop.turn()
    assert texts(client.taken()) == [b"text0", b"text0", b"text1", b"text1", b"text2"]


def test_a_slice_ends_so_that_others_have_their_turn(bench: Bench) -> None:
    clients = [subscriber(bench) for _ in range(FANOUT_COUNT_MAX + 10)]
    publish(bench, "text0")
    bench.loop.turn()
    assert [bool(client.pushed) for client in clients].count(True) == FANOUT_COUNT_MAX
    # What is begun isn't added to.
    publish(bench, "text1")
    while bench.loop.soon:
        bench.loop.turn()
    assert {tuple(texts(client.taken())) for client in clients} == {(b"text0", b"text1")}


def test_large_messages_shorten_the_slice(bench: Bench) -> None:
    clients = [subscriber(bench) for _ in range(40)]
    publish(bench, "text" * JOINED_WRITE_BYTES_MAX)
    bench.loop.turn()
    assert 0 < [bool(client.pushed) for client in clients].count(True) < 10


def test_who_publishes_too_much_waits(bench: Bench) -> None:
    client = subscriber(bench)
    for _ in range(3):
        publish(bench, "x" * (FANOUT_BYTES_MAX // 2))
    assert client.pushed


def test_replies_stay_behind_messages(bench: Bench) -> None:
    client = subscriber(bench)
    publish(bench, "text")
    listener = client.listener
    assert listener is not None
    listener.send(b"+PONG\r\n", is_last=False)
    listener.send(b"+OK\r\n", is_last=True)
    assert client.pushed == []
    bench.loop.turn()
    assert client.pushed[1:] == [b"+PONG\r\n", b"+OK\r\n"]
    assert client.is_gone


def test_what_a_slow_one_does_not_take_waits_and_comes_in_order(bench: Bench) -> None:
    client = subscriber(bench)
    listener = client.listener
    assert listener is not None
    listener.pause()
    for number in range(3):
        publish(bench, f"text{number}")
        bench.loop.turn()
    assert client.pushed == []
    listener.resume()
    assert texts(client.taken()) == [b"text0", b"text1", b"text2"]


def test_a_slow_one_is_cut_and_counted_beyond_its_bound(bench: Bench) -> None:
    slow, quick = subscriber(bench), subscriber(bench)
    assert slow.listener is not None
    slow.listener.pause()
    slow.unsent = 1
    publish(bench, "x" * LIVE_BYTES_MAX)
    bench.loop.turn()
    assert bench.subscriptions.cut_count == 0
    publish(bench, "text")
    bench.loop.turn()
    assert bench.subscriptions.cut_count == 1
    assert slow.is_gone
    assert bench.log_lines[-1] == "127.0.0.1:5002 takes no messages, connection cut"
    assert texts(quick.taken()) == [b"text"]


def test_the_rest_is_sent_before_the_end(bench: Bench) -> None:
    client = subscriber(bench)
    assert client.listener is not None
    client.listener.pause()
    publish(bench, "text")
    bench.loop.turn()
    client.listener.send(b"+OK\r\n", is_last=True)
    assert b"".join(client.pushed).endswith(b"text\r\n+OK\r\n")
    assert client.is_gone


def test_nobody_is_left_behind_when_a_connection_is_gone(bench: Bench) -> None:
    client = subscriber(bench)
    bench.call("PSUBSCRIBE", "*", client=client)
    assert client.listener is not None
    client.listener.close()
    assert bench.router.publish(b"a", b"text") == 0
