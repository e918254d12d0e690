"""Measure fences from a collection: one channel whose zones are the objects of a key.

    python -m benchmarks.zones                    # a million zones, 300,000 polygons
    python -m benchmarks.zones --zones 5000000
    python -m benchmarks.zones --quick            # a smoke test

In process, where rates are the engine's, and one over a socket. Zones lie side by side, so that
each position is in one. Each engine runs in a process of its own, whose memory is measured. Needs
a release build.
"""

import argparse
import dataclasses
import math
import multiprocessing
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from benchmarks.generators import ClientSettings, fill, join_chunks, run_prepared
from benchmarks.searches import encode
from benchmarks.servers import ours, refuse_debug_build
from tests.support.embedded import START_NS, new_engine, run_unit
from tile38py._engine import ReadUnit

PIPELINE = 32
FEW_ZONES = 1000
SPAN_DEGREES = 60.0  # the zones fill a square of this width
ROUNDS = 3
CORNERS = 32  # of a polygon
PAGE_BYTES = 4096
Result = TypeVar("Result")
FENCE = "SETCHAN c WITHIN fleet DETECT enter,exit IDS IN zones"


@dataclasses.dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    zones: int
    objects: int
    writes: int  # in a round
    polygons: int
    visitors: int  # objects in one zone


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one engine."""

    zones_per_second: float
    bytes_per_zone: float
    staying: float  # SETs per second of objects that stay in their zone
    moving: float  # SETs per second, each into another zone: two messages


class MeasuredEngine:
    """An engine and the time that it takes."""

    def __init__(self) -> None:
        self.engine = new_engine()
        self.session = self.engine.session()

    def run(self, chunks: list[bytes]) -> float:
        """Run pipelines; return the seconds."""
        feed = self.session.feed
        started = time.perf_counter()
        for chunk in chunks:
            stop = feed(chunk, START_NS).stop
            while stop is not None:
                if isinstance(stop, ReadUnit):
                    run_unit(self.session, stop)
                stop = feed(b"", START_NS).stop
        return time.perf_counter() - started

    def fill(self, commands: Iterator[bytes]) -> tuple[int, float]:
        """Run commands, whose encoding isn't measured; return how many and the seconds."""
        count, seconds = 0, 0.0
        pending: list[bytes] = []
        for command in commands:
            pending.append(command)
            if len(pending) == 64 * PIPELINE:
                seconds += self.run(list(join_chunks(pending, PIPELINE)))
                count += len(pending)
                pending.clear()
        seconds += self.run(pending)
        return count + len(pending), seconds

    def rate(self, commands: list[bytes]) -> float:
        """Return the commands per second of one round."""
        chunks = list(join_chunks(commands, PIPELINE))
        return len(chunks) * PIPELINE / self.run(chunks)


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE_BYTES


class Grid:
    """Square zones side by side."""

    def __init__(self, count: int) -> None:
        self.columns = math.isqrt(count)
        self.side = SPAN_DEGREES / self.columns

    def zones(self) -> Iterator[bytes]:
        """Yield the SETs of the zones, in a random order."""
        numbers = list(range(self.columns**2))
        random.Random(1).shuffle(numbers)
        for number in numbers:
            south, west = (part * self.side for part in divmod(number, self.columns))
            box = f"{south:.6f} {west:.6f} {south + self.side:.6f} {west + self.side:.6f}"
            yield encode(f"SET zones zone:{number} BOUNDS {box}")

    def polygons(self) -> Iterator[bytes]:
        """Yield the SETs of polygons, each of which fills most of its cell."""
        chance = random.Random(1)
        turns = [2 * math.pi * corner / CORNERS for corner in range(CORNERS)]
        offsets = [
            (radius * math.cos(turn), radius * math.sin(turn))
            for turn in turns
            if (radius := self.side * chance.uniform(0.4, 0.5))
        ]
        for number in range(self.columns**2):
            y, x = ((part + 0.5) * self.side for part in divmod(number, self.columns))
            ring = [f"[{x + dx:.6f},{y + dy:.6f}]" for dx, dy in (*offsets, offsets[0])]
            shape = f'{{"type":"Polygon","coordinates":[[{",".join(ring)}]]}}'
            yield encode(f"SET zones zone:{number} OBJECT {shape}")

    def moves(self, objects: int, count: int, chance: random.Random, *, stay: bool) -> list[bytes]:
        """Return SETs, each of which leaves the object's zone, or none."""
        commands = []
        for at in range(count):
            number = at % objects
            home = random.Random(number) if stay else chance
            column, row = home.randrange(self.columns), home.randrange(self.columns)
            x, y = ((cell + chance.uniform(0.1, 0.9)) * self.side for cell in (column, row))
            commands.append(encode(f"SET fleet truck:{number} POINT {y:.7f} {x:.7f}"))
        return commands


