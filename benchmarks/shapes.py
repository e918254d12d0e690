"""The time of predicates on large shapes, in process: objects of many parts, holes, real borders.

    python -m benchmarks.shapes                  # made-up shapes
    python -m benchmarks.shapes --data FOLDER    # real ones as well, see benchmarks.borders
    python -m benchmarks.shapes --quick          # a smoke test

Each row has the time of a request, and the share of requests that exceeded the budget of the event
loop, so that a server would have run them on a thread. RESULTS.md has results. Needs a release
build.
"""

import argparse
import itertools
import json
import math
import random
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import borders
from benchmarks.borders import Polygon, Position
from benchmarks.servers import refuse_debug_build
from tests.support.embedded import START_NS, new_engine, run_unit
from tests.support.resp import encode_words
from tile38py._engine import ReadUnit, Session

ROUNDS_COUNT = 3
SECONDS_MAX = 3.0  # of a row: slow requests are measured fewer times
CELL_DEGREES = 0.25  # the distance of parts
Words = Sequence[str | float]


def run(session: Session, request: bytes) -> bool:
    """Run a request; return whether it left the event loop."""
    batch = session.feed(request, START_NS)
    if not isinstance(batch.stop, ReadUnit):
        assert not batch.replies.startswith(b"-"), batch.replies
        return False
    run_unit(session, batch.stop)
    return True


def warm_up(session: Session, requests: Sequence[bytes]) -> None:
    """Run requests unmeasured: indexes are built once enough searches have asked for them."""
    started = time.perf_counter()
    for request in requests:
        run(session, request)
        if time.perf_counter() - started > SECONDS_MAX:
            break


def measure(session: Session, name: str, requests: Iterable[Words]) -> None:
    """Print a row of the table: the median of the rounds' average times."""
    encoded = [encode_words(words) for words in requests]
    warm_up(session, encoded)
    averages, left_count, count = [], 0, 0
    for _ in range(ROUNDS_COUNT):
        started = time.perf_counter()
        done = 0
        for request in encoded:
            left_count += run(session, request)
            done += 1
            if time.perf_counter() - started > SECONDS_MAX / ROUNDS_COUNT:
                break
        averages.append((time.perf_counter() - started) / done)
        count += done
    microseconds = statistics.median(averages) * 1e6
    print(f"| {name} | {microseconds:,.1f} | {left_count / count:.0%} |", flush=True)


def store(session: Session, name: str, requests: Sequence[Words]) -> None:
    """Run each request once and print a row of the table with their average time."""
    encoded = [encode_words(words) for words in requests]
    started = time.perf_counter()
    left_count = sum(run(session, request) for request in encoded)
    microseconds = (time.perf_counter() - started) / len(encoded) * 1e6
    print(f"| {name} | {microseconds:,.1f} | {left_count / len(encoded):.0%} |", flush=True)


def geojson(kind: str, coordinates: object) -> str:
    """Return a geometry as text."""
    return json.dumps({"type": kind, "coordinates": coordinates}, separators=(",", ":"))


def areas(polygons: Sequence[Polygon]) -> str:
    """Return a Polygon or MultiPolygon."""
    if len(polygons) == 1:
        return geojson("Polygon", polygons[0])
    return geojson("MultiPolygon", polygons)


def square(x: float, y: float, size: float) -> list[Position]:
    """Return a closed ring."""
    return [(x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y)]


def star(count: int, center: Position, radius: float) -> list[Position]:
    """Return a closed ring with a rugged border."""
    ring = []
    for index in range(count):
        angle = 2 * math.pi * index / count
        rugged = 1 + 0.1 * math.sin(300 * angle) + 0.01 * math.sin(7000 * angle)
        x, y = math.cos(angle) * rugged * radius, math.sin(angle) * rugged * radius
        ring.append((round(center[0] + x, 7), round(center[1] + y, 7)))
    return [*ring, ring[0]]


