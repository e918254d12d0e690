"""What a fence from a collection remembers lasts beyond restarts, copies and fail-overs."""

import json

import pytest

from tests.support.bench import Bench
from tests.support.embedded import EngineClient, new_engine
from tests.support.engine_logs import loaded, log_of, rewritten
from tests.support.resp import encode_words
from tile38py._engine import Engine

Words = tuple[str | float, ...]
ZONE: Words = ("SET", "zones", "a", "BOUNDS", 0, 0, 9, 9)
CHANNEL: Words = ("SETCHAN", "c", "WITHIN", "fleet", "DETECT", "enter,exit", "IN", "zones")
INSIDE: Words = ("SET", "fleet", "truck", "POINT", 5, 5)
MANY_ZONES = 3000


def told(engine: Engine, *words: str | float) -> list[str]:
    """Run a command and return the detections and zones of its messages."""
    client = EngineClient(engine)
    batch = client.session.feed(encode_words(words), client.now_ns)
    assert not batch.replies.startswith(b"-"), batch.replies
    messages = [json.loads(event.body) for event in batch.events.channels] if batch.events else []
    return [f"{message['detect']} {message['fence']['id']}" for message in messages]


@pytest.mark.parametrize("is_rewritten", [False, True])
def test_a_restart_changes_no_message(*, is_rewritten: bool) -> None:
    log = log_of(ZONE, CHANNEL, INSIDE, ("DEL", "zones", "a"))
    engine = loaded(log)
    if is_rewritten:
        engine = loaded(rewritten(engine))
    assert told(engine, *INSIDE) == ["exit a"]
    assert told(engine, *INSIDE) == []


def test_a_follower_that_becomes_the_leader_remembers() -> None:
    engine = loaded(log_of(ZONE, CHANNEL))
    log = log_of(ZONE, INSIDE, ("DEL", "zones", "a"))
    assert engine.follow(log, 0, EngineClient().now_ns).consumed == len(log)
    assert engine.take_events() is None
    assert told(engine, *INSIDE) == ["exit a"]


def test_a_full_copy_brings_the_memory_along() -> None:
    engine, copy = new_engine(), loaded(log_of(ZONE, CHANNEL, INSIDE))
    engine.adopt(copy)
    engine.take_events()
    assert told(engine, "SET", "fleet", "truck", "POINT", 50, 50) == ["exit a"]


@pytest.mark.parametrize("is_channel_first", [False, True])
def test_zones_are_searched_while_a_large_log_is_loaded(*, is_channel_first: bool) -> None:
    places = range(MANY_ZONES)
    zones: list[Words] = [
        ("SET", "zones", f"z{at}", "BOUNDS", at, at, at + 1, at + 1) for at in places
    ]
    trucks: list[Words] = [("SET", "fleet", f"t{at}", "POINT", at + 0.5, at + 0.5) for at in places]
    head: list[Words] = [CHANNEL, *zones] if is_channel_first else [*zones, CHANNEL]
    engine = loaded(log_of(*head, *trucks))
    assert told(engine, "SET", "fleet", "t2999", "POINT", -50, -50) == ["exit z2999"]
    assert told(engine, "SET", "fleet", "t7", "POINT", 8.5, 8.5) == ["exit z7", "enter z8"]


def test_circles_follow_their_zones() -> None:
    client = EngineClient()
    channel = (*CHANNEL, "RADIUS", "metres")
    client.call("SET", "zones", "old", "FIELD", "metres", 1000, "POINT", 0, 0)
    client.call(*channel)
    place = ("SET", "fleet", "truck", "POINT", 0, 0.005)
    assert told(client.engine, *place) == ["enter old"]
    client.call("FSET", "zones", "old", "metres", 100)
    client.call("SET", "zones", "new", "FIELD", "metres", 100, "POINT", 0, 0.0051)
    assert told(client.engine, *place) == ["exit old", "enter new"]
    client.call("RENAME", "zones", "elsewhere")
    assert told(client.engine, *place) == ["exit new"]
    client.call("FSET", "elsewhere", "old", "metres", 1000)
    client.call("RENAME", "elsewhere", "zones")
    assert told(client.engine, *place) == ["enter new", "enter old"]
    client.call("DROP", "zones")
    client.call("SET", "zones", "z", "FIELD", "metres", 900, "POINT", 0, 0)
    assert told(client.engine, *place) == ["exit new", "exit old", "enter z"]
    client.call("SET", "zones", "z", "BOUNDS", 1, 1, 2, 2)
    assert told(client.engine, *place) == ["exit z"]


def test_a_circle_reaches_across_180_degrees() -> None:
    client = EngineClient()
    client.call("SET", "zones", "z", "FIELD", "metres", 5000, "POINT", 0, 179.99)
    client.call(*CHANNEL, "RADIUS", "metres")
    assert told(client.engine, "SET", "fleet", "ship", "POINT", 0, -179.99) == ["enter z"]


def test_setvisits_replaces_what_is_remembered(bench: Bench) -> None:
    group, other = "0123456789abcdef01234567", "00" * 12
    assert bench.call("SETVISITS", "c") == b":0\r\n"
    bench.call(*map(str, CHANNEL))
    visits = ("SETVISITS", "c", "truck", "b", group, "a", group, "b", other)
    assert bench.call(*visits) == b":1\r\n"
    log = rewritten(bench.engine)
    assert b"$5\r\ntruck\r\n$1\r\na\r\n$24\r\n" + group.encode() in log
    assert log.count(b"$1\r\nb\r\n") == 1
    assert bench.call("SETVISITS", "c", "truck") == b":1\r\n"
    assert b"truck" not in rewritten(bench.engine)
    error = b"-ERR invalid argument '0123'\r\n"
    assert bench.call("SETVISITS", "c", "truck", "a", "0123") == error
    error = b"-ERR wrong number of arguments for 'setvisits' command\r\n"
    assert bench.call("SETVISITS", "c", "truck", "a") == error


def test_the_memory_of_deleted_fences_is_given_back(bench: Bench) -> None:
    bench.call("SET", "zones", "a", "BOUNDS", "0", "0", "9", "9")
    empty = bench.engine.statistics()["fence_bytes"]
    bench.call("SETCHAN", "c", "WITHIN", "fleet", "IN", "zones")
    made = bench.engine.statistics()["fence_bytes"]
    for at in range(100):
        bench.call("SET", "fleet", f"truck{at}", "POINT", "5", "5")
    assert bench.engine.statistics()["fence_bytes"] > made + 100 * 60
    for at in range(100):
        bench.call("SET", "fleet", f"truck{at}", "POINT", "50", "5")
    assert bench.engine.statistics()["fence_bytes"] == made
    bench.call("SET", "fleet", "truck", "POINT", "5", "5")
    bench.call("DELCHAN", "c")
    assert bench.engine.statistics()["fence_bytes"] == empty