def measure_zones(count: int, sizes: Sizes) -> Figures:
    """Measure an engine with this many square zones."""
    engine, grid = MeasuredEngine(), Grid(count)
    engine.run([encode(FENCE)])
    before = resident_bytes()
    loaded, seconds = engine.fill(grid.zones())
    bytes_per_zone = (resident_bytes() - before) / loaded
    chance = random.Random(2)
    engine.rate(grid.moves(sizes.objects, sizes.objects, chance, stay=True))
    rates: dict[bool, list[float]] = {True: [], False: []}
    for stay in (True, False):
        engine.rate(grid.moves(sizes.objects, sizes.objects, chance, stay=stay))
        for _ in range(ROUNDS):
            moves = grid.moves(sizes.objects, sizes.writes, chance, stay=stay)
            rates[stay].append(engine.rate(moves))
    staying, moving = (statistics.median(rates[stay]) for stay in (True, False))
    return Figures(loaded / seconds, bytes_per_zone, staying, moving)


def measure_servers(sizes: Sizes) -> list[float]:
    """Return the SETs per second of 50 clients without a pipeline, with few zones and with many.

    The rounds of the two servers alternate.
    """
    chance = random.Random(2)
    setting = ClientSettings(clients=50, pipeline=1, requests=sizes.writes, ids=sizes.objects)
    grids = [Grid(FEW_ZONES), Grid(sizes.zones)]
    rates: list[list[float]] = [[], []]
    with ours() as few, ours() as many:
        servers = (few, many)
        for server, grid in zip(servers, grids, strict=True):
            fill(server, [encode(FENCE), *grid.zones()])
            fill(server, grid.moves(sizes.objects, sizes.objects, chance, stay=True))
        for _ in range(ROUNDS):
            for server, grid, found in zip(servers, grids, rates, strict=True):
                moves = grid.moves(sizes.objects, sizes.writes, chance, stay=True)
                found.append(run_prepared(server.address, moves, len(moves), setting))
    return [statistics.median(found) for found in rates]


def measure_plain(sizes: Sizes) -> float:
    """Return the SETs per second without a fence."""
    engine, grid, chance = MeasuredEngine(), Grid(FEW_ZONES), random.Random(2)
    engine.rate(grid.moves(sizes.objects, sizes.objects, chance, stay=True))
    moves = [grid.moves(sizes.objects, sizes.writes, chance, stay=True) for _ in range(ROUNDS)]
    return statistics.median(map(engine.rate, moves))


def measure_polygons(sizes: Sizes) -> tuple[float, float, float]:
    """Return the polygons set per second, and look-ups per second: by SETs of objects under the
    fence, and by searches with a point."""
    engine, grid, chance = MeasuredEngine(), Grid(sizes.polygons), random.Random(3)
    engine.run([encode(FENCE)])
    loaded, seconds = engine.fill(grid.polygons())

    def rate(pattern: str) -> float:
        places = ((chance.uniform(0, SPAN_DEGREES) for _ in range(2)) for _ in range(sizes.writes))
        commands = [
            encode(pattern.format(number=at % sizes.objects, lat=f"{lat:.6f}", lon=f"{lon:.6f}"))
            for at, (lat, lon) in enumerate(places)
        ]
        return engine.rate(commands)

    patterns = (
        "SET fleet truck:{number} POINT {lat} {lon}",
        "INTERSECTS zones IDS POINT {lat} {lon}",
    )
    moves, searches = (
        statistics.median(rate(pattern) for _ in range(ROUNDS)) for pattern in patterns
    )
    return loaded / seconds, moves, searches


