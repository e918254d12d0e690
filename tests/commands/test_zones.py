"""Fences from a collection: the objects of another key are the areas."""

import json
import math

import pytest

from tests.support.bench import Bench
from tests.support.fence_listener import FenceListener, channel, in_short
from tile38py._engine import HookEvent

ZONES_MAX = 10_000
HOOK_URL = "http://127.0.0.1:1/"
FENCE = ("WITHIN", "fleet", "FENCE", "DETECT", "enter,exit,inside", "IDS", "IN", "zones")


def square(bench: Bench, zone: str, low: float, high: float, *fields: str) -> None:
    """Set a zone: a box between two corners on the diagonal."""
    box = ("BOUNDS", str(low), str(low), str(high), str(high))
    assert bench.call("SET", "zones", zone, *fields, *box) == b"+OK\r\n"


def move(bench: Bench, place: float, *options: str, name: str = "truck") -> None:
    """Set an object on the diagonal."""
    point = ("POINT", str(place), str(place))
    assert bench.call("SET", "fleet", name, *options, *point) == b"+OK\r\n"


def test_each_zone_is_entered_and_left_by_itself(bench: Bench) -> None:
    square(bench, "a", 0, 10)
    square(bench, "b", 5, 15)
    ears = channel(bench, *FENCE)
    told = []
    for place in (-1, 2, 7, 12, 20):
        move(bench, place)
        told.append(ears.told())
    assert told == [
        [],
        ["enter a", "inside a"],
        ["enter b", "inside a", "inside b"],
        ["exit a", "inside b"],
        ["exit b"],
    ]


def test_the_message_names_the_zone_and_the_visit(bench: Bench) -> None:
    square(bench, "a", 0, 10, "FIELD", "limit", "30")
    ears = channel(bench, *FENCE, "WITHFIELDS")
    for place in (5, 6, 11, 5):
        move(bench, place)
    messages = ears.messages()
    fence = {"key": "zones", "id": "a", "fields": {"limit": 30}}
    assert [message["fence"] for message in messages] == [fence] * 6
    assert list(messages[0]) == [
        *("command", "group", "detect", "hook", "key", "time", "id", "fence"),
    ]
    groups = [message["group"] for message in messages]
    assert len(set(groups[:4])) == 1
    assert groups[4] == groups[5] != groups[0]


def test_changes_of_zones_take_effect_with_the_next_write(bench: Bench) -> None:
    ears = channel(bench, *FENCE[:4], "enter,exit", *FENCE[5:])
    move(bench, 5)
    square(bench, "new", 0, 10)
    assert ears.told() == []
    move(bench, 5)
    assert ears.told() == ["enter new"]
    square(bench, "new", 0, 1)
    square(bench, "other", 4, 6)
    move(bench, 5)
    assert ears.told() == ["exit new", "enter other"]
    bench.call("DEL", "zones", "other")
    move(bench, 5)
    assert ears.told() == ["exit other"]
    square(bench, "third", 0, 10)
    move(bench, 5)
    assert bench.call("DROP", "zones") == b":1\r\n"
    bench.call("SET", "elsewhere", "moved", "BOUNDS", "0", "0", "9", "9")
    assert bench.call("RENAME", "elsewhere", "zones") == b"+OK\r\n"
    move(bench, 5)
    assert ears.told() == ["enter third", "exit third", "enter moved"]


def test_an_object_that_was_inside_before_the_fence_enters_with_its_next_write(
    bench: Bench,
) -> None:
    square(bench, "a", 0, 10)
    move(bench, 5)
    ears = channel(bench, *FENCE)
    bench.call("FSET", "fleet", "truck", "speed", "5")
    bench.call("EXPIRE", "fleet", "truck", "100")
    assert ears.told() == ["enter a", "inside a", "inside a"]


