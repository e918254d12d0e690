"""Planar predicates agree with shapely's, for shapes that touch and for shapes that don't.

WITHIN is shapely's `covered_by`: a border belongs to its area. Shapes with whole coordinates share
corners and edges; shapes that are shifted by irrational fractions never touch those.
"""

import json

import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from tests.support.embedded import EngineClient
from tests.support.shapes import WHOLE, Pair, shapes, shifted, whole_shapes

CLIENT = EngineClient()

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
