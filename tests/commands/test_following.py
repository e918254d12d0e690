"""FOLLOWING: fences whose area is where another object is."""

import pytest

from tests.support.bench import Bench
from tests.support.embedded import EngineClient, accept_commands, new_engine, rewritten_log
from tests.support.fence_listener import FenceListener, channel, in_short
from tests.support.resp import encode_words

AREA = ("GET", "trucks", "t1", "FOLLOWING")
FENCE = ("WITHIN", "fleet", "DETECT", "enter,exit,inside", "IDS", *AREA)


def square(bench: Bench, low: float, high: float, *, key: str = "trucks") -> None:
    """Set the object that the fence follows: a box between two corners on the diagonal."""
    box = ("BOUNDS", str(low), str(low), str(high), str(high))
    assert bench.call("SET", key, "t1", *box) == b"+OK\r\n"


def move(bench: Bench, place: float, *, name: str = "van") -> None:
    """Set an object on the diagonal."""
    point = ("POINT", str(place), str(place))
    assert bench.call("SET", "fleet", name, *point) == b"+OK\r\n"


def test_the_area_is_where_the_object_is(bench: Bench) -> None:
    square(bench, 0, 10)
    listener = channel(bench, *FENCE)
    told = []
    for low, place in ((0, 5), (0, 6), (20, 6), (20, 25), (20, 5), (0, 5)):
        square(bench, low, low + 10)
        move(bench, place)
        told.append(listener.told())
    assert told == [
        ["enter t1", "inside t1"],
        ["inside t1"],
        ["exit t1"],
        ["enter t1", "inside t1"],
        ["exit t1"],
        ["enter t1", "inside t1"],
    ]


def test_writes_of_the_followed_object_send_nothing(bench: Bench) -> None:
    move(bench, 5)
    listener = channel(bench, *FENCE)
    square(bench, 0, 10)
    square(bench, 20, 30)
    assert listener.told() == []


@pytest.mark.parametrize("detect", ["enter,exit", "enter,exit,cross", "enter,exit,outside"])
def test_an_object_leaves_an_area_that_moved_far_away_and_one_that_is_gone(
    bench: Bench, detect: str
) -> None:
    square(bench, 0, 10)
    listener = channel(bench, "WITHIN", "fleet", "DETECT", detect, "IDS", *AREA)

    def told() -> list[str]:
        return [word for word in listener.told() if not word.startswith("outside")]

    move(bench, 5)
    square(bench, 60, 70)
    move(bench, 5)
    assert told() == ["enter t1", "exit t1"]
    for command in (("DEL", "trucks", "t1"), ("DROP", "trucks"), ("RENAME", "trucks", "old")):
        square(bench, 0, 10)
        move(bench, 5)
        bench.call(*command)
        move(bench, 5)
        move(bench, 6)
        assert told() == ["enter t1", "exit t1"], command


def test_the_object_need_not_exist_when_the_fence_is_made(bench: Bench) -> None:
    listener = channel(bench, *FENCE)
    move(bench, 5)
    bench.call("SET", "trucks", "t1", "STRING", "text")
    move(bench, 5)
    assert listener.told() == []
    square(bench, 0, 10, key="garage")
    bench.call("RENAME", "garage", "trucks")
    move(bench, 5)
    assert listener.told() == ["enter t1", "inside t1"]


def test_a_deletion_tells_that_the_object_was_there(bench: Bench) -> None:
    square(bench, 0, 10)
    listener = channel(bench, *FENCE)
    move(bench, 5)
    square(bench, 60, 70)
    bench.call("DEL", "fleet", "van")
    move(bench, 5)
    assert listener.told() == ["enter t1", "inside t1", "del t1"]
    square(bench, 0, 10)
    move(bench, 5)
    bench.call("DROP", "fleet")
    move(bench, 5)
    assert listener.told() == ["enter t1", "inside t1", "enter t1", "inside t1"]


def test_buffer_and_nearby_make_circles_that_move(bench: Bench) -> None:
    words = ("DETECT", "enter,exit", "IDS")
    wide = channel(bench, "WITHIN", "fleet", "BUFFER", "20000", *words, *AREA)
    near = FenceListener(
        bench, "NEARBY", "fleet", "FENCE", *words, "OBJECT", "trucks", "t1", "20000"
    )
    for place in (5, 50):
        bench.call("SET", "trucks", "t1", "POINT", str(place), str(place))
        move(bench, place + 0.1)
    assert wide.told() == near.told() == ["enter t1"]
    move(bench, 10)
    assert wide.told() == near.told() == ["exit t1"]


