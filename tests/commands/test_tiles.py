"""WITHIN and INTERSECTS with MVT: features, tags, layers, limits, errors."""

import json

import pytest
import shapely

from tests.support.embedded import EngineClient, run_unit
from tests.support.resp import encode_command
from tests.support.tiles import TileFeature, decode, tile_of
from tile38py._engine import ReadUnit

WORLD = ("MVT", 0, 0, 0)
HERE = ("POINT", 33.45, -112.07)


def layer(client: EngineClient, *words: str | float) -> list[TileFeature]:
    """The features of the one layer."""
    return decode(tile_of(client, *words)).get("tile38", [])


def ids(features: list[TileFeature]) -> list[object]:
    return [feature.tags["id"] for feature in features]


@pytest.fixture
def client() -> EngineClient:
    return EngineClient()


def test_tags_are_type_id_fields_and_properties_with_their_types(client: EngineClient) -> None:
    properties = {
        "name": "Bob",
        "speed": 9,
        "id": "other",
        "size": 1.5,
        "on": True,
        "off": False,
        "none": None,
        "list": [1, {"a": "é"}],
    }
    place = {"type": "Point", "coordinates": [1, 2]}
    text = json.dumps({"type": "Feature", "geometry": place, "properties": properties})
    fields = ("FIELD", "speed", "-5", "FIELD", "big", "18446744073709551615", "FIELD", "f", "1.0")
    assert client.call("SET", "k", "a", *fields, "OBJECT", text) == "+OK"
    [feature] = layer(client, "INTERSECTS", "k", *WORLD)
    assert feature.tags == {
        "type": "point",
        "id": "a",
        "big": 18446744073709551615,
        "f": 1.0,
        "speed": -5,
        "name": "Bob",
        "size": 1.5,
        "on": True,
        "off": False,
        "list": '[1,{"a":"\\u00e9"}]',
    }
    [feature] = layer(client, "INTERSECTS", "k", "NOFIELDS", *WORLD)
    assert "big" not in feature.tags
    assert feature.tags["speed"] == 9


def test_keys_and_values_are_in_the_tables_once(client: EngineClient) -> None:
    for number in range(100):
        words = ("FIELD", "kind", "a bus of a kind", "FIELD", "speed", number % 3 + 1)
        assert client.call("SET", "k", f"id{number}", *words, *HERE) == "+OK"
    tile = tile_of(client, "INTERSECTS", "k", *WORLD)
    assert tile.count(b"a bus of a kind") == tile.count(b"speed") == tile.count(b"point") == 1
    assert {feature.tags["speed"] for feature in decode(tile)["tile38"]} == {1, 2, 3}


@pytest.mark.parametrize(
    ("object_id", "feature_id"),
    [
        ("17", 17),
        ("9007199254740991", 9007199254740991),
        ("9007199254740992", None),
        ("017", None),
        ("+1", None),
        ("x", None),
    ],
)
def test_a_numeric_id_is_the_id_of_the_feature(
    client: EngineClient, object_id: str, feature_id: int | None
) -> None:
    client.call("SET", "k", object_id, *HERE)
    [feature] = layer(client, "INTERSECTS", "k", *WORLD)
    assert feature.feature_id == feature_id
    assert feature.tags["id"] == object_id


def test_collections_have_a_feature_for_each_member_and_multi_geometries_have_one(
    client: EngineClient,
) -> None:
    point = {"type": "Point", "coordinates": [1, 2]}
    points = {"type": "MultiPoint", "coordinates": [[1, 2], [30, 40]]}
    feature = {"type": "Feature", "geometry": points, "properties": {"a": 1}}
    collection = {"type": "FeatureCollection", "features": [feature, {**feature, "properties": {}}]}
    geometries = {"type": "GeometryCollection", "geometries": [point, points]}
    inner = {"type": "Feature", "geometry": geometries, "properties": {"b": 2}}
    for number, shape in enumerate((points, collection, inner), 1):
        client.call("SET", "k", number, "OBJECT", json.dumps(shape))
    found = layer(client, "INTERSECTS", "k", *WORLD)
    seen = {
        (f.tags["id"], f.tags.get("a", 0), f.tags.get("b", 0), f.feature_id or 0) for f in found
    }
    assert seen == {("1", 0, 0, 1), ("2", 1, 0, 0), ("2", 0, 0, 0), ("3", 0, 2, 0)}
    assert len(found) == 5
    [multi] = [feature for feature in found if feature.tags["id"] == "1"]
    assert len(shapely.get_parts(multi.shape)) == 2


def test_boxes_and_circles_are_polygons_and_strings_are_left_out(client: EngineClient) -> None:
    client.call("SET", "k", "box", "BOUNDS", 0, 0, 10, 10)
    center = {"type": "Point", "coordinates": [50, 0]}
    round_one = {"type": "Circle", "radius": 1_000_000}
    circle = {"type": "Feature", "geometry": center, "properties": round_one}
    client.call("SET", "k", "circle", "OBJECT", json.dumps(circle))
    client.call("SET", "k", "text", "STRING", "x")
    found = {str(f.tags["id"]): f for f in layer(client, "INTERSECTS", "k", *WORLD)}
    assert found.keys() == {"box", "circle"}
    assert found["box"].tags["type"] == found["circle"].tags["type"] == "polygon"
    west, _, east, _ = found["circle"].shape.bounds
    assert east - west == pytest.approx(2 * 1_000_000 / 6_371_008.8 / 6.2832 * 4096, abs=2)


