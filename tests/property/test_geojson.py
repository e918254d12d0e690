"""GeoJSON comes back as it went in, and what comes back goes in again."""

import json
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from tests.support.embedded import EngineClient

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

NUMBERS = st.one_of(
    st.integers(-180, 180).map(float),
    st.floats(-180, 180, allow_nan=False),
    st.sampled_from([0.1, 1e-7, -0.0, 1 / 3, 123.456789012345]),
)
PLACES = st.tuples(NUMBERS, NUMBERS).map(list)
HIGH_PLACES = st.tuples(NUMBERS, NUMBERS, NUMBERS).map(list)


def geometry(kind: str, coordinates: st.SearchStrategy[list[object]]) -> st.SearchStrategy[Json]:
    return coordinates.map(
        lambda found: json.loads(json.dumps({"type": kind, "coordinates": found}))
    )


def lines(places: st.SearchStrategy[list[float]]) -> st.SearchStrategy[list[object]]:
    return st.lists(places, min_size=2, max_size=5).map(list)


def rings(places: st.SearchStrategy[list[float]]) -> st.SearchStrategy[list[object]]:
    return st.lists(places, min_size=3, max_size=6).map(lambda ring: [*ring, ring[0]])


def several(parts: st.SearchStrategy[list[object]]) -> st.SearchStrategy[list[object]]:
    return st.lists(parts, min_size=1, max_size=3).map(list)


def simple(places: st.SearchStrategy[list[float]]) -> st.SearchStrategy[Json]:
    return st.one_of(
        geometry("Point", places.map(list)),
        geometry("MultiPoint", lines(places)),
        geometry("LineString", lines(places)),
        geometry("MultiLineString", several(lines(places))),
        geometry("Polygon", several(rings(places))),
        geometry("MultiPolygon", several(several(rings(places)))),
    )


GEOMETRIES = st.one_of(simple(PLACES), simple(HIGH_PLACES))
COLLECTIONS = st.lists(GEOMETRIES, max_size=3).map(
    lambda found: {"type": "GeometryCollection", "geometries": found}
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
FEATURES = st.builds(
    lambda shape, properties: {"type": "Feature", "geometry": shape, "properties": properties},
    st.one_of(GEOMETRIES, COLLECTIONS),
    st.dictionaries(TEXTS, VALUES, max_size=3),
)
FEATURE_COLLECTIONS = st.lists(FEATURES, max_size=3).map(
    lambda found: {"type": "FeatureCollection", "features": found}
)


def stored(client: EngineClient, text: str) -> str:
    assert client.call("SET", "k", "a", "OBJECT", text) == "+OK", text
    reply = client.call("GET", "k", "a")
    assert isinstance(reply, str)
    return reply.removeprefix("$ ")


@given(st.one_of(GEOMETRIES, COLLECTIONS, FEATURES, FEATURE_COLLECTIONS))
def test_geojson_comes_back_as_it_went_in(shape: Json) -> None:
    client = EngineClient()
    text = stored(client, json.dumps(shape, ensure_ascii=False))
    assert json.loads(text) == shape


@given(st.one_of(GEOMETRIES, COLLECTIONS, FEATURES, FEATURE_COLLECTIONS), st.integers(0, 4))
def test_what_comes_back_goes_in_again_unchanged(shape: Json, indent: int) -> None:
    client = EngineClient()
    text = stored(client, json.dumps(shape, ensure_ascii=False, indent=indent))
    assert stored(client, text) == text


@given(st.one_of(GEOMETRIES, FEATURES), st.data())
def test_damaged_geojson_is_refused_or_read_but_does_no_harm(
    shape: Json, data: st.DataObject
) -> None:
    client = EngineClient()
    text = json.dumps(shape)
    place = data.draw(st.integers(0, len(text)))
    damage = data.draw(
        st.sampled_from(["", "[", "]", "{", "}", '"', ",", "null", "1e999", "\\u12"])
    )
    reply = client.call("SET", "k", "a", "OBJECT", text[:place] + damage + text[place + 1 :])
    assert reply == "+OK" or str(reply).startswith("-ERR ")
    assert client.call("SET", "k", "b", "POINT", 1, 2) == "+OK"