def objects_of_parts(count: int) -> dict[str, str]:
    """Return objects of so many parts, each in a cell of its own."""
    side = math.isqrt(count)
    cells = [(x * CELL_DEGREES, y * CELL_DEGREES) for x in range(side) for y in range(side)]
    squares = [[square(x, y, CELL_DEGREES / 2)] for x, y in cells]
    features = [
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": rings}}
        for rings in squares
    ]
    lines = [[(x, y), (x + CELL_DEGREES / 2, y + CELL_DEGREES / 3)] for x, y in cells]
    return {
        "MultiPoint": geojson("MultiPoint", cells),
        "MultiLineString": geojson("MultiLineString", lines),
        "MultiPolygon": geojson("MultiPolygon", squares),
        "FeatureCollection": json.dumps({"type": "FeatureCollection", "features": features}),
    }


def measure_parts(count: int) -> None:
    """Measure points, a box and a polygon against objects of so many parts, on either side."""
    session = new_engine().session()
    extent = math.isqrt(count) * CELL_DEGREES
    chance = random.Random(1)
    places = [(chance.uniform(0, extent), chance.uniform(0, extent)) for _ in range(count)]
    for number, (x, y) in enumerate(places):
        run(session, encode_words(("SET", "points", number, "POINT", y, x)))
    ring = areas([[star(1000, (extent / 2, extent / 2), extent / 3)]])
    for name, text in objects_of_parts(count).items():
        set_object = ("SET", name, "o", "OBJECT", text)
        measure(session, f"SET {name}", [set_object])
        stored = ("GET", name, "o")
        points = [("POINT", y, x) for x, y in places]
        small = [("BOUNDS", y, x, y + 0.01, x + 0.01) for x, y in places]
        for verb in ("WITHIN", "INTERSECTS"):
            measure(session, f"{verb} points, {name}", [(verb, "points", "COUNT", *stored)])
        tests = [("TEST", *point, "INTERSECTS", *stored) for point in points]
        measure(session, f"TEST point, {name}", tests)
        for shape, asked in (("point", points), ("box", small)):
            found = [("INTERSECTS", name, "COUNT", *area) for area in asked]
            measure(session, f"INTERSECTS {name}, {shape}", found)
        for verb in ("WITHIN", "INTERSECTS"):
            request = (verb, name, "COUNT", "OBJECT", ring)
            measure(session, f"{verb} {name}, polygon of 1,000 vertices", [request])
        measure(session, f"TEST {name} WITHIN itself", [("TEST", *stored, "WITHIN", *stored)])


def measure_holes(count: int) -> None:
    """Measure points against a polygon of so many holes."""
    session = new_engine().session()
    side = math.isqrt(count)
    extent = side * CELL_DEGREES
    size = CELL_DEGREES / 2
    steps = [step * CELL_DEGREES + 0.01 for step in range(side)]
    polygon = [square(0, 0, extent), *(square(x, y, size) for x in steps for y in steps)]
    run(session, encode_words(("SET", "holes", "o", "OBJECT", areas([polygon]))))
    chance = random.Random(2)
    places = [(chance.uniform(0, extent), chance.uniform(0, extent)) for _ in range(count)]
    requests = [("INTERSECTS", "holes", "COUNT", "POINT", y, x) for x, y in places]
    measure(session, f"INTERSECTS, point, polygon of {count:,} holes", requests)
    boxes = [("WITHIN", "holes", "COUNT", "BOUNDS", y, x, y + 0.01, x + 0.01) for x, y in places]
    measure(session, f"WITHIN, box, polygon of {count:,} holes", boxes)


def measure_fence(count: int) -> None:
    """Measure SET beside one fence of so many vertices."""
    session = new_engine().session()
    ring = areas([[star(count, (0, 0), 10)]])
    words = ("WITHIN", "fleet", "FENCE", "DETECT", "enter,exit,cross", "OBJECT", ring)
    chance = random.Random(3)

    def moves(reach: float) -> list[Words]:
        """Return SETs that move 1,000 objects by so many degrees or less."""
        places = [(chance.uniform(-12, 12), chance.uniform(-12, 12)) for _ in range(1000)]
        requests: list[Words] = []
        for number in itertools.chain(range(1000), range(1000), range(1000)):
            x, y = places[number]
            x, y = x + chance.uniform(-reach, reach), y + chance.uniform(-reach, reach)
            places[number] = (x, y)
            requests.append(("SET", "fleet", number, "POINT", y, x))
        return requests

    near, far = moves(0.01), moves(24)
    measure(session, "SET without a fence", near)
    store(session, f"SETCHAN, polygon of {count:,} vertices", [("SETCHAN", "c", *words)])
    measure(session, f"SET by short ways, fence of {count:,} vertices", near)
    measure(session, f"SET by long ways, fence of {count:,} vertices", far)


