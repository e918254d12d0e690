"""Real shapes from public packages: the world's land, countries, US counties, and time zones.

Reads a folder with the npm packages `world-atlas` and `us-atlas` in its `node_modules`:
`npm install --ignore-scripts --prefix FOLDER world-atlas us-atlas`. Time zones come from the PyPI
package `timezonefinder`, which has to be importable: `pip install --target FOLDER timezonefinder`.
"""

import importlib
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

RING_POSITIONS_MIN = 4  # of a closed ring in GeoJSON
Position = tuple[float, float]
Polygon = list[list[Position]]  # the exterior and the holes, each closed


def counties(folder: Path) -> list[list[Polygon]]:
    """Return the counties of the United States."""
    return _topology(folder / "node_modules/us-atlas/counties-10m.json", "counties")


def countries(folder: Path) -> list[list[Polygon]]:
    """Return the countries of the world."""
    return _topology(folder / "node_modules/world-atlas/countries-10m.json", "countries")


def land(folder: Path) -> list[Polygon]:
    """Return the land of the world."""
    shapes = _topology(folder / "node_modules/world-atlas/land-10m.json", "land")
    return [polygon for shape in shapes for polygon in shape]


def time_zones(folder: Path) -> list[list[Polygon]]:
    """Return the time zones of the world; none if `timezonefinder` isn't installed."""
    sys.path.append(str(folder))
    try:
        module = importlib.import_module("timezonefinder")
    except ModuleNotFoundError:
        return []
    finder = module.TimezoneFinder()
    names = finder.timezone_names
    zones = (finder.get_geometry(tz_name=name, coords_as_pairs=True) for name in names)
    return [[[_closed(ring) for ring in polygon] for polygon in zone] for zone in zones]


def _closed(ring: Sequence[Position]) -> list[Position]:
    return [*ring, ring[0]] if ring[0] != ring[-1] else list(ring)


def _topology(path: Path, name: str) -> list[list[Polygon]]:
    """Return the areas of a layer of a TopoJSON file."""
    topology = json.loads(path.read_bytes())
    scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
    chains: list[list[Position]] = []
    for steps in topology["arcs"]:
        xs = itertools.accumulate(step[0] for step in steps)
        ys = itertools.accumulate(step[1] for step in steps)
        places = zip(xs, ys, strict=True)
        chains.append([(x * scale[0] + shift[0], y * scale[1] + shift[1]) for x, y in places])
    shapes = topology["objects"][name]["geometries"]
    return [list(_polygons(shape, chains)) for shape in shapes if "arcs" in shape]


def _polygons(shape: dict[str, list[list[int]]], chains: list[list[Position]]) -> Iterator[Polygon]:
    polygons = [shape["arcs"]] if str(shape["type"]) == "Polygon" else shape["arcs"]
    for polygon in polygons:
        rings = [_ring(indexes, chains) for indexes in polygon]
        # Simplification has left islands of two corners, which aren't valid GeoJSON.
        if len(rings[0]) >= RING_POSITIONS_MIN:
            yield [ring for ring in rings if len(ring) >= RING_POSITIONS_MIN]


def _ring(indexes: object, chains: list[list[Position]]) -> list[Position]:
    """Return the ring that chains form; a negative index names a chain that runs backwards."""
    ring: list[Position] = []
    assert isinstance(indexes, list)
    for index in indexes:
        chain = chains[index] if index >= 0 else chains[~index][::-1]
        ring += chain[1:] if ring else chain
    return ring
