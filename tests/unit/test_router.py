"""The router: events reach channels, live fences, hooks and followers, in order, after the log."""

import pytest

from tests.support.bench import Bench
from tests.support.fakes import FakeClient
from tile38py._engine import HookEvent
from tile38py.interfaces import Wire

AREA = ("WITHIN", "k", "FENCE", "DETECT", "enter", "IDS", "BOUNDS", "0", "0", "9", "9")


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.call("SETHOOK", "h", "http://x/y", *AREA)
    bench.call("SETCHAN", "c", *AREA)
    written(bench)
    return bench


def written(bench: Bench) -> None:
    """The log is written, and everything is sent that waited for it."""
    bench.fake_journal.flush()
    bench.loop.turn()


def watcher(bench: Bench, wire: Wire = Wire.RESP) -> FakeClient:
    """A client that watches a live fence over the same area."""
    client = bench.new_client()
    client.wire = wire
    bench.call(*AREA, client=client)
    client.taken()
    return client


def taken(bench: Bench) -> list[str]:
    """What delivery got since the last look: ids of events, names of hooks that changed."""
    found = bench.hooks.taken[:]
    bench.hooks.taken.clear()
    return [
        event.object_id if isinstance(event, HookEvent) else f"{event.hook} changed"
        for event in found
    ]


def test_each_kind_goes_its_way(bench: Bench) -> None:
    live, socket = watcher(bench), watcher(bench, Wire.WEBSOCKET)
    subscriber = bench.new_client()
    bench.call("SUBSCRIBE", "c", client=subscriber)
    subscriber.taken()
    taken(bench)
    bench.call("SET", "k", "a", "POINT", "1", "1")
    written(bench)
    assert b'"key":"k"' in live.taken()
    assert socket.taken().startswith(b"\x81")
    assert subscriber.taken().startswith(b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n")
    [event] = bench.hooks.taken
    assert isinstance(event, HookEvent)
    assert (event.hook, event.key, event.object_id, event.detect) == ("h", "k", "a", "enter")
    assert b'"hook":"h"' in event.body


@pytest.mark.parametrize(
    ("key", "shown"), [(b"\xff\xe2\x82x", "\ufffd\ufffd\ufffdx"), ('é"'.encode(), 'é"')]
)
def test_keys_and_ids_are_as_in_messages(bench: Bench, key: bytes, shown: str) -> None:
    bench.call(
        "SETHOOK", b"\xfe", "http://x/y", "WITHIN", key, "FENCE", "BOUNDS", "0", "0", "9", "9"
    )
    bench.call("SET", key, key, "POINT", "1", "1")
    written(bench)
    event = bench.hooks.taken[-1]
    assert isinstance(event, HookEvent)
    assert (event.hook, event.key, event.object_id) == ("\udcfe", shown, shown)


def test_nothing_is_handed_on_before_the_log_is_written(bench: Bench) -> None:
    taken(bench)
    bench.call("SET", "k", "a", "POINT", "1", "1")
    assert taken(bench) == []
    bench.fake_journal.flush("full")
    assert taken(bench) == []
    bench.router.recovered()
    assert taken(bench) == ["a"]


def test_a_fence_that_nobody_watches_any_more_sends_nothing(bench: Bench) -> None:
    live = watcher(bench)
    bench.call("SET", "k", "a", "POINT", "1", "1")
    assert live.listener is not None
    live.listener.close()
    bench.call("SET", "k", "b", "POINT", "1", "1")
    live.is_gone = False  # so that it would take what it is sent
    bench.fake_journal.flush()
    live.taken()
    bench.loop.turn()
    assert b'"id":"b"' not in live.taken()


@pytest.mark.parametrize(
    ("join", "leave"),
    [
        (("SUBSCRIBE", "c"), ("UNSUBSCRIBE", "c")),
        (("PSUBSCRIBE", "*"), ("PUNSUBSCRIBE",)),
        (("SUBSCRIBE", "c", "others"), ("UNSUBSCRIBE", "c")),
        (("MONITOR",), ("RESET",)),
        (AREA, ("RESET",)),
    ],
)
def test_nothing_comes_behind_the_reply_that_ends_a_subscription(
    bench: Bench, join: tuple[str, ...], leave: tuple[str, ...]
) -> None:
    client, other = bench.new_client(), bench.new_client()
    for one in (client, other):
        bench.call(*join, client=one)
        one.taken()
    bench.call("SET", "k", "a", "POINT", "1", "1")
    bench.call("PUBLISH", "c", "hello")
    # The log isn't written yet, so the messages wait.
    bench.call(*leave, client=client)
    client.taken()
    written(bench)
    assert client.taken() == b""
    assert other.taken()


def test_whatever_a_watcher_says_ends_it(bench: Bench) -> None:
    for words in (b"QUIT\r\n", b"PING\r\n"):
        client = watcher(bench)
        assert bench.send(words, client) == b""
        assert client.is_gone


def test_changes_of_hooks_keep_their_place_among_events(bench: Bench) -> None:
    taken(bench)
    hook = b"SETHOOK h http://x/z WITHIN k FENCE DETECT enter BOUNDS 0 0 9 9\r\n"
    bench.send(b"SET k a POINT 1 1\r\nDELHOOK h\r\n" + hook + b"SET k b POINT 1 1\r\n")
    written(bench)
    assert taken(bench) == ["a", "h changed", "h changed", "b"]


def test_followers_get_messages_of_channels(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    forwarded: list[tuple[bytes, bytes]] = []
    monkeypatch.setattr(bench.router, "_forward", lambda *words: forwarded.append(words))
    bench.call("SET", "k", "a", "POINT", "1", "1")
    bench.call("PUBLISH", "d", "text")
    # At once: a follower's stream has its own place for them, behind the write.
    [(channel, body), published] = forwarded
    assert channel == b"c"
    assert b'"id":"a"' in body
    assert published == (b"d", b"text")
