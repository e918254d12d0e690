"""CLIP leaves what shapely's intersection does, without the parts of lower dimension."""

import json

import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from tests.support.embedded import EngineClient
from tests.support.shapes import WHOLE, shapes, whole_shapes

CLIENT = EngineClient()
TOLERANCE = 1e-9


def parts_of(shape: BaseGeometry, dimension: int) -> BaseGeometry:
    """The parts of a geometry that have a dimension, as one geometry."""
    parts = shapely.get_parts(shapely.GeometryCollection(shapely.get_parts(shape)))
    return shapely.union_all([part for part in parts if shapely.get_dimensions(part) == dimension])


def boxes() -> st.SearchStrategy[shapely.Polygon]:
    """Boxes on the grid of whole_shapes, on its half points, and between them."""
    low = st.one_of(st.integers(-1, 4), st.sampled_from((0.5, 1.5, 2.25, 1 / 3, 2 / 7)))
    size = st.one_of(st.integers(1, 4), st.sampled_from((0.5, 1 / 3, 3.7)))
    return st.builds(lambda x, y, w, h: shapely.box(x, y, x + w, y + h), low, low, size, size)


@given(st.one_of(whole_shapes(), shapes(WHOLE).filter(lambda shape: shape.is_valid)), boxes())
def test_what_clip_leaves_is_valid_and_the_intersection(
    shape: BaseGeometry, box: shapely.Polygon
) -> None:
    west, south, east, north = box.bounds
    area = ("BOUNDS", south, west, north, east)
    text = shapely.to_geojson(shape)
    reply = CLIENT.call("TEST", "OBJECT", text, "INTERSECTS", "CLIP", *area)
    if reply == ":0":
        assert not shapely.intersects(shape, box)
        return
    assert isinstance(reply, list)
    left = str(reply[1]).removeprefix("$")
    assert CLIENT.call("SET", "k", "id", "OBJECT", left) == "+OK"
    result = shapely.from_geojson(left)
    expected = parts_of(shapely.intersection(shape, box), shapely.get_dimensions(shape))
    assert result.is_valid
    assert shapely.symmetric_difference(result, expected).area < TOLERANCE
    assert abs(shapely.union_all([result]).length - expected.length) < TOLERANCE
    assert result.is_empty == expected.is_empty
    assert result.is_empty or result.hausdorff_distance(expected) < TOLERANCE
    is_single = shapely.get_num_geometries(result) == 1 and not shape.geom_type.startswith("Multi")
    assert result.geom_type.removeprefix("Multi") == shape.geom_type.removeprefix("Multi")
    assert result.geom_type.startswith("Multi") != is_single


def test_a_collection_keeps_its_type_and_loses_its_empty_parts() -> None:
    point = {"type": "Point", "coordinates": [1, 1]}
    far = {"type": "Point", "coordinates": [9, 9]}
    feature = {"type": "Feature", "geometry": point, "properties": {"a": 1}}
    lost = {"type": "Feature", "geometry": far, "properties": {}}
    for collection, expected in (
        ({"geometries": [point, far]}, {"geometries": [point]}),
        ({"features": [lost, feature]}, {"features": [feature]}),
    ):
        kind = "GeometryCollection" if "geometries" in collection else "FeatureCollection"
        words = ("INTERSECTS", "CLIP", "BOUNDS", 0, 0, 2, 2)
        reply = CLIENT.call("TEST", "OBJECT", json.dumps({"type": kind, **collection}), *words)
        assert isinstance(reply, list)
        assert json.loads(str(reply[1]).removeprefix("$")) == {"type": kind, **expected}