def near_borders(shapes: Iterable[Sequence[Polygon]], count: int) -> list[Position]:
    """Return places within some kilometres of corners of shapes."""
    chance = random.Random(4)
    corners = [place for shape in shapes for polygon in shape for ring in polygon for place in ring]
    chosen = chance.choices(corners, k=count)
    return [(x + chance.gauss(0, 0.05), y + chance.gauss(0, 0.05)) for x, y in chosen]


def measure_real(folder: Path, count: int) -> None:
    """Measure points among real shapes, anywhere and near borders, and shapes among shapes."""
    sets = {
        "counties": borders.counties(folder),
        "countries": borders.countries(folder),
        "land": [borders.land(folder)],
        "time zones": borders.time_zones(folder),
    }
    session = new_engine().session()
    chance = random.Random(5)
    anywhere = [(chance.uniform(-180, 180), chance.uniform(-60, 80)) for _ in range(count)]
    for number, (x, y) in enumerate(anywhere):
        run(session, encode_words(("SET", "points", number, "POINT", y, x)))
    for name, shapes in sets.items():
        if not shapes:
            print(f"| {name} | not installed | |")
            continue
        key = name.replace(" ", "-")
        texts = [("SET", key, id_, "OBJECT", areas(shape)) for id_, shape in enumerate(shapes)]
        vertices = sum(len(ring) for shape in shapes for polygon in shape for ring in polygon)
        store(session, f"SET each of {name} ({vertices:,} vertices)", texts)
        coasts = near_borders(shapes, count)
        for place, points in (("anywhere", anywhere), ("near a border", coasts)):
            requests: list[Words] = [("INTERSECTS", key, "COUNT", "POINT", y, x) for x, y in points]
            measure(session, f"INTERSECTS {name}, point {place}", requests)
        boxes = [(y, x, y + 0.1, x + 0.1) for x, y in coasts]
        for verb in ("INTERSECTS", "WITHIN"):
            requests = [(verb, key, "COUNT", "BOUNDS", *box) for box in boxes]
            measure(session, f"{verb} {name}, box near a border", requests)
        polygons = [("OBJECT", areas([[star(20, place, 0.1)]])) for place in coasts]
        requests = [("INTERSECTS", key, "COUNT", *polygon) for polygon in polygons]
        measure(session, f"INTERSECTS {name}, polygon of 20 vertices near a border", requests)
        requests = [("TEST", *polygon, "WITHIN", "GET", key, 0) for polygon in polygons]
        measure(session, f"TEST polygon near a border WITHIN one of {name}", requests)
        requests = [("WITHIN", "points", "COUNT", "GET", key, len(shapes) - 1)]
        measure(session, f"WITHIN {count:,} points, one of {name}", requests)


def main() -> None:
    """Print the table."""
    refuse_debug_build()
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--parts", type=int, default=100_000)
    parser.add_argument("--only", choices=("parts", "holes", "fence", "real"))
    arguments = parser.parse_args()
    share = 100 if arguments.quick else 1
    parts_count = arguments.parts // share
    print("| request | µs | left the loop |\n| --- | ---: | ---: |")
    if arguments.only in (None, "parts"):
        measure_parts(parts_count)
    if arguments.only in (None, "holes"):
        measure_holes(10_000 // share)
    if arguments.only in (None, "fence"):
        measure_fence(400_000 // share)
    if arguments.only in (None, "real") and arguments.data:
        measure_real(arguments.data, 10_000 // share)


if __name__ == "__main__":
    main()
