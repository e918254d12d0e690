"""The rate of searches by area and by distance, in process and over a socket.

    python -m benchmarks.searches            # five rounds
    python -m benchmarks.searches --quick    # a smoke test

Points lie evenly at 0 to 10 north and 0 to 100 east. Polygons fill the same area without gaps, as
counties do; lines are short roads. Needs a release build.
"""

import argparse
import dataclasses
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator

from benchmarks.generators import ClientSettings, fill, join_chunks, run_prepared
from benchmarks.servers import ours, refuse_debug_build
from tests.support.embedded import START_NS, new_engine, run_unit
from tests.support.resp import encode_words
from tile38py._engine import ReadUnit

WIDTH, HEIGHT = 100.0, 10.0  # degrees
CELL_DEGREES = 0.5
BORDER_SEGMENTS = 16  # of each side of a polygon
REQUESTS_COUNT = 200  # different ones, which are repeated
PIPELINE = 20
CONNECTIONS_COUNT = 50
ROUND_REPEATS = 20  # of all requests in a round over a socket
Position = tuple[float, float]  # longitude, latitude


@dataclasses.dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the collections, and rounds."""

    points: int
    lines: int
    columns: int  # of polygons
    rounds: int


SEARCHES = {
    "WITHIN circle COUNT": "WITHIN points COUNT CIRCLE {lat} {lon} 50000",
    "WITHIN bounds COUNT": "WITHIN points COUNT BOUNDS {box}",
    "INTERSECTS circle COUNT": "INTERSECTS points COUNT CIRCLE {lat} {lon} 50000",
    "INTERSECTS bounds COUNT": "INTERSECTS points COUNT BOUNDS {box}",
    "WITHIN sector COUNT": "WITHIN points COUNT SECTOR {lat} {lon} 50000 10 130",
    "WITHIN circle IDS": "WITHIN points LIMIT 9999 IDS CIRCLE {lat} {lon} 50000",
    "WITHIN circle OBJECTS": "WITHIN points LIMIT 9999 CIRCLE {lat} {lon} 50000",
    "WITHIN bounds IDS": "WITHIN points LIMIT 9999 IDS BOUNDS {box}",
    "NEARBY LIMIT 10": "NEARBY points LIMIT 10 POINT {lat} {lon}",
    "NEARBY LIMIT 100 IDS": "NEARBY points LIMIT 100 IDS POINT {lat} {lon}",
    "NEARBY LIMIT 10 polygons": "NEARBY polygons LIMIT 10 IDS POINT {lat} {lon}",
    "NEARBY LIMIT 10 lines": "NEARBY lines LIMIT 10 IDS POINT {lat} {lon}",
}


def encode(words: str) -> bytes:
    """Encode a command of words without spaces."""
    return encode_words(words.split())


def geometry(kind: str, coordinates: object) -> str:
    """Return a geometry as GeoJSON without spaces."""
    return json.dumps({"type": kind, "coordinates": coordinates}, separators=(",", ":"))


def border(start: Position, end: Position) -> list[Position]:
    """Return a jagged border, always the same between two positions, without its end."""
    chance = random.Random(f"{start} {end}")
    positions = [start]
    for step in range(1, BORDER_SEGMENTS):
        share = step / BORDER_SEGMENTS
        along = [a + share * (b - a) for a, b in zip(start, end, strict=True)]
        x, y = (round(value + chance.uniform(-0.03, 0.03), 5) for value in along)
        positions.append((x, y))
    return positions


def polygons(columns: int) -> Iterator[bytes]:
    """Yield the SETs of adjacent polygons."""
    for number in range(columns * round(HEIGHT / CELL_DEGREES)):
        x, y = number % columns * CELL_DEGREES, number // columns * CELL_DEGREES
        east, north = x + CELL_DEGREES, y + CELL_DEGREES
        south_side, east_side = border((x, y), (east, y)), border((east, y), (east, north))
        north_side, west_side = border((x, north), (east, north)), border((x, y), (x, north))
        ring = [*south_side, *east_side, (east, north), *north_side[:0:-1], (x, north)]
        ring += [*west_side[:0:-1], (x, y)]
        yield encode(f"SET polygons {number} OBJECT {geometry('Polygon', [ring])}")


def lines(count: int, chance: random.Random) -> Iterator[bytes]:
    """Yield the SETs of lines that wander."""
    for number in range(count):
        position = (chance.uniform(0, WIDTH), chance.uniform(0, HEIGHT))
        line = [position]
        for _ in range(chance.randrange(1, 20)):
            x, y = (round(value + chance.uniform(-0.01, 0.02), 5) for value in line[-1])
            line.append((x, y))
        yield encode(f"SET lines {number} OBJECT {geometry('LineString', line)}")


def points(count: int, chance: random.Random) -> Iterator[bytes]:
    """Yield the SETs of points."""
    for number in range(count):
        latitude, longitude = chance.uniform(0, HEIGHT), chance.uniform(0, WIDTH)
        yield encode(f"SET points id:{number:012} POINT {latitude:.5f} {longitude:.5f}")


def collections(sizes: Sizes) -> list[bytes]:
    """Return the commands that fill a server."""
    chance = random.Random(1)
    all_lines = lines(sizes.lines, chance)
    return [*points(sizes.points, chance), *polygons(sizes.columns), *all_lines]


def batches(words: str) -> list[bytes]:
    """Return pipelines of one search at random places."""
    chance = random.Random(2)
    requests = []
    for _ in range(REQUESTS_COUNT):
        lat, lon = chance.uniform(1, HEIGHT - 1), chance.uniform(1, WIDTH - 1)
        box = f"{lat - 0.4:.5f} {lon - 0.4:.5f} {lat + 0.4:.5f} {lon + 0.4:.5f}"
        requests.append(encode(words.format(lat=f"{lat:.5f}", lon=f"{lon:.5f}", box=box)))
    return list(join_chunks(requests, PIPELINE))


def table(rounds: int, names: list[str], seconds: Callable[[list[bytes]], float]) -> None:
    """Print the microseconds that the searches take: the median and the least of the rounds."""
    print("\n| search | µs | least |\n| --- | ---: | ---: |")
    for name in names:
        prepared = batches(SEARCHES[name])
        seconds(prepared)  # warms up
        times = [seconds(prepared) / REQUESTS_COUNT * 1e6 for _ in range(rounds)]
        print(f"| {name} | {statistics.median(times):.1f} | {min(times):.1f} |", flush=True)


def measure_in_process(commands: list[bytes], rounds: int) -> None:
    """Measure a session without a socket."""
    session = new_engine().session()

    def feed(data: bytes) -> None:
        stop = session.feed(data, START_NS).stop
        while stop is not None:
            if isinstance(stop, ReadUnit):
                run_unit(session, stop)
            stop = session.feed(b"", START_NS).stop

    started = time.perf_counter()
    for command in commands:
        feed(command)
    rate = len(commands) / (time.perf_counter() - started)
    print(f"\nIn process, {PIPELINE} deep ({rate:,.0f} SETs/s one by one)")

    def seconds(prepared: list[bytes]) -> float:
        started = time.perf_counter()
        for batch in prepared:
            feed(batch)
        return time.perf_counter() - started

    table(rounds, list(SEARCHES), seconds)


def measure_server(commands: list[bytes], rounds: int) -> None:
    """Measure a server with many connections, by the searches with a reply of one line."""
    print(f"\n{CONNECTIONS_COUNT} connections, {PIPELINE} deep")
    setting = ClientSettings(CONNECTIONS_COUNT, PIPELINE, REQUESTS_COUNT * ROUND_REPEATS, 1)
    with ours() as server:
        fill(server, commands)

        def seconds(prepared: list[bytes]) -> float:
            count = len(prepared) * ROUND_REPEATS
            return REQUESTS_COUNT / run_prepared(server.address, prepared, count, setting)

        table(rounds, [name for name in SEARCHES if name.endswith("COUNT")], seconds)


def main() -> None:
    """Measure in process, then over a socket."""
    refuse_debug_build()
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args().quick
    sizes = Sizes(2000, 500, 4, 1) if is_quick else Sizes(1_000_000, 72_000, 200, 5)
    commands = collections(sizes)
    measure_in_process(commands, sizes.rounds)
    measure_server(commands, sizes.rounds)


if __name__ == "__main__":
    main()
