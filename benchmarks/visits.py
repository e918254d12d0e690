"""Measure fences with timers of visits: one channel with DWELL around all objects.

    python -m benchmarks.visits                     # a million objects that dwell
    python -m benchmarks.visits --objects 100000

In process, 32 deep. Each engine runs in a process of its own, whose memory is measured. Needs a
release build.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from benchmarks.searches import encode
from benchmarks.servers import refuse_debug_build
from benchmarks.zones import MeasuredEngine, resident_bytes
from tests.support.embedded import START_NS

AREA = "BOUNDS -10 -10 10 10"
WRITES = 200_000
ROUNDS = 5
SWEEPS = 1000
UPKEEP_COUNT = 1000
HOUR_NS = 3600 * 10**9
FENCES = {
    "none": "",
    "enter,exit": f"SETCHAN c WITHIN fleet DETECT enter,exit IDS {AREA}",
    "ENDINGS": f"SETCHAN c WITHIN fleet DETECT enter,exit ENDINGS yes IDS {AREA}",
    "DWELL": f"SETCHAN c WITHIN fleet DETECT enter,exit,dwell DWELL 1h IDS {AREA}",
}
Figures = tuple[float, float, float, float]


def entries(count: int) -> Iterator[bytes]:
    """Yield SETs of objects, each inside."""
    for number in range(count):
        yield encode(f"SET fleet truck:{number} POINT {number % 1000 / 1000} 1")


def moves(count: int, seed: int) -> list[bytes]:
    """Return SETs of objects that stay inside."""
    step = 7919  # far apart in memory
    return [
        encode(f"SET fleet truck:{(seed + at) * step % count} POINT {at % 1000 / 1000} {seed % 9}")
        for at in range(WRITES)
    ]


def measure(fence: str, count: int) -> Figures:
    """Return the bytes per object, SETs per second, microseconds of an idle sweep, dwells/s."""
    engine = MeasuredEngine()
    core = engine.engine
    if fence:
        engine.run([encode(fence)])
    before = resident_bytes()
    engine.fill(entries(count))
    bytes_per_object = (resident_bytes() - before) / count
    rates = [engine.rate(moves(count, seed)) for seed in range(ROUNDS)]
    started = time.perf_counter()
    for _ in range(SWEEPS):
        core.run_fence_upkeep(START_NS, UPKEEP_COUNT)
    sweep_us = (time.perf_counter() - started) / SWEEPS * 1e6
    started = time.perf_counter()
    dwells = 0
    while due := core.run_fence_upkeep(START_NS + HOUR_NS, UPKEEP_COUNT)[1]:
        core.take_events()
        dwells += due
    dwells_per_second = dwells / (time.perf_counter() - started)
    return bytes_per_object, statistics.median(rates), sweep_us, dwells_per_second


def main() -> None:
    """Print the figures of each kind of fence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1_000_000)
    count = parser.parse_args().objects
    refuse_debug_build()
    print(f"{'fence':12}{'bytes/object':>14}{'SET/s':>12}{'idle sweep us':>15}{'dwells/s':>12}")
    context = multiprocessing.get_context("spawn")
    for name, fence in FENCES.items():
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            figures = pool.submit(measure, fence, count).result()
        size, rate, sweep, dwells = figures
        print(f"{name:12}{size:14.0f}{rate:12,.0f}{sweep:15.1f}{dwells:12,.0f}")


if __name__ == "__main__":
    main()
