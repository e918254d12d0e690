"""Searches find what going through all objects finds, while objects come, move and go."""

import json

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.embedded import EngineClient, run_unit
from tests.support.resp import Reply, encode_command
from tests.support.sphere import distance_meters
from tile38py._engine import ReadUnit

IDS = st.integers(0, 40).map(lambda number: f"id-{number}")
LATITUDES = st.integers(-9000, 9000).map(lambda number: number / 100)
LONGITUDES = st.integers(-18000, 18000).map(lambda number: number / 100)
SIZES = st.integers(0, 2000).map(lambda number: number / 100)
LIMIT = ("LIMIT", 1000)

Box = tuple[float, float, float, float]  # south, west, north, east


def ids_in(reply: Reply) -> list[str]:
    assert isinstance(reply, list), reply
    return [str(item).removeprefix("$ ") for item in reply[1]]


def touches(a: Box, b: Box) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def contains(outer: Box, inner: Box) -> bool:
    is_tall_enough = outer[0] <= inner[0] and inner[2] <= outer[2]
    return is_tall_enough and outer[1] <= inner[1] and inner[3] <= outer[3]


class Index(RuleBasedStateMachine):
    """An engine and a dictionary that go through the same changes."""

    def __init__(self) -> None:
        super().__init__()
        self.client = EngineClient()
        self.boxes: dict[str, Box] = {}
        self.copies: list[tuple[EngineClient, dict[str, Box]]] = []

    @rule(object_id=IDS, latitude=LATITUDES, longitude=LONGITUDES)
    def place_a_point(self, object_id: str, latitude: float, longitude: float) -> None:
        words = ("SET", "k", object_id, "POINT", latitude, longitude)
        assert self.client.call(*words) == "+OK"
        self.boxes[object_id] = (latitude, longitude, latitude, longitude)

    @rule(object_id=IDS, south=LATITUDES, west=LONGITUDES, height=SIZES, width=SIZES)
    def place_a_box(
        self, object_id: str, south: float, west: float, height: float, width: float
    ) -> None:
        box = (south, west, min(south + height, 90.0), min(west + width, 180.0))
        assert self.client.call("SET", "k", object_id, "BOUNDS", *box) == "+OK"
        self.boxes[object_id] = box

    @rule(south=LATITUDES, west=LONGITUDES, count=st.integers(20, 200))
    def place_many(self, south: float, west: float, count: int) -> None:
        for number in range(count):
            # Rows of seven, a little apart: enough of them to split nodes.
            latitude = round(min(south + number // 7 / 10, 90.0), 2)
            longitude = round(min(west + number % 7 / 10, 180.0), 2)
            self.place_a_point(f"many-{number}", latitude, longitude)

    @rule(object_id=IDS)
    def remove(self, object_id: str) -> None:
        expected = ":1" if self.boxes.pop(object_id, None) else ":0"
        assert self.client.call("DEL", "k", object_id) == expected

    @rule(digit=st.integers(0, 9))
    def remove_many(self, digit: int) -> None:
        gone = [name for name in self.boxes if name.endswith(f"-{digit}")]
        assert self.client.call("PDEL", "k", f"*-{digit}") == f":{len(gone)}"
        for name in gone:
            del self.boxes[name]

    @rule(south=LATITUDES, west=LONGITUDES, height=SIZES, width=SIZES)
    def search_a_box(self, south: float, west: float, height: float, width: float) -> None:
        area = (south, west, south + height, west + width)
        found = self.client.call("INTERSECTS", "k", *LIMIT, "IDS", "BOUNDS", *area)
        expected = [name for name, box in self.boxes.items() if touches(area, box)]
        assert sorted(ids_in(found)) == sorted(expected)
        found = self.client.call("WITHIN", "k", *LIMIT, "IDS", "BOUNDS", *area)
        expected = [name for name, box in self.boxes.items() if contains(area, box)]
        assert sorted(ids_in(found)) == sorted(expected)

    @rule()
    def take_a_snapshot(self) -> None:
        self.copies.append((EngineClient(self.client.engine.snapshot()), dict(self.boxes)))

    @precondition(lambda self: self.copies)
    @rule(data=st.data(), south=LATITUDES, west=LONGITUDES, height=SIZES, width=SIZES)
    def search_a_snapshot(
        self, data: st.DataObject, south: float, west: float, height: float, width: float
    ) -> None:
        client, boxes = data.draw(st.sampled_from(self.copies))
        assert client.call("SCAN", "k", "COUNT") == f":{len(boxes)}"
        area = (south, west, south + height, west + width)
        found = client.call("INTERSECTS", "k", *LIMIT, "IDS", "BOUNDS", *area)
        assert sorted(ids_in(found)) == sorted(
            name for name, box in boxes.items() if touches(area, box)
        )

    @rule(latitude=LATITUDES, longitude=LONGITUDES, count=st.integers(1, 20))
    def search_the_nearest_points(self, latitude: float, longitude: float, count: int) -> None:
        words = ("NEARBY", "k", "LIMIT", 1000, "DISTANCE", "IDS", "POINT", latitude, longitude)
        reply = self.client.call(*words)
        assert isinstance(reply, list), reply
        found = [(str(item[0])[2:], float(str(item[1])[2:])) for item in reply[1]]
        assert [name for name, _ in found[:count]] == ids_in(
            self.client.call("NEARBY", "k", "LIMIT", count, "IDS", *words[-3:])
        )
        assert [metres for _, metres in found] == sorted(metres for _, metres in found)
        assert {name for name, _ in found} == set(self.boxes)
        for name, metres in found:
            box = self.boxes[name]
            if box[:2] == box[2:]:
                expected = distance_meters(latitude, longitude, box[0], box[1])
                assert abs(metres - expected) <= 1e-6 * expected + 0.01

    @invariant()
    def counts_agree(self) -> None:
        reply = self.client.call("SCAN", "k", "COUNT")
        assert reply == f":{len(self.boxes)}"


TestIndex = Index.TestCase


@given(st.lists(st.tuples(IDS, LATITUDES, LONGITUDES), max_size=30), st.integers(0, 9))
def test_scan_is_sorted_by_id(places: list[tuple[str, float, float]], limit: int) -> None:
    client = EngineClient()
    for name, latitude, longitude in places:
        client.call("SET", "k", name, "POINT", latitude, longitude)
    expected = sorted({name for name, *_ in places})
    assert ids_in(client.call("SCAN", "k", "IDS")) == expected
    assert ids_in(client.call("SCAN", "k", "DESC", "IDS")) == expected[::-1]
    some = client.call("SCAN", "k", "LIMIT", limit + 1, "IDS")
    assert ids_in(some) == expected[: limit + 1]


def test_a_long_read_sees_the_data_as_it_was() -> None:
    count = 100_000
    client = EngineClient()
    commands = [
        ("SET", "k", number, "FIELD", "n", number % 7, "POINT", number % 80, number % 170)
        for number in range(count)
    ]
    for start in range(0, count, 5000):
        client.call_many(commands[start : start + 5000])
    words = [b"SCAN", b"k", b"WHERE", b"n == 3", b"LIMIT", b"1000000", b"COUNT"]
    batch = client.session.feed(encode_command(words), client.now_ns)
    assert isinstance(batch.stop, ReadUnit), "the search was meant to exceed its budget"

    writer = EngineClient(client.engine)
    assert writer.call("DROP", "k") == ":1"
    assert writer.call("SET", "k", "new", "FIELD", "n", 3, "POINT", 1, 1) == "+OK"
    expected = sum(number % 7 == 3 for number in range(count))
    assert run_unit(client.session, batch.stop) == b":%d\r\n" % expected
    assert writer.call("SCAN", "k", "WHERE", "n == 3", "COUNT") == ":1"


@given(st.lists(st.tuples(LONGITUDES, LATITUDES), min_size=2, max_size=300))
def test_long_lines_are_found_by_each_of_their_points(line: list[tuple[float, float]]) -> None:
    client = EngineClient()
    shape = {"type": "LineString", "coordinates": line}
    assert client.call("SET", "k", "line", "OBJECT", json.dumps(shape)) == "+OK"
    for longitude, latitude in line[:: max(1, len(line) // 10)]:
        box = (latitude - 0.001, longitude - 0.001, latitude + 0.001, longitude + 0.001)
        assert ids_in(client.call("INTERSECTS", "k", "IDS", "BOUNDS", *box)) == ["line"]


def test_a_limit_keeps_the_order_of_equal_distances() -> None:
    client = EngineClient()
    for number in range(100):
        client.call("SET", "k", f"many-{number}", "POINT", number // 7 / 10, number % 7 / 10)
    every = ids_in(client.call("NEARBY", "k", "LIMIT", 1000, "IDS", "POINT", 0, 0))
    for count in (1, 2, 3, 20):
        some = client.call("NEARBY", "k", "LIMIT", count, "IDS", "POINT", 0, 0)
        assert ids_in(some) == every[:count]
