"""Circles and NEARBY agree with plain great-circle distances, on the whole sphere.

The oracle is the haversine formula for points, and dense sampling of each edge for shapes.
"""

import itertools
import json
import math

import shapely
from hypothesis import given
from hypothesis import strategies as st

from tests.support.embedded import EngineClient
from tests.support.resp import Reply
from tests.support.sphere import Position, distance_meters, distance_to_segment_meters

HALF_CIRCUMFERENCE_METERS = math.pi * 6_371_000
# Where the server and the oracle may differ by rounding.
SLACK_METERS = 0.01
SLACK_SHARE = 1e-9

LATITUDES = st.one_of(
    st.floats(-90, 90), st.floats(88, 90), st.floats(-90, -88), st.sampled_from([-90.0, 0.0, 90.0])
)
LONGITUDES = st.one_of(
    st.floats(-180, 180),
    st.floats(179, 180),
    st.floats(-180, -179),
    st.sampled_from([-180.0, 0.0, 180.0]),
)
POSITIONS = st.tuples(LONGITUDES, LATITUDES)
RADII = st.one_of(
    st.floats(1, 7.4).map(lambda exponent: 10.0**exponent),
    st.sampled_from([1.0, HALF_CIRCUMFERENCE_METERS, 3e7, 5e7, 1e300]),
)


def ids_in(reply: Reply) -> set[str]:
    assert isinstance(reply, list), reply
    return {str(item).removeprefix("$ ") for item in reply[1]}


def word(number: float) -> str:
    return repr(float(number))


@given(st.lists(POSITIONS, min_size=1, max_size=80), POSITIONS, RADII)
def test_a_circle_holds_the_points_at_most_its_radius_away(
    points: list[Position], centre: Position, radius: float
) -> None:
    client = EngineClient()
    distances = {}
    for number, (longitude, latitude) in enumerate(points):
        words = ("SET", "k", str(number), "POINT", word(latitude), word(longitude))
        assert client.call(*words) == "+OK"
        distances[str(number)] = distance_meters(centre[1], centre[0], latitude, longitude)
    slack = SLACK_METERS + SLACK_SHARE * radius
    inside = {name for name, meters in distances.items() if meters <= radius - slack}
    outside = {name for name, meters in distances.items() if meters > radius + slack}
    if radius >= HALF_CIRCUMFERENCE_METERS:
        inside = set(distances)
    place = (word(centre[1]), word(centre[0]), word(radius))
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": centre},
        "properties": {"type": "Circle", "radius": radius},
    }
    assert client.call("SET", "areas", "circle", "OBJECT", json.dumps(feature)) == "+OK"
    for search in (
        ("NEARBY", "k", "LIMIT", 1000, "IDS", "POINT", *place),
        ("WITHIN", "k", "LIMIT", 1000, "IDS", "CIRCLE", *place),
        ("INTERSECTS", "k", "LIMIT", 1000, "IDS", "CIRCLE", *place),
        ("WITHIN", "k", "LIMIT", 1000, "IDS", "GET", "areas", "circle"),
    ):
        found = ids_in(client.call(*search))
        assert inside <= found, search
        assert not outside & found, search
    for name in (inside | outside) & {"0", "1", "2"}:
        reply = client.call("TEST", "GET", "k", name, "WITHIN", "CIRCLE", *place)
        assert reply == f":{int(name in inside)}"


def chain(size: float) -> st.SearchStrategy[list[Position]]:
    """Positions near each other, or anywhere if the size is 0."""
    if not size:
        return st.lists(POSITIONS, min_size=3, max_size=7, unique=True)
    offsets = st.tuples(st.floats(-size, size), st.floats(-size, size))

    def around(middle: Position, steps: list[Position]) -> list[Position]:
        return [
            (
                min(180.0, max(-180.0, middle[0] + east)),
                min(90.0, max(-90.0, middle[1] + north)),
            )
            for east, north in steps
        ]

    return st.builds(around, POSITIONS, st.lists(offsets, min_size=3, max_size=7))


CHAINS = st.sampled_from([0.001, 0.1, 10.0, 0.0]).flatmap(chain)


def least_to_edges(point: Position, positions: list[Position]) -> float:
    edges = itertools.pairwise(positions)
    return min(distance_to_segment_meters(point, start, end) for start, end in edges)


def is_in_hull(point: Position, ring: list[Position]) -> bool:
    return bool(shapely.covers(shapely.Polygon(ring), shapely.Point(point)))


@given(CHAINS, POSITIONS, st.booleans())
def test_the_distance_of_a_line_or_polygon_is_the_least_to_its_edges(
    corners: list[Position], point: Position, is_polygon: bool
) -> None:
    client = EngineClient()
    positions = corners
    expected = None
    if is_polygon:
        hull = shapely.MultiPoint(corners).convex_hull
        is_polygon = hull.geom_type == "Polygon"
        if is_polygon:
            positions = [(float(x), float(y)) for x, y in hull.exterior.coords]
            expected = 0.0 if is_in_hull(point, positions) else None
    if expected is None:
        expected = least_to_edges(point, positions)
    kind, coordinates = ("Polygon", [positions]) if is_polygon else ("LineString", positions)
    shape = json.dumps({"type": kind, "coordinates": coordinates})
    assert client.call("SET", "k", "shape", "OBJECT", shape) == "+OK"
    place = (word(point[1]), word(point[0]))
    reply = client.call("NEARBY", "k", "DISTANCE", "IDS", "POINT", *place)
    assert isinstance(reply, list)
    found = float(str(reply[1][0][1]).removeprefix("$ "))
    slack = SLACK_METERS + 1e-8 * expected
    assert abs(found - expected) <= slack, (found, expected)
    for factor, is_found in ((1.001, True), (0.999, False)):
        radius = word(expected * factor + (1 if is_found else -1))
        if float(radius) > 0:
            reply = client.call("NEARBY", "k", "COUNT", "POINT", *place, radius)
            assert reply == f":{int(is_found)}", (radius, expected)
            area = ("INTERSECTS", "CIRCLE", *place, radius)
            assert client.call("TEST", "GET", "k", "shape", *area) == f":{int(is_found)}"
