"""Oddities of fences that clients of Tile38 know: those we keep and those we mended."""

import json

import pytest

from tests.support.bench import Bench

Message = dict[str, object]
HOOK_URL = "http://127.0.0.1:1/"


class Ears:
    """What one connection hears."""

    def __init__(self, bench: Bench, *words: str) -> None:
        self._bench = bench
        self._client = bench.new_client()
        bench.call(*words, client=self._client)

    def hear(self) -> list[Message]:
        """The messages since the last look."""
        self._bench.fake_journal.flush()
        while self._bench.loop.soon:
            self._bench.loop.turn()
        lines = self._client.taken().split(b"\r\n")
        return [json.loads(line) for line in lines if line.startswith(b'{"command"')]


def move(bench: Bench, *place: str, key: str = "fleet", name: str = "truck") -> None:
    """Set an object somewhere."""
    assert bench.call("SET", key, name, *place) == b"+OK\r\n"
    bench.fake_journal.flush()


def detects(messages: list[Message]) -> list[object]:
    """What they tell of."""
    return [message["detect"] for message in messages]


def live(bench: Bench, *words: str) -> Ears:
    """A live fence."""
    return Ears(bench, *words)


def channel(bench: Bench, *words: str) -> Ears:
    """A channel and a subscriber of it."""
    bench.call("SETCHAN", "c", *words)
    bench.fake_journal.flush()
    return Ears(bench, "SUBSCRIBE", "c")


WITHIN = ("WITHIN", "fleet", "FENCE", "BOUNDS", "0", "0", "10", "10")


def test_each_live_fence_has_groups_of_its_own(bench: Bench) -> None:
    one, other = live(bench, *WITHIN), live(bench, *WITHIN)
    move(bench, "POINT", "5", "5")
    move(bench, "POINT", "6", "6")
    groups = [{message["group"] for message in ears.hear()} for ears in (one, other)]
    assert [len(found) for found in groups] == [1, 1]
    assert groups[0] != groups[1]


def test_a_second_visit_has_another_group_where_only_enter_is_told(bench: Bench) -> None:
    words = ("WITHIN", "fleet", "FENCE", "DETECT", "enter,exit", *WITHIN[3:])
    ears = channel(bench, *words)
    for place in ("5", "50", "5"):
        move(bench, "POINT", place, place)
    messages = ears.hear()
    assert detects(messages) == ["enter", "exit", "enter"]
    assert messages[0]["group"] == messages[1]["group"] != messages[2]["group"]


def test_an_object_that_fset_lets_in_again_keeps_its_group(bench: Bench) -> None:
    words = ("WITHIN", "fleet", "WHERE", "speed", "5", "10", "FENCE", "DETECT", "enter,exit,inside")
    ears = channel(bench, *words, *WITHIN[3:])
    for speed in ("7", "1"):
        move(bench, "FIELD", "speed", speed, "POINT", "5", "5")
    bench.call("FSET", "fleet", "truck", "speed", "8")
    messages = ears.hear()
    assert detects(messages) == ["enter", "inside", "exit", "inside"]
    assert len({message["group"] for message in messages}) == 1


def test_ids_with_distance_nest_the_id_as_in_tile38(bench: Bench) -> None:
    fence = ("NEARBY", "fleet", "FENCE", "DISTANCE", "IDS", "POINT", "0", "0", "1000")
    ears = live(bench, *fence)
    move(bench, "POINT", "0", "0")
    assert [message["id"] for message in ears.hear()] == [{"id": "truck", "distance": 0}] * 2


def test_roam_measures_around_a_circle_not_its_box(bench: Bench) -> None:
    move(bench, "POINT", "0.0085", "0.0085", name="in-the-corner")
    move(bench, "POINT", "0.006", "0.006", name="near")
    ears = live(bench, "NEARBY", "fleet", "FENCE", "ROAM", "fleet", "*", "1000")
    move(bench, "POINT", "0", "0")
    (message,) = ears.hear()
    nearby = message["nearby"]
    assert isinstance(nearby, dict)
    assert (nearby["id"], nearby["meters"]) == ("near", 943.52)


