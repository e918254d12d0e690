"""Measure fences from a collection: one channel whose zones are the objects of a key.

    python -m benchmarks.zones                    # a million zones, 300,000 polygons
    python -m benchmarks.zones --zones 5000000
    python -m benchmarks.zones --quick            # a smoke test

In process, without a socket, so that rates are the engine's. Zones lie side by side, so that each
position is in one. Each engine runs in a process of its own, whose memory is measured. Needs a
release build.
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

from benchmarks.generators import join_chunks
from benchmarks.searches import WIDTH, encode, polygons
from benchmarks.servers import refuse_debug_build
from tests.support.embedded import START_NS, new_engine

PIPELINE = 32
FEW_ZONES = 1000
SPAN_DEGREES = 60.0  # the zones fill a square of this width
ROUNDS = 5
PAGE_BYTES = 4096
Result = TypeVar("Result")
FENCE = "SETCHAN c WITHIN fleet DETECT enter,exit IDS IN zones"


@dataclasses.dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    zones: int
    objects: int
    writes: int  # in a round
    polygon_columns: int  # of 20 polygons each
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
        self.session = new_engine().session()

    def run(self, chunks: list[bytes]) -> float:
        """Run pipelines; return the seconds."""
        feed = self.session.feed
        started = time.perf_counter()
        for chunk in chunks:
            batch = feed(chunk, START_NS)
            while batch.stop is not None:
                batch = feed(b"", START_NS)
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


def measure_plain(sizes: Sizes) -> float:
    """Return the SETs per second without a fence."""
    engine, grid, chance = MeasuredEngine(), Grid(FEW_ZONES), random.Random(2)
    engine.rate(grid.moves(sizes.objects, sizes.objects, chance, stay=True))
    moves = [grid.moves(sizes.objects, sizes.writes, chance, stay=True) for _ in range(ROUNDS)]
    return statistics.median(map(engine.rate, moves))


def measure_polygons(sizes: Sizes) -> tuple[int, float, float, float]:
    """Return the number of polygons, their SETs per second, and look-ups per second: by SETs of
    objects under the fence, and by searches with a point."""
    engine = MeasuredEngine()
    engine.run([encode(FENCE)])
    commands = (
        command.replace(b"\r\n$8\r\npolygons\r\n", b"\r\n$5\r\nzones\r\n")
        for command in polygons(sizes.polygon_columns)
    )
    count, seconds = engine.fill(commands)
    chance = random.Random(3)
    span = min(WIDTH, sizes.polygon_columns * 0.5)

    def writes(pattern: str) -> list[bytes]:
        return [
            encode(
                pattern.format(
                    number=number % sizes.objects,
                    lat=f"{chance.uniform(0, 10):.6f}",
                    lon=f"{chance.uniform(0, span):.6f}",
                )
            )
            for number in range(sizes.writes)
        ]

    def rate(pattern: str) -> float:
        return statistics.median(engine.rate(writes(pattern)) for _ in range(ROUNDS))

    moves = rate("SET fleet truck:{number} POINT {lat} {lon}")
    searches = rate("INTERSECTS zones IDS POINT {lat} {lon}")
    return count, count / seconds, moves, searches


def measure_visitors(sizes: Sizes) -> float:
    """Return the resident bytes for each object in a zone, beyond those of the objects."""
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
        sizes = Sizes(2500, 500, 2000, 4, 2000)
    else:
        sizes = Sizes(options.zones, 100_000, 200_000, 15_000, 1_000_000)
    plain = in_fresh_process(partial(measure_plain, sizes))
    few = in_fresh_process(partial(measure_zones, FEW_ZONES, sizes))
    many = in_fresh_process(partial(measure_zones, sizes.zones, sizes))
    measure = partial(measure_polygons, sizes)
    count, loaded, moves, searches = in_fresh_process(measure)
    rows = {
        "SETs/s without a fence": f"{plain:,.0f}",
        f"SETs/s that stay in their zone, {FEW_ZONES:,} zones": f"{few.staying:,.0f}",
        f"SETs/s that stay in their zone, {sizes.zones:,} zones": f"{many.staying:,.0f}",
        "share": f"{many.staying / few.staying:.2f}",
        f"SETs/s into another zone, {FEW_ZONES:,} zones": f"{few.moving:,.0f}",
        f"SETs/s into another zone, {sizes.zones:,} zones": f"{many.moving:,.0f}",
        "share of these": f"{many.moving / few.moving:.2f}",
        "zones loaded/s": f"{many.zones_per_second:,.0f}",
        "bytes a zone": f"{many.bytes_per_zone:,.0f}",
        f"{count:,} polygons of 64 corners loaded/s": f"{loaded:,.0f}",
        "SETs/s into another of these polygons": f"{moves:,.0f}",
        "searches/s for the polygon of a point": f"{searches:,.0f}",
        "bytes for an object in a zone": f"{measure_visitors(sizes):,.0f}",
    }
    print("\n| figure | |\n| --- | ---: |")
    for name, value in rows.items():
        print(f"| {name} | {value} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
