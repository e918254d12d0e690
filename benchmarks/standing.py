"""Measure writes beside fences that follow objects and beside standing queries.

    python -m benchmarks.standing           # 100,000 vehicles
    python -m benchmarks.standing --quick   # a smoke test

In process, where rates are the engine's. Vehicles move by up to a thousandth of a degree in a
square of ten degrees, over which fences are spread. Each row is the median of its rounds. Needs a
release build.
"""

import argparse
import random
import statistics
import sys
from collections.abc import Callable, Iterator

from benchmarks.searches import encode
from benchmarks.servers import refuse_debug_build
from benchmarks.zones import MeasuredEngine

ROUNDS = 5
SPAN_DEGREES = 10.0
STEP_DEGREES = 0.001
FENCES_COUNT = 1000
Maker = Callable[[int, str], str]


class Vehicles:
    """Vehicles that move in small steps."""

    def __init__(self, count: int, seed: int) -> None:
        self._random = random.Random(seed)
        self._places = [(self._coordinate(), self._coordinate()) for _ in range(count)]

    def _coordinate(self) -> float:
        return self._random.uniform(0, SPAN_DEGREES)

    def place(self) -> str:
        """Return a random place."""
        return f"{self._coordinate():.6f} {self._coordinate():.6f}"

    def all(self, key: str) -> Iterator[bytes]:
        """Yield the SETs of all vehicles."""
        for number, (y, x) in enumerate(self._places):
            yield encode(f"SET {key} v{number} POINT {y:.6f} {x:.6f}")

    def moves(self, key: str, count: int) -> list[bytes]:
        """Return SETs of random vehicles, each a step away."""
        commands = []
        for _ in range(count):
            number = self._random.randrange(len(self._places))
            y, x = (
                value + self._random.uniform(-STEP_DEGREES, STEP_DEGREES)
                for value in self._places[number]
            )
            self._places[number] = y, x
            commands.append(encode(f"SET {key} v{number} POINT {y:.6f} {x:.6f}"))
        return commands


def box_around(place: str) -> str:
    """Return the words of a small box around a place."""
    y, x = map(float, place.split())
    return f"BOUNDS {y - 0.01:.6f} {x - 0.01:.6f} {y + 0.01:.6f} {x + 0.01:.6f}"


# What one fence is, from its number and a random place. `cars` are written to.
FENCES: dict[str, Maker] = {
    "box": lambda _, place: f"WITHIN cars DETECT enter,exit IDS {box_around(place)}",
    "following": lambda number, _: (
        f"NEARBY cars DETECT enter,exit IDS OBJECT boats v{number % 1000} 1000"
    ),
    "TOP 10": lambda _, place: f"NEARBY cars TOP 10 EVERY 1s IDS POINT {place}",
    "TOP 10 around objects": lambda number, _: (
        f"NEARBY cars TOP 10 EVERY 1s IDS OBJECT boats v{number % 1000}"
    ),
    "COUNTS": lambda _, place: f"WITHIN cars COUNTS EVERY 1s IDS {box_around(place)}",
}


def measure(maker: Maker | None, count: int, *, key: str, vehicles: int, writes: int) -> float:
    """Return the SETs per second of vehicles of a key."""
    engine = MeasuredEngine()
    cars, boats = Vehicles(vehicles, 1), Vehicles(FENCES_COUNT, 2)
    engine.fill(cars.all("cars"))
    engine.fill(boats.all("boats"))
    if maker is not None:
        fences = (encode(f"SETCHAN c{at} {maker(at, cars.place())}") for at in range(count))
        engine.fill(fences)
    moving = cars if key == "cars" else boats
    rounds = [engine.rate(moving.moves(key, writes)) for _ in range(ROUNDS)]
    return statistics.median(rounds)


def main() -> int:
    """Print a row for each kind of fences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small: only to see that it works")
    options = parser.parse_args()
    if not options.quick:
        refuse_debug_build()
    vehicles, writes = (2_000, 3_200) if options.quick else (100_000, 64_000)
    print("| fences | moving | SET/s |\n| --- | --- | --- |")
    for key in ("cars", "boats"):
        rows: list[tuple[str, Maker | None, int]] = [("none", None, 0)]
        rows += [
            (name, maker, count)
            for name, maker in FENCES.items()
            for count in (1, FENCES_COUNT)
            if key == "cars" or "boats" in maker(0, "0 0")
        ]
        for name, maker, count in rows:
            rate = measure(maker, count, key=key, vehicles=vehicles, writes=writes)
            print(f"| {count} {name} | {key} | {rate:,.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