def measure_circles(sizes: Sizes) -> tuple[float, float]:
    """Return how many circles per second the first fence with RADIUS indexes, and their bytes."""
    engine, chance = MeasuredEngine(), random.Random(5)
    places = ((chance.uniform(0, SPAN_DEGREES) for _ in range(2)) for _ in range(sizes.zones))
    engine.fill(
        encode(f"SET zones zone:{at} FIELD metres 50 POINT {lat:.6f} {lon:.6f}")
        for at, (lat, lon) in enumerate(places)
    )
    before = resident_bytes()
    seconds = engine.run([encode(f"{FENCE} RADIUS metres")])
    return sizes.zones / seconds, (resident_bytes() - before) / sizes.zones


def measure_visitors(sizes: Sizes) -> float:
    """Return the resident bytes that the memory of a visit takes for each object in a zone."""
    without, with_zone = (
        in_fresh_process(partial(memory_of_visitors, sizes.visitors, has_zone=has_zone))
        for has_zone in (False, True)
    )
    return (with_zone - without) / sizes.visitors


def memory_of_visitors(count: int, *, has_zone: bool) -> int:
    """Return the resident bytes of objects that are in one zone, or in none."""
    engine = MeasuredEngine()
    zone = "SET zones z17 BOUNDS 0 0 60 60" if has_zone else "SET zones z17 BOUNDS -2 -2 -1 -1"
    engine.run([encode(FENCE), encode(zone)])
    before = resident_bytes()
    chance = random.Random(4)
    engine.fill(
        encode(
            f"SET fleet truck:{at} POINT {chance.uniform(1, 59):.5f} {chance.uniform(1, 59):.5f}"
        )
        for at in range(count)
    )
    return resident_bytes() - before


def in_fresh_process(function: Callable[[], Result]) -> Result:
    """Run a function in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function).result()


def main() -> int:
    """Print the figures as a table."""
    refuse_debug_build()
    parser = argparse.ArgumentParser()
    parser.add_argument("--zones", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        sizes = Sizes(2500, 500, 2000, 100, 2000)
    else:
        sizes = Sizes(options.zones, 100_000, 200_000, 300_000, 1_000_000)
    plain = in_fresh_process(partial(measure_plain, sizes))
    few = in_fresh_process(partial(measure_zones, FEW_ZONES, sizes))
    many = in_fresh_process(partial(measure_zones, sizes.zones, sizes))
    measure = partial(measure_polygons, sizes)
    loaded, moves, searches = in_fresh_process(measure)
    few_served, many_served = measure_servers(sizes)
    indexed, circle_bytes = in_fresh_process(partial(measure_circles, sizes))
    rows = {
        "SETs/s without a fence": f"{plain:,.0f}",
        f"SETs/s that stay in their zone, {FEW_ZONES:,} zones": f"{few.staying:,.0f}",
        f"SETs/s that stay in their zone, {sizes.zones:,} zones": f"{many.staying:,.0f}",
        "share": f"{many.staying / few.staying:.2f}",
        f"SETs/s into another zone, {FEW_ZONES:,} zones": f"{few.moving:,.0f}",
        f"SETs/s into another zone, {sizes.zones:,} zones": f"{many.moving:,.0f}",
        "share of these": f"{many.moving / few.moving:.2f}",
        f"the first over a socket, 50 clients, {FEW_ZONES:,} zones": f"{few_served:,.0f}",
        f"the first over a socket, 50 clients, {sizes.zones:,} zones": f"{many_served:,.0f}",
        "share over a socket": f"{many_served / few_served:.2f}",
        "zones loaded/s": f"{many.zones_per_second:,.0f}",
        "bytes a zone": f"{many.bytes_per_zone:,.0f}",
        f"{sizes.polygons:,} polygons of {CORNERS} corners loaded/s": f"{loaded:,.0f}",
        "SETs/s into another of these polygons": f"{moves:,.0f}",
        "searches/s for the polygon of a point": f"{searches:,.0f}",
        "circles indexed/s by the first fence with RADIUS": f"{indexed:,.0f}",
        "bytes a circle": f"{circle_bytes:,.0f}",
        "bytes for an object in a zone": f"{measure_visitors(sizes):,.0f}",
    }
    print("\n| figure | |\n| --- | ---: |")
    for name, value in rows.items():
        print(f"| {name} | {value} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
