"""The time that a vector tile takes, in process: of many points, and of many polygons.

`python -m benchmarks.tiles`
"""

import json
import math
import random
import statistics
import time

from benchmarks.servers import refuse_debug_build
from tile38py import Engine

POINTS_COUNT = 10_000
POLYGONS_COUNT = 1_000
CORNERS_COUNT = 100
ROUNDS_COUNT = 20
# The tile that has Europe.
TILE = (8, 5, 4)  # x, y, z
WEST, EAST, SOUTH, NORTH = 1.0, 21.0, 42.0, 54.0


def fill(engine: Engine) -> None:
    """Store points with two fields, and polygons with properties, in the tile."""
    chance = random.Random(1)
    for number in range(POINTS_COUNT):
        place = (chance.uniform(SOUTH, NORTH), chance.uniform(WEST, EAST))
        fields = ("FIELD", "speed", chance.randrange(130), "FIELD", "driver", f"d{number % 50}")
        engine.execute("SET", "points", number, *fields, "POINT", *place)
    for number in range(POLYGONS_COUNT):
        center = (chance.uniform(WEST, EAST), chance.uniform(SOUTH, NORTH))
        engine.execute("SET", "polygons", number, "OBJECT", polygon(center, chance))


def polygon(center: tuple[float, float], chance: random.Random) -> str:
    """Return a Feature whose ring has corners at random distances from a centre."""
    ring = []
    for corner in range(CORNERS_COUNT):
        angle, distance = 2 * math.pi * corner / CORNERS_COUNT, chance.uniform(0.1, 0.3)
        ring.append(
            [center[0] + distance * math.cos(angle), center[1] + distance * math.sin(angle)]
        )
    geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    return json.dumps({"type": "Feature", "properties": {"name": "a"}, "geometry": geometry})


def measure(engine: Engine, key: str) -> tuple[float, int]:
    """Return the median of milliseconds for a tile, and its bytes."""
    times, size = [], 0
    for _ in range(ROUNDS_COUNT):
        started_ns = time.perf_counter_ns()
        reply = engine.execute("INTERSECTS", key, "LIMIT", 10**9, "MVT", *TILE)
        times.append((time.perf_counter_ns() - started_ns) / 1e6)
        assert isinstance(reply, list)
        assert isinstance(reply[1], bytes)
        size = len(reply[1])
    return statistics.median(times), size


def main() -> None:
    """Print a line for each collection."""
    refuse_debug_build()
    engine = Engine()
    fill(engine)
    for key in ("points", "polygons"):
        milliseconds, size = measure(engine, key)
        print(f"{key}: {milliseconds:.1f} ms, {size:,} bytes")


if __name__ == "__main__":
    main()
