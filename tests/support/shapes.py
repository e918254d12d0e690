"""Strategies for shapely geometries: on grids that meet, and on grids that don't. No tests."""

import math

import shapely
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

SHIFT_X, SHIFT_Y = math.sqrt(2) - 1, math.sqrt(3) - 1
SPAN = 12

Pair = tuple[float, float]
WHOLE = st.tuples(st.integers(-SPAN, SPAN), st.integers(-SPAN, SPAN))


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