def test_outside_is_told_once_for_an_object_in_no_zone(bench: Bench) -> None:
    square(bench, "a", 0, 10)
    square(bench, "b", 0, 10)
    ears = channel(bench, "WITHIN", "fleet", "FENCE", "IDS", "IN", "zones")
    told = []
    for place in (20, 5, 20):
        move(bench, place)
        told.append(ears.told())
    assert told == [
        ["outside -"],
        ["enter a", "enter b", "inside a", "inside b"],
        ["exit a", "exit b", "outside -"],
    ]


@pytest.mark.parametrize(
    ("detect", "told"),
    [
        ("enter", ["enter a"]),
        ("inside", ["inside a", "inside a"]),
        ("exit", ["exit a"]),
        ("cross", ["cross a"]),
        ("outside", ["outside -", "outside -", "outside -"]),
        ("cross,outside", ["outside -", "outside -", "cross a", "outside -"]),
    ],
)
def test_detect_selects(bench: Bench, detect: str, told: list[str]) -> None:
    square(bench, "a", 0, 10)
    ears = channel(bench, "INTERSECTS", "fleet", "DETECT", detect, "IDS", "IN", "zones")
    for place in (-5, 5, 6, 20, -5):
        move(bench, place)
    assert ears.told() == told


def test_a_movement_across_180_degrees_crosses_the_zones_there(bench: Bench) -> None:
    for zone, west in (("east", "170"), ("middle", "-10"), ("west", "-175")):
        bench.call("SET", "zones", zone, "BOUNDS", "-1", west, "1", str(int(west) + 5))
    ears = channel(bench, "WITHIN", "fleet", "DETECT", "cross", "IDS", "IN", "zones")
    bench.call("SET", "fleet", "ship", "POINT", "0", "160")
    bench.call("SET", "fleet", "ship", "POINT", "0", "-160")
    assert ears.told() == ["cross east", "cross west"]


def test_a_string_is_in_no_zone_and_strings_are_no_zones(bench: Bench) -> None:
    square(bench, "a", -10, 10)
    bench.call("SET", "zones", "b", "STRING", "text")
    ears = channel(bench, *FENCE)
    move(bench, 0)
    bench.call("SET", "fleet", "truck", "STRING", "text")
    move(bench, 0)
    assert ears.told() == ["enter a", "inside a", "exit a", "enter a", "inside a"]


def test_filters_before_in_select_objects_and_those_behind_it_zones(bench: Bench) -> None:
    square(bench, "a", 0, 10, "FIELD", "kind", "school")
    square(bench, "b", 0, 10, "FIELD", "kind", "toll")
    square(bench, "x", 0, 10, "FIELD", "kind", "school")
    fence = ("WITHIN", "fleet", "WHERE", "speed", "5", "inf", "MATCH", "t*", *FENCE[2:])
    ears = channel(bench, *fence, "WHERE", "kind", "==", "school", "MATCH", "[ab]")
    move(bench, 5, "FIELD", "speed", "1")
    move(bench, 5, "FIELD", "speed", "9", name="van")
    assert ears.told() == []
    bench.call("FSET", "fleet", "truck", "speed", "7")
    assert ears.told() == ["enter a", "inside a"]
    bench.call("FSET", "zones", "b", "kind", "school")
    bench.call("FSET", "zones", "a", "kind", "toll")
    move(bench, 6)
    assert ears.told() == ["exit a", "enter b", "inside b"]
    bench.call("FSET", "fleet", "truck", "speed", "1")
    assert ears.told() == ["exit b"]


def test_a_deletion_names_the_zones_that_the_object_was_in(bench: Bench) -> None:
    square(bench, "a", 0, 10)
    square(bench, "b", 0, 10)
    ears = channel(bench, *FENCE[:4], "enter", *FENCE[5:])
    live = FenceListener(bench, *FENCE[:4], "enter", *FENCE[5:])
    for name, place in (("in", 5.0), ("out", 20.0)):
        move(bench, place, name=name)
        bench.call("DEL", "fleet", name)
    move(bench, 5, name="in")
    bench.call("DROP", "fleet")
    move(bench, 5, name="in")
    visit = ["enter a", "enter b"]
    assert ears.told() == [*visit, "del a", "del b", *visit, *visit]
    assert live.told() == [*visit, "del a", "del b", "del -", *visit, "drop -", *visit]