def test_roam_meets_shapes_at_their_border_and_across_180_degrees(bench: Bench) -> None:
    line = '{"type":"LineString","coordinates":[[-179.99,-1],[-179.99,1]]}'
    move(bench, "OBJECT", line, name="line")
    ears = live(bench, "NEARBY", "fleet", "FENCE", "ROAM", "fleet", "*", "3000")
    move(bench, "POINT", "0", "179.99")
    (message,) = ears.hear()
    nearby = message["nearby"]
    assert isinstance(nearby, dict)
    assert (nearby["id"], nearby["meters"]) == ("line", 2223.898)


def test_roam_with_detect_is_silent_as_in_tile38(bench: Bench) -> None:
    move(bench, "POINT", "0", "0", name="other")
    words = ("NEARBY", "fleet", "FENCE", "DETECT", "inside", "ROAM", "fleet", "*", "1000")
    ears = live(bench, *words)
    move(bench, "POINT", "0", "0")
    assert ears.hear() == []


def test_roam_ignores_where_as_in_tile38(bench: Bench) -> None:
    move(bench, "POINT", "0", "0", name="other")
    words = ("NEARBY", "fleet", "WHERE", "speed", "5", "6", "FENCE", "ROAM", "fleet", "*", "1000")
    ears = live(bench, *words)
    move(bench, "POINT", "0", "0")
    assert detects(ears.hear()) == ["roam"]


def test_a_string_that_becomes_a_point_crosses_nothing(bench: Bench) -> None:
    words = ("WITHIN", "fleet", "FENCE", "BOUNDS", "1", "1", "2", "2")
    ears = channel(bench, *words)
    move(bench, "STRING", "text")
    move(bench, "POINT", "5", "5")
    assert detects(ears.hear()) == ["outside"]


def test_an_area_that_only_overlaps_and_stays_crosses_nothing(bench: Bench) -> None:
    ears = channel(bench, *WITHIN)
    for _ in range(2):
        move(bench, "BOUNDS", "-1", "-1", "11", "11")
    assert detects(ears.hear()) == ["outside", "outside"]


@pytest.mark.parametrize("longitude", ["179.95", "-179.95"])
def test_a_circle_across_180_degrees_is_heard_on_both_sides(bench: Bench, longitude: str) -> None:
    words = ("NEARBY", "fleet", "FENCE", "DETECT", "enter", "POINT", "0", "179.99", "50000")
    ears = channel(bench, *words)
    move(bench, "POINT", "0", longitude)
    assert detects(ears.hear()) == ["enter"]


def test_writes_to_another_key_say_nothing_to_a_fence(bench: Bench) -> None:
    ears = channel(bench, *WITHIN)
    move(bench, "POINT", "5", "5", key="other")
    assert ears.hear() == []


def test_mqtt_with_a_quality_that_there_is_none_of_is_refused(bench: Bench) -> None:
    for quality, is_fine in (("2", True), ("3", False), ("255", False)):
        url = f"mqtt://127.0.0.1/topic?qos={quality}"
        reply = bench.call("SETHOOK", "h", url, *WITHIN)
        bench.fake_journal.flush()
        assert (b"invalid argument" not in reply) is is_fine


def test_an_area_that_get_fetched_stays_and_is_listed_as_it_was_typed(bench: Bench) -> None:
    move(bench, "BOUNDS", "0", "0", "10", "10", key="zones", name="z")
    bench.call("SETHOOK", "h", HOOK_URL, "WITHIN", "fleet", "FENCE", "GET", "zones", "z")
    ears = channel(bench, "WITHIN", "fleet", "FENCE", "GET", "zones", "z")
    bench.call("DEL", "zones", "z")
    bench.fake_journal.flush()
    move(bench, "POINT", "5", "5")
    assert detects(ears.hear()) == ["enter", "inside"]
    assert b"GET\r\n$5\r\nzones\r\n$1\r\nz\r\n" in bench.call("HOOKS", "*")
