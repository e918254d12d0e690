"""SPARSE: which cells have results, among objects that the area or a filter refuses."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.embedded import EngineClient

COORDINATE = st.integers(-12, 12)
DEPTH = 2
SIDE = 8
SPAN = 2 * SIDE / 2**DEPTH


def cells_of(west: float, south: float, east: float, north: float) -> set[tuple[int, int]]:
    """The cells that a box touches, of those that a square around the origin is divided into."""
    columns = range(2**DEPTH)
    return {
        (column, row)
        for column in columns
        for row in columns
        if west <= (column + 1) * SPAN - SIDE
        and east >= column * SPAN - SIDE
        and south <= (row + 1) * SPAN - SIDE
        and north >= row * SPAN - SIDE
    }


@given(
    st.lists(st.tuples(COORDINATE, COORDINATE, st.integers(0, 3), st.booleans()), max_size=30),
    st.sampled_from(("WITHIN", "INTERSECTS")),
)
def test_each_cell_with_an_object_that_matches_has_a_result(
    objects: list[tuple[int, int, int, bool]], verb: str
) -> None:
    client = EngineClient()
    cells: dict[str, set[tuple[int, int]]] = {}
    for number, (x, y, size, is_wanted) in enumerate(objects):
        name = f"id{number}"
        words = ("BOUNDS", y, x, y + size, x + size)
        assert client.call("SET", "k", name, "FIELD", "n", int(is_wanted), *words) == "+OK"
        box = (x, y, x + size, y + size)
        touched = cells_of(*box)
        is_within = max(abs(side) for side in box) <= SIDE
        if is_wanted and touched and (verb == "INTERSECTS" or is_within):
            cells[name] = touched
    area = ("BOUNDS", -SIDE, -SIDE, SIDE, SIDE)
    reply = client.call(verb, "k", "SPARSE", DEPTH, "WHERE", "n == 1", "IDS", *area)
    assert isinstance(reply, list)
    assert isinstance(reply[1], list)
    found = [str(item).removeprefix("$ ") for item in reply[1]]
    assert len(found) == len(set(found)) <= 4**DEPTH
    assert set(found) <= set(cells)
    # An object that wasn't taken has no cell for itself: there is a result for each of its cells.
    missed = [cells[name] for name in set(cells) - set(found)]
    assert len(found) >= len(set().union(*missed))


def test_an_object_outside_of_the_circle_uses_up_no_cell() -> None:
    client = EngineClient()
    assert client.call("SET", "k", "corner", "POINT", 0.0008, 0.0008) == "+OK"
    assert client.call("SET", "k", "middle", "POINT", 0.0001, 0.0001) == "+OK"
    reply = client.call("NEARBY", "k", "SPARSE", 2, "IDS", "POINT", 0, 0, 100)
    assert reply == [":0", ["$ middle"]]


def test_an_object_that_a_filter_refuses_uses_up_no_cell() -> None:
    client = EngineClient()
    for name in ("a1", "b1", "b2"):
        assert client.call("SET", "k", name, "POINT", 1, 1) == "+OK"
    area = ("BOUNDS", 0, 0, 9, 9)
    reply = client.call("INTERSECTS", "k", "SPARSE", 1, "MATCH", "a*", "IDS", *area)
    assert reply == [":0", ["$ a1"]]
