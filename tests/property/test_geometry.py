"""Planar predicates agree with shapely's, for shapes that touch and for shapes that don't.

WITHIN is shapely's `covered_by`: a border belongs to its area. Shapes with whole coordinates share
corners and edges; shapes that are shifted by irrational fractions never touch those.
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


def whole_shapes() -> st.SearchStrategy[BaseGeometry]:
    """Valid shapes with whole coordinates on so small a grid that two of them often touch."""
    corner = st.tuples(st.integers(0, 5), st.integers(0, 5))
    corners = st.lists(corner, min_size=3, max_size=8, unique=True)
    boxes = st.builds(lambda x, y: shapely.box(x, y, x + 2, y + 3), *[st.integers(0, 3)] * 2)
    simple = st.one_of(
        corner.map(shapely.Point),
        corners.map(shapely.LineString),
        corners.map(shapely.MultiPoint),
        corners.map(shapely.Polygon).filter(lambda shape: shape.is_valid),
        boxes,
    )
    # A difference or union of shapes has holes, notches and several parts.
    operation = st.sampled_from((shapely.difference, shapely.union))
    combined = st.builds(lambda left, right, run: run(left, right), boxes, boxes, operation)
    return st.one_of(simple, combined.filter(lambda shape: not shape.is_empty))


FIRST = shapes(WHOLE.map(lambda pair: (float(pair[0]), float(pair[1]))))
SECOND = shapes(WHOLE.map(shifted))


def ask(first: BaseGeometry, relation: str, second: BaseGeometry) -> bool:
    texts = [shapely.to_geojson(shape) for shape in (first, second)]
    reply = CLIENT.call("TEST", "OBJECT", texts[0], relation, "OBJECT", texts[1])
    assert reply in {":0", ":1"}, reply
    return reply == ":1"


@given(st.one_of(st.tuples(FIRST, SECOND), st.tuples(whole_shapes(), whole_shapes())))
def test_intersects_agrees(pair: tuple[BaseGeometry, BaseGeometry]) -> None:
    first, second = pair
    assume(first.is_valid and second.is_valid)
    assert ask(first, "INTERSECTS", second) == shapely.intersects(first, second)
    assert ask(second, "INTERSECTS", first) == shapely.intersects(second, first)


@given(st.one_of(st.tuples(FIRST, SECOND), st.tuples(whole_shapes(), whole_shapes())))
def test_within_agrees(pair: tuple[BaseGeometry, BaseGeometry]) -> None:
    first, second = pair
    assume(first.is_valid and second.is_valid)
    assert ask(first, "WITHIN", second) == shapely.covered_by(first, second)
    assert ask(second, "WITHIN", first) == shapely.covered_by(second, first)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=4, max_size=30),
    st.sets(st.integers(0, 60)),
)
def test_the_triangles_within_an_area_are_those_it_is_made_of(
    corners: list[Pair], chosen: set[int]
) -> None:
    """The triangles that are left out fill notches and holes, and share edges with the area."""
    triangles = shapely.delaunay_triangles(shapely.MultiPoint(corners)).geoms
    parts = [triangle for index, triangle in enumerate(triangles) if index in chosen]
    assume(parts)
    area = shapely.union_all(parts)
    for triangle in triangles:
        assert ask(triangle, "WITHIN", area) == (triangle in parts)


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