def test_each_layer_has_the_name_of_its_key(client: EngineClient) -> None:
    client.call("SET", "fleet", "a", *HERE)
    client.call("SET", "zones", "b", "BOUNDS", 0, 0, 10, 10)
    client.call("SET", "far", "c", "POINT", -33, 150)
    words = ("LAYER", "zones", "LAYER", "fleet", "layer", "none", "LAYER", "far")
    layers = decode(tile_of(client, "INTERSECTS", "fleet", *WORLD, *words))
    assert {name: ids(features) for name, features in layers.items()} == {
        "fleet": ["a"],
        "zones": ["b"],
        "far": ["c"],
    }
    assert list(layers) == ["fleet", "zones", "far"]
    assert list(decode(tile_of(client, "INTERSECTS", "fleet", *WORLD, "LAYER", "fleet"))) == [
        "fleet"
    ]


def test_limit_and_cursor_run_over_all_layers(client: EngineClient) -> None:
    for key in ("a", "b"):
        for number in range(3):
            client.call("SET", key, f"{key}{number}", "POINT", 10 * number, 10)
    cursor = 0
    seen: list[list[str]] = []
    for _ in range(4):
        words = ("INTERSECTS", "a", "CURSOR", cursor, "LIMIT", 2, *WORLD, "LAYER", "b")
        layers = decode(tile_of(client, *words))
        seen.append([str(name) for features in layers.values() for name in ids(features)])
        reply = client.call(*words)
        assert isinstance(reply, list)
        cursor = int(str(reply[0]).removeprefix(":"))
        if not cursor:
            break
    assert [len(part) for part in seen] == [2, 2, 2, 0]
    assert sorted(name for part in seen for name in part) == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert client.call("INTERSECTS", "a", "COUNT", *WORLD, "LAYER", "b") == ":6"


def test_clipby_cuts_the_tile_that_was_asked_for(client: EngineClient) -> None:
    client.call("SET", "k", "a", "BOUNDS", 10, 10, 60, 120)
    [whole] = layer(client, "INTERSECTS", "k", "MVT", 1, 0, 1)
    [part] = layer(client, "INTERSECTS", "k", "MVT", 1, 0, 1, "CLIPBY", "BOUNDS", 20, 20, 30, 30)
    assert whole.shape.contains(part.shape)
    assert part.shape.area < whole.shape.area / 20


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("MVT", 1, 2), "wrong number of arguments for 'intersects' command"),
        (("MVT", -1, 0, 0), "invalid argument '-1'"),
        (("MVT", 0, "x", 0), "invalid argument 'x'"),
        (("MVT", 0, 0, 24), "invalid argument '24'"),
        (("MVT", 0, 0, "1.5"), "invalid argument '1.5'"),
        (("MVT", 0, 0, 0, "LAYER"), "wrong number of arguments for 'intersects' command"),
        (("MVT", 0, 0, 0, "LAYER", ""), "wrong number of arguments for 'intersects' command"),
        (("MVT", 0, 0, 0, "LAYERS", "a"), "wrong number of arguments for 'intersects' command"),
        (("TILE", 0, 0, 0, "LAYER", "a"), "wrong number of arguments for 'intersects' command"),
        (("BUFFER", 5, "MVT", 0, 0, 0), "cannot buffer Polygon type"),
        (("FENCE", "MVT", 0, 0, 0, "LAYER", "a"), "wrong number of arguments for 'intersects'"
         " command"),
    ],
)  # fmt: skip
def test_wrong_tiles_are_errors(
    client: EngineClient, words: tuple[str | int, ...], error: str
) -> None:
    assert client.call("INTERSECTS", "k", *words) == f"-ERR {error}"


@pytest.mark.parametrize(
    ("place", "wrong"),
    [((8, 0, 3), 8), ((0, 8, 3), 8), ((2**62, 0, 23), 2**62), ((0, 2**63 - 1, 0), 2**63 - 1)],
)
def test_a_tile_beyond_the_map_is_an_error(
    client: EngineClient, place: tuple[int, int, int], wrong: int
) -> None:
    client.call("SET", "k", "a", "BOUNDS", -85, -180, 85, 180)
    assert client.call("INTERSECTS", "k", "MVT", *place) == f"-ERR invalid argument '{wrong}'"


def test_ids_and_names_that_are_not_utf8_can_be_decoded(client: EngineClient) -> None:
    words = [b"SET", b"\xff", b"i\xfe", b"FIELD", b"n\xfd", b"v\xfc", b"POINT", b"1", b"2"]
    assert client.feed(encode_command(words)) == b"+OK\r\n"
    reply = client.feed(encode_command([b"INTERSECTS", b"\xff", b"MVT", *[b"0"] * 3]))
    tile = reply.split(b"\r\n", 3)[3].removesuffix(b"\r\n")
    [feature] = decode(tile)["tile38"]
    assert feature.tags == {"type": "point", "id": "i\ufffd", "n\ufffd": "v\ufffd"}


def test_a_tile_of_many_objects_is_drawn_from_a_snapshot_elsewhere(client: EngineClient) -> None:
    for number in range(12_000):
        client.call("SET", "k", number, "POINT", number % 80, number % 170)
    search = encode_command([b"INTERSECTS", b"k", b"LIMIT", b"100000", b"MVT", *[b"0"] * 3])
    batch = client.session.feed(search, client.now_ns)
    assert isinstance(batch.stop, ReadUnit)
    client.call("DROP", "k")
    tile = run_unit(client.session, batch.stop).split(b"\r\n", 3)[3].removesuffix(b"\r\n")
    assert len(decode(tile)["tile38"]) == 12_000
