"""Planar predicates agree with shapely's wherever the two mean the same.

They differ where boundaries touch, so the two shapes of a test lie on grids that never meet: one
has whole coordinates, the other's are shifted by fractions that no line between whole points hits.
"""

import json
import math

import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from tests.support.embedded import EngineClient

SHIFT_X, SHIFT_Y = math.sqrt(2) - 1, math.sqrt(3) - 1
SPAN = 12

Pair = tuple[float, float]
WHOLE = st.tuples(st.integers(-SPAN, SPAN), st.integers(-SPAN, SPAN))
CLIENT = EngineClient()


def shifted(pair: tuple[int, int]) -> Pair:
    return pair[0] + SHIFT_X, pair[1] + SHIFT_Y


def ring_of(centre: Pair, radii: list[int], scale: float = 1.0) -> list[Pair]:
    """A polygon that doesn't cross itself: corners around a centre, in the order of their angle."""
    count = len(radii)
    turns = [2 * math.pi * index / count + 0.1 for index in range(count)]
    corners = [
        (centre[0] + scale * radius * math.cos(turn), centre[1] + scale * radius * math.sin(turn))
        for turn, radius in zip(turns, radii, strict=True)
    ]
    return [*corners, corners[0]]


def polygon(centre: Pair, radii: list[int], *, has_hole: bool) -> shapely.Polygon:
    holes = [ring_of(centre, radii, 0.4)] if has_hole else []
    return shapely.Polygon(ring_of(centre, radii), holes)


def shapes(places: st.SearchStrategy[Pair]) -> st.SearchStrategy[BaseGeometry]:
    radii = st.lists(st.integers(1, 8), min_size=5, max_size=24)
    polygons = st.builds(polygon, places, radii, has_hole=st.booleans())
    lines = st.lists(places, min_size=2, max_size=8, unique=True).map(shapely.LineString)
    points = places.map(shapely.Point)
    many_points = st.lists(places, min_size=1, max_size=5, unique=True).map(shapely.MultiPoint)
    return st.one_of(polygons, polygons, lines, points, many_points)


FIRST = shapes(WHOLE.map(lambda pair: (float(pair[0]), float(pair[1]))))
SECOND = shapes(WHOLE.map(shifted))


def ask(first: BaseGeometry, relation: str, second: BaseGeometry) -> bool:
    texts = [shapely.to_geojson(shape) for shape in (first, second)]
    reply = CLIENT.call("TEST", "OBJECT", texts[0], relation, "OBJECT", texts[1])
    assert reply in {":0", ":1"}, reply
    return reply == ":1"


@given(FIRST, SECOND)
def test_intersects_agrees(first: BaseGeometry, second: BaseGeometry) -> None:
    assume(first.is_valid and second.is_valid)
    assert ask(first, "INTERSECTS", second) == shapely.intersects(first, second)
    assert ask(second, "INTERSECTS", first) == shapely.intersects(second, first)


@given(FIRST, SECOND)
def test_within_agrees(first: BaseGeometry, second: BaseGeometry) -> None:
    assume(first.is_valid and second.is_valid)
    assert ask(first, "WITHIN", second) == shapely.within(first, second)
    assert ask(second, "WITHIN", first) == shapely.within(second, first)


@given(SECOND, WHOLE, WHOLE)
def test_boxes_agree(shape: BaseGeometry, corner: Pair, opposite: Pair) -> None:
    assume(shape.is_valid and corner[0] != opposite[0] and corner[1] != opposite[1])
    west, east = sorted((corner[0], opposite[0]))
    south, north = sorted((corner[1], opposite[1]))
    area = shapely.box(west, south, east, north)
    text = shapely.to_geojson(shape)
    for relation, expected in (
        ("INTERSECTS", shapely.intersects(shape, area)),
        ("WITHIN", shapely.within(shape, area)),
    ):
        words = ("TEST", "OBJECT", text, relation, "BOUNDS", south, west, north, east)
        assert CLIENT.call(*words) == f":{int(expected)}"


@given(SECOND, SECOND)
def test_a_search_finds_what_test_says(stored: BaseGeometry, area: BaseGeometry) -> None:
    assume(stored.is_valid and area.is_valid)
    client = EngineClient()
    texts = [json.dumps(shapely.geometry.mapping(shape)) for shape in (stored, area)]
    assert client.call("SET", "k", "a", "OBJECT", texts[0]) == "+OK"
    for relation in ("INTERSECTS", "WITHIN"):
        found = client.call(relation, "k", "COUNT", "OBJECT", texts[1])
        assert found == client.call("TEST", "OBJECT", texts[0], relation, "OBJECT", texts[1])