def test_commands_and_nofields_silence_messages(bench: Bench) -> None:
    square(bench, "a", 0, 10)
    ears = channel(bench, "WITHIN", "fleet", "COMMANDS", "set", "NOFIELDS", "IDS", "IN", "zones")
    move(bench, 5)
    bench.call("FSET", "fleet", "truck", "speed", "7")
    bench.call("EXPIRE", "fleet", "truck", "100")
    bench.call("DEL", "fleet", "truck")
    assert ears.told() == ["enter a", "inside a"]


def test_a_hook_gets_messages_and_shows_its_words(bench: Bench) -> None:
    square(bench, "a", 0, 10)
    words = ("within", "fleet", "FENCE", "IN", "zones", "match", "*", "withfields")
    bench.call("SETHOOK", "h", HOOK_URL, *words)
    move(bench, 5)
    bench.fake_journal.flush()
    events = [event for event in bench.hooks.taken if isinstance(event, HookEvent)]
    told = [in_short(json.loads(event.body)) for event in events]
    assert told == ["enter a", "inside a"]
    listed = bench.call("HOOKS", "*")
    assert b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words) in listed


def test_a_live_fence_with_circles_outlives_flushdb(bench: Bench) -> None:
    live = FenceListener(bench, *FENCE, "RADIUS", "metres")
    circle = ("SET", "zones", "a", "FIELD", "metres", "5000", "POINT", "0", "0")
    bench.call(*circle)
    move(bench, 0.01)
    bench.call("FLUSHDB")
    move(bench, 0.01)
    bench.call(*circle)
    move(bench, 0.01)
    assert live.told() == ["enter a", "inside a", "enter a", "inside a"]


def test_the_distance_is_measured_from_the_middle_of_the_zone(bench: Bench) -> None:
    square(bench, "a", 0, 10)
    ears = channel(bench, "NEARBY", "fleet", "DETECT", "inside,exit", "DISTANCE", "IN", "zones")
    move(bench, 5)
    bench.call("DEL", "zones", "a")
    move(bench, 5)
    assert [message.get("distance") for message in ears.messages()] == [0, None]


def test_the_zones_have_to_be_readable(bench: Bench) -> None:
    bench.call("ACL", "SETUSER", "ann", "on", ">secret", "+@all", "~fleet", "&*")
    ann = bench.new_client()
    assert bench.call("AUTH", "ann", "secret", client=ann) == b"+OK\r\n"
    assert bench.call("SETCHAN", "c", *FENCE, client=ann).startswith(b"-NOPERM")
    assert bench.call(*FENCE, client=ann).startswith(b"-NOPERM")
    bench.call("SETCHAN", "c", *FENCE)
    assert bench.call("CHANS", "*", client=ann) == b"*0\r\n"
    assert bench.call("SETVISITS", "c", client=ann).startswith(b"-NOPERM")
    bench.call("ACL", "SETUSER", "ann", "%R~zones")
    assert bench.call("SETCHAN", "c", *FENCE, client=ann) == b":0\r\n"


def test_a_crowd_of_zones_is_cut_at_those_with_the_least_ids(bench: Bench) -> None:
    ears = channel(bench, "WITHIN", "fleet", "DETECT", "enter,exit", "IDS", "IN", "zones")
    for at in range(ZONES_MAX + 5):
        square(bench, f"z{at:05}", 0, 10)
    move(bench, 5)
    told = ears.told()
    assert (len(told), told[-1]) == (ZONES_MAX, f"enter z{ZONES_MAX - 1:05}")
    move(bench, 50)
    assert len(ears.told()) == ZONES_MAX