def test_an_object_is_not_in_its_own_area(bench: Bench) -> None:
    fence = ("NEARBY", "fleet", "FENCE", "IDS", "OBJECT", "fleet", "t1", "20000")
    listener = FenceListener(bench, *fence)
    for place in (5, 6):
        move(bench, place, name="t1")
        move(bench, place)
    bench.call("DEL", "fleet", "t1")
    move(bench, 6)
    assert listener.told() == [
        *("enter t1", "inside t1", "inside t1"),
        *("exit t1", "outside -"),
    ]


def test_cross_is_of_the_present_area(bench: Bench) -> None:
    listener = channel(bench, "WITHIN", "fleet", "DETECT", "cross", "IDS", *AREA)
    move(bench, -5)
    for low, place in ((0, 15), (40, -5), (40, 70), (0, 71)):
        square(bench, low, low + 10)
        move(bench, place)
    assert listener.told() == ["cross t1", "cross t1"]


def test_flushdb_ends_the_areas_of_live_fences(bench: Bench) -> None:
    live = FenceListener(bench, *FENCE[:2], "FENCE", *FENCE[2:])
    square(bench, 0, 10)
    move(bench, 5)
    bench.call("FLUSHDB")
    move(bench, 5)
    square(bench, 0, 10)
    move(bench, 5)
    assert live.told() == ["enter t1", "inside t1", "enter t1", "inside t1"]


def test_messages_name_the_object_and_measure_from_it(bench: Bench) -> None:
    square(bench, 0, 10)
    fence = ("WITHIN", "fleet", "FENCE", "DETECT", "enter", "DISTANCE", *AREA)
    listener = FenceListener(bench, *fence)
    move(bench, 5)
    [message] = listener.messages()
    assert in_short(message) == "enter t1"
    assert message["fence"] == {"key": "trucks", "id": "t1"}
    nearby = ("NEARBY", "fleet", "FENCE", "DISTANCE", "OBJECT", "trucks", "t1", "9000")
    listener = FenceListener(bench, *nearby)
    move(bench, 5)
    assert [message["distance"] for message in listener.messages()] == [0, 0]


def test_the_log_has_the_words_and_a_rewritten_one_the_memory() -> None:
    client = EngineClient()
    for words in (
        ("SETCHAN", "c", *FENCE),
        ("SET", "trucks", "t1", "BOUNDS", "0", "0", "9", "9"),
        ("SET", "fleet", "van", "POINT", "5", "5"),
        ("DEL", "trucks", "t1"),
    ):
        client.call(*words)
    assert b"FOLLOWING" in client.log
    for log in (client.log, rewritten_log(client.engine, client.now_ns)):
        engine = new_engine()
        assert engine.load(log, client.now_ns).error is None
        engine.take_events()
        accept_commands(engine)
        session = engine.session()
        batch = session.feed(encode_words(("SET", "fleet", "van", "POINT", 5, 5)), client.now_ns)
        assert batch.events is not None
        assert b'"detect":"exit"' in batch.events.channels[0].body


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("WITHIN", "fleet", *AREA, "CLIPBY"), "CLIPBY is not allowed for FOLLOWING"),
        (("WITHIN", "fleet", "GET", "trucks", "t1"), "ERR key not found"),
        (("NEARBY", "fleet", *AREA), "ERR invalid argument 'GET'"),
        (("NEARBY", "fleet", "OBJECT", "a", "b", "c"), "ERR invalid argument 'c'"),
        (
            ("NEARBY", "fleet", "BUFFER", "5", "OBJECT", "a", "b"),
            "BUFFER is not allowed for NEARBY",
        ),
        (
            ("NEARBY", "fleet", "OBJECT", "a"),
            "ERR wrong number of arguments for 'setchan' command",
        ),
    ],
)
def test_errors(bench: Bench, words: tuple[str, ...], error: str) -> None:
    assert bench.call("SETCHAN", "c", *words) == f"-{error}\r\n".encode()
