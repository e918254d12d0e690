"""Vector tiles: a decoder and a projection that are independent of ours. No tests."""

import json
import math
from dataclasses import dataclass

import mapbox_vector_tile
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from tests.support.embedded import EngineClient
from tests.support.resp import encode_words

EXTENT = 4096
# Cells beyond a tile that are drawn, too; the side of the margin differs by Tile38's formula.
MARGIN = EXTENT // 16
LATITUDE_MAX = 85.05112878

Places = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
TagValue = str | int | float | bool


@dataclass(frozen=True, slots=True)
class TileFeature:
    """A feature as the decoder sees it, in cells, rows from the top."""

    shape: BaseGeometry
    tags: dict[str, TagValue]
    feature_id: int | None


def tile_of(client: EngineClient, *words: str | float) -> bytes:
    """Run a search with MVT and return the tile."""
    reply = client.feed(encode_words(words))
    assert reply.startswith(b"*2\r\n:"), reply
    _, _, _, tile = reply.split(b"\r\n", 3)
    return tile.removesuffix(b"\r\n")


def decode(tile: bytes) -> dict[str, list[TileFeature]]:
    """Decode a tile with the package mapbox-vector-tile; return the features of each layer."""
    layers = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})
    return {name: [_feature(item) for item in layer["features"]] for name, layer in layers.items()}


def _feature(item: dict[str, object]) -> TileFeature:
    tags = item["properties"]
    assert isinstance(tags, dict)
    feature_id = item.get("id")
    # The decoder has 0 for no id, too.
    number = feature_id if isinstance(feature_id, int) and feature_id else None
    return TileFeature(shapely.from_geojson(json.dumps(item["geometry"])), tags, number)


def to_cells(shape: BaseGeometry, x: int, y: int, z: int) -> BaseGeometry:
    """Project a geometry from degrees to the cells of a tile, with fractions."""

    def project(degrees: Places) -> Places:
        latitude = np.radians(np.clip(degrees[:, 1], -LATITUDE_MAX, LATITUDE_MAX))
        across = (degrees[:, 0] + 180) / 360
        down = (1 - np.arcsinh(np.tan(latitude)) / math.pi) / 2
        return np.column_stack([(across * 2**z - x) * EXTENT, (down * 2**z - y) * EXTENT])

    return shapely.transform(shape, project)