def test_a_long_way_crosses_the_zones_on_it_alone(bench: Bench) -> None:
    for x in range(-20, 20):
        for y in range(-20, 20):
            bench.call("SET", "zones", f"{x},{y}", "BOUNDS", *map(str, (y, x, y + 0.5, x + 0.5)))
    ears = channel(bench, "WITHIN", "fleet", "DETECT", "cross", "IDS", "IN", "zones")
    move(bench, -30)
    move(bench, 30)
    assert set(ears.told()) == {f"cross {at},{at}" for at in range(-20, 20)}


@pytest.mark.parametrize("option", ["SEQUENCE yes", "HISTORY 9", "SEQUENCE yes HISTORY 9"])
def test_options_of_delivery_hide_no_key_from_rights(bench: Bench, option: str) -> None:
    bench.call("ACL", "SETUSER", "ann", "on", ">secret", "+@all", "~yes", "~9", "~own", "&*")
    ann = bench.new_client()
    assert bench.call("AUTH", "ann", "secret", client=ann) == b"+OK\r\n"
    fence = ("BOUNDS", "0", "0", "9", "9")
    secret = ("SETCHAN", "c", *option.split(), "WITHIN", "secret", *fence)
    assert bench.call(*secret, client=ann).startswith(b"-NOPERM")
    own = ("SETCHAN", "c", *option.split(), "WITHIN", "own", *fence)
    assert bench.call(*own, client=ann) == b":1\r\n"


def test_a_zone_of_a_hundred_thousand_corners(bench: Bench) -> None:
    turns = [2 * math.pi * at / 100_000 for at in range(100_000)]
    radii = [8 + math.cos(turn * 500) for turn in turns]
    ring = [[r * math.cos(turn), r * math.sin(turn)] for r, turn in zip(radii, turns, strict=True)]
    shape = json.dumps({"type": "Polygon", "coordinates": [[*ring, ring[0]]]})
    bench.call("SET", "zones", "sun", "OBJECT", shape)
    ears = channel(bench, *FENCE[:4], "enter,exit", *FENCE[5:])
    expected, was_inside = [], False
    for at in range(0, 100_000, 25):
        distance = 8.5 if at % 50 else 7.5
        x, y = (distance / radii[at] * value for value in ring[at])
        bench.call("SET", "fleet", "truck", "POINT", str(y), str(x))
        is_inside = distance < radii[at]
        if is_inside != was_inside:
            expected.append("enter sun" if is_inside else "exit sun")
        was_inside = is_inside
    assert len(expected) > 100
    assert ears.told() == expected


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("WITHIN", "fleet", "IN", "fleet"), "ERR a key cannot have its own objects as zones"),
        (("WITHIN", "fleet", "BUFFER", "5", "IN", "zones"), "BUFFER is not allowed for IN"),
        (("WITHIN", "fleet", "IN", "zones", "POINT"), "ERR invalid argument 'POINT'"),
        (("WITHIN", "fleet", "IN"), "ERR wrong number of arguments for 'setchan' command"),
        (
            ("WITHIN", "fleet", "IN", "zones", "MATCH"),
            "ERR wrong number of arguments for 'setchan' command",
        ),
        (
            ("NEARBY", "fleet", "IN", "zones", "WITHFIELDS", "WITHFIELDS"),
            "ERR duplicate argument 'WITHFIELDS'",
        ),
    ],
)
def test_errors(bench: Bench, words: tuple[str, ...], error: str) -> None:
    assert bench.call("SETCHAN", "c", *words) == f"-{error}\r\n".encode()


def test_a_search_that_is_no_fence_has_no_zones(bench: Bench) -> None:
    reply = bench.call("WITHIN", "fleet", "IN", "zones")
    assert reply == b"-ERR invalid argument 'IN'\r\n"
