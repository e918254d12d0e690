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
