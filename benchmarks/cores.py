"""Searches on the event loop alone and beside threads for reads, and long searches that are split.

    python -m benchmarks.cores            # five alternating rounds
    python -m benchmarks.cores --quick    # a smoke test

One server, whose `read-threads` alternates; 50 connections of redis-benchmark, which shares the
cores with it. RESULTS.md has results. Needs a release build.
"""

import argparse
import itertools
import math
import random
import statistics
import time
from collections.abc import Iterator

from benchmarks import whole_server
from benchmarks.generators import ClientSettings, fill, run_native
from benchmarks.servers import MeasuredServer, ours, refuse_debug_build
from tests.support.resp import encode_words

PLACES_COUNT, SPREAD_COUNT = 100_000, 1_000_000  # in a region; all over the world
PLACES = (30.0, 40.0, -120.0, -110.0)  # south, north, west, east
WORLD = (-60.0, 60.0, -170.0, 170.0)
CORNERS = "[-115.2,35],[-115,35.2],[-114.8,35],[-115,34.8],[-115.2,35]"
SQUARE = f'{{"type":"Polygon","coordinates":[[{CORNERS}]]}}'
STAR_POINTS = 2000
SPLIT_ROUNDS = 5
# The command, and the numbers of requests without and with a pipeline.
SEARCHES: dict[str, tuple[str, int, int]] = {
    "WITHIN circle COUNT": ("WITHIN fleet COUNT CIRCLE 35 -115 20000", 50_000, 400_000),
    "WITHIN bounds COUNT": ("WITHIN fleet COUNT BOUNDS 34.8 -115.2 35.2 -114.8", 50_000, 500_000),
    "WITHIN polygon COUNT": ("WITHIN fleet COUNT GET areas square", 50_000, 200_000),
    "INTERSECTS polygon COUNT": ("INTERSECTS fleet COUNT GET areas square", 50_000, 200_000),
    "NEARBY LIMIT 50": ("NEARBY fleet LIMIT 50 COUNT POINT 35 -115", 30_000, 80_000),
    "NEARBY LIMIT 100": ("NEARBY fleet LIMIT 100 COUNT POINT 35 -115", 20_000, 40_000),
    "SCAN WHERE": ("SCAN fleet LIMIT 100 WHERE speed 50 51 COUNT", 5_000, 6_400),
    "PING": ("PING", 50_000, 1_500_000),
    "GET": ("GET fleet t500", 50_000, 600_000),
    "SET": ("SET fleet t500 POINT 35 -115", 50_000, 400_000),
}


def points(key: str, count: int, area: tuple[float, float, float, float]) -> Iterator[bytes]:
    """Yield SETs of points with a speed, at random places of an area."""
    south, north, west, east = area
    chance = random.Random(count)
    for number in range(count):
        speed = chance.randrange(100)
        place = (chance.uniform(south, north), chance.uniform(west, east))
        words = ("SET", key, f"t{number}", "FIELD", "speed", speed, "POINT", *place)
        yield encode_words(words)


def star() -> str:
    """Return a polygon around most of the world with many spikes."""
    turns = (2 * math.pi * number / STAR_POINTS for number in range(STAR_POINTS))
    reaches = itertools.cycle((1.0, 0.7))
    corners = [
        f"[{160 * reach * math.cos(turn)},{55 * reach * math.sin(turn)}]"
        for turn, reach in zip(turns, reaches, strict=False)
    ]
    return f'{{"type":"Polygon","coordinates":[[{",".join([*corners, corners[0]])}]]}}'


def measure_pipelines(server: MeasuredServer, rounds: int, share: int) -> None:
    """Print rates without and with a thread for reads."""
    print("| command | pipeline | on the loop | with a thread | ratio |")
    print("| --- | ---: | ---: | ---: | ---: |")
    with server.connect() as control:
        for (name, (text, *counts)), at in itertools.product(SEARCHES.items(), (0, 1)):
            settings = ClientSettings(50, (1, 32)[at], max(counts[at] // share, 64), 1)
            rates: dict[str, list[float]] = {"0": [], "1": []}
            for threads in ["0", "1"] * rounds:
                control.call("CONFIG", "SET", "read-threads", threads)
                rates[threads].append(run_native(server.address, text.split(), settings))
            pairs = zip(rates["1"], rates["0"], strict=True)
            ratio = statistics.median(one / other for one, other in pairs)
            loop, thread = (statistics.median(rates[threads]) for threads in ("0", "1"))
            print(f"| {name} | {settings.pipeline} | {loop:,.0f} | {thread:,.0f} | {ratio:.2f} |")


def measure_long_searches(server: MeasuredServer) -> None:
    """Print the durations of searches over all objects, by the number of threads."""
    world = ("BOUNDS", "-90", "-180", "90", "180")
    searches = {
        "SCAN WHERE COUNT": ("SCAN", "points", "WHERE", "speed", "50", "60", "COUNT"),
        "WITHIN the world WHERE COUNT": (
            *("WITHIN", "points", "WHERE", "speed * 2 > 100", "COUNT"),
            *world,
        ),
        "WITHIN a polygon of 2,000 vertices": (
            *("WITHIN", "points", "WHERE", "speed", "50", "60", "COUNT"),
            *("OBJECT", star()),
        ),
    }
    print("\n| search among 1 M points | 1 thread, ms | 2 threads, ms |\n| --- | ---: | ---: |")
    with server.connect() as connection:
        for name, words in searches.items():
            times: dict[int, list[float]] = {1: [], 2: []}
            for threads in (1, 2) * SPLIT_ROUNDS:
                connection.call("CONFIG", "SET", "read-threads", str(threads))
                started = time.perf_counter()
                connection.call(*words)
                times[threads].append(time.perf_counter() - started)
            cells = (f"{statistics.median(values) * 1e3:.0f}" for values in times.values())
            print(f"| {name} | {' | '.join(cells)} |")
        connection.call("CONFIG", "SET", "read-threads", "")


def main() -> None:
    """Print all tables."""
    refuse_debug_build()
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    rounds, share = (1, 100) if options.quick else (5, 1)
    with ours() as server:
        fill(server, list(points("fleet", PLACES_COUNT // share, PLACES)))
        with server.connect() as connection:
            connection.call("SET", "areas", "square", "OBJECT", SQUARE)
        measure_pipelines(server, rounds, share)
        fill(server, list(points("points", SPREAD_COUNT // share, WORLD)))
        measure_long_searches(server)
        stall = whole_server.high_stall(server)
        print(
            f"\nSET beside world-wide searches, one in a thousand takes longer than {stall:.2f} ms"
        )


if __name__ == "__main__":
    main()
