"""NEARBY."""

from tests.support.embedded import EngineClient
from tests.support.resp import Reply

SIDE = range(-4, 5)
# What a program of its own made of the rules for the index and its heap, in an order that neither
# ids nor places have.
RINGS = [
    "0,0",
    *("0,-1", "0,1", "1,0", "-1,0"),
    *("1,1", "1,-1", "-1,1", "-1,-1"),
    *("0,-2", "0,2", "2,0", "-2,0"),
    *("2,-1", "2,1", "-1,-2", "1,-2", "1,2", "-1,2", "-2,-1", "-2,1"),
    *("2,2", "2,-2", "-2,-2", "-2,2"),
]


def grid() -> EngineClient:
    """More points than one node of the index holds, many at equal distance from 0, 0."""
    client = EngineClient()
    for latitude in SIDE:
        for longitude in SIDE:
            words = ("SET", "k", f"{longitude},{latitude}", "POINT", latitude, longitude)
            assert client.call(*words) == "+OK"
    return client


def ids(client: EngineClient, *options: str | int) -> Reply:
    reply = client.call("NEARBY", "k", *options, "IDS", "POINT", 0, 0, 315_000)
    assert isinstance(reply, list), reply
    return reply[1]


def bulks(names: list[str]) -> Reply:
    return [f"$ {name}" for name in names]


def test_objects_at_equal_distance_come_in_the_order_of_the_heap() -> None:
    client = grid()
    assert ids(client) == bulks(RINGS)
    assert ids(client, "WHERE", "missing", 0, 0) == bulks(RINGS)


def test_limit_and_cursor_cut_amid_objects_at_equal_distance() -> None:
    client = grid()
    for count in range(1, len(RINGS)):
        assert ids(client, "LIMIT", count) == bulks(RINGS[:count])
        assert ids(client, "CURSOR", count, "LIMIT", 2) == bulks(RINGS[count : count + 2])


LINE = '{"type":"LineString","coordinates":[[35.38,33.57],[35.84,32.37],[42.12,33.61]]}'


def test_a_line_is_as_far_away_as_its_nearest_place_not_as_its_box() -> None:
    client = EngineClient()
    assert client.call("SET", "k", "l", "OBJECT", LINE) == "+OK"
    place = (33.5, 36.3833)
    assert client.call("NEARBY", "k", "COUNT", "POINT", *place, 1000) == ":0"
    assert client.call("NEARBY", "k", "COUNT", "POINT", *place, 86_348) == ":0"
    found = client.call("NEARBY", "k", "DISTANCE", "IDS", "POINT", *place, 86_349)
    assert found == [":0", [["$ l", "$ 86348.5716031209"]]]


def test_an_area_is_at_no_distance_from_what_lies_in_it_but_not_in_its_hole() -> None:
    client = EngineClient()
    ring, hole = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]], [[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]
    polygon = f'{{"type":"Polygon","coordinates":[{ring},{hole}]}}'.replace(" ", "")
    assert client.call("SET", "k", "frame", "OBJECT", polygon) == "+OK"
    for latitude, longitude, meters in (
        (0.5, 0.5, "0"),
        (2, 2, "111127.18"),  # from the middle of the hole to its side
        (-1, 2, "111194.92"),
    ):
        reply = client.call("NEARBY", "k", "DISTANCE", "IDS", "POINT", latitude, longitude)
        assert isinstance(reply, list)
        assert str(reply[1][0][1]).removeprefix("$ ").startswith(meters)


def test_a_limit_returns_as_many_objects_as_there_are_near_the_antipode() -> None:
    client = EngineClient()
    assert client.call("SET", "k", "a", "POINT", -90, -166.05538678478206) == "+OK"
    reply = client.call("NEARBY", "k", "LIMIT", 1, "IDS", "POINT", 89.99947805260834, -180)
    assert isinstance(reply, list)
    assert reply[1] == bulks(["a"])
