"""MapLibre's decoder of vector tiles sees what the one of Python sees, and what was stored."""

import json
import subprocess
import urllib.request
from pathlib import Path

import shapely

from tests.clients.kits import Kit, npm_install
from tests.support.process import ROOT, ServerProcess
from tests.support.tiles import EXTENT, TileFeature, decode, to_cells
from tile38py.demo import PlaceFiles

DECODER = Kit(
    "tile-decoder",
    tools=("node", "npm"),
    files=("tiles/package.json", "tiles/package-lock.json"),
    commands=npm_install("tiles"),
)
PLACES = PlaceFiles(ROOT / "tests" / "data" / "demo")
TILES = ((0, 0, 0), (0, 0, 1), (1, 0, 1), (17, 11, 5), (63, 24, 6))
# A screen shows a tile on 512 pixels, so a pixel has 8 cells.
CELLS_MAX = 3.0
STEP_DEGREES = 0.25


def decode_in_node(tile: bytes) -> dict[str, list[TileFeature]]:
    """Decode a tile with MapLibre's decoder."""
    command = ("node", "{sources}/tiles/decode.mjs", "{home}/node_modules")
    result = subprocess.run(
        DECODER.expand(command), input=tile, capture_output=True, check=True, timeout=60
    )
    layers: dict[str, list[dict[str, object]]] = json.loads(result.stdout)
    return {name: [feature_of(item) for item in items] for name, items in layers.items()}


def feature_of(item: dict[str, object]) -> TileFeature:
    tags, feature_id = item["tags"], item["id"]
    assert isinstance(tags, dict)
    assert feature_id is None or isinstance(feature_id, int)
    return TileFeature(shapely.from_geojson(json.dumps(item["geometry"])), tags, feature_id)


def fetch(server: ServerProcess, keys: str, x: int, y: int, z: int) -> bytes:
    url = f"http://127.0.0.1:{server.port}/{keys}/{z}/{x}/{y}.mvt"
    with urllib.request.urlopen(url, timeout=60) as reply:
        tile = reply.read()
    assert isinstance(tile, bytes)
    return tile


def test_two_decoders_agree_on_countries_and_cities(tmp_path: Path) -> None:
    DECODER.install()
    borders = {code: json.dumps(shape) for code, _, shape in PLACES.rows("countries") if shape}
    with ServerProcess(tmp_path) as server:
        with server.connect() as connection:
            for command in (*PLACES.country_commands(), *PLACES.city_commands()):
                assert connection.call(*command) == "+OK"
        seen = set()
        for place in TILES:
            tile = fetch(server, "countries,cities", *place)
            ours, theirs = decode(tile), decode_in_node(tile)
            assert ours.keys() == theirs.keys()
            for name, features in ours.items():
                for one, other in zip(features, theirs[name], strict=True):
                    assert one.shape.equals(other.shape), one.tags
                    assert (one.tags, one.feature_id) == (other.tags, other.feature_id)
                    assert one.shape.is_valid
            for feature in theirs.get("countries", []):
                code = str(feature.tags["id"])
                border = shapely.from_geojson(borders[code])
                check_shape(feature, border, place)
                seen.add(code)
        assert seen == set(borders)


def check_shape(
    feature: TileFeature, border: shapely.Geometry, place: tuple[int, int, int]
) -> None:
    """Compare a decoded country with its border, within the tile."""
    square = shapely.box(0, 0, EXTENT, EXTENT)
    expected = to_cells(shapely.segmentize(shapely.make_valid(border), STEP_DEGREES), *place)
    expected = shapely.make_valid(expected).intersection(square)
    shown = feature.shape.intersection(square)
    assert shown.difference(expected.buffer(CELLS_MAX)).is_empty, feature.tags
    assert expected.buffer(-1).difference(shown.buffer(CELLS_MAX)).is_empty, feature.tags
