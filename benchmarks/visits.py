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
WRITES = 20_000
ROUNDS = 15
SWEEPS = 1000
UPKEEP_COUNT = 1000
FEW_TIMERS = 1000
HOUR_NS = 3600 * 10**9
DWELL = f"SETCHAN c WITHIN fleet DETECT enter,exit,dwell DWELL 1h IDS {AREA}"
FENCES = {
    "none": "",
    "enter,exit": f"SETCHAN c WITHIN fleet DETECT enter,exit IDS {AREA}",
    "ENDINGS": f"SETCHAN c WITHIN fleet DETECT enter,exit ENDINGS yes IDS {AREA}",
    "DWELL": DWELL,
}


def entries(count: int, inside_count: int) -> Iterator[bytes]:
    """Yield SETs of objects, of which the first are inside."""
    for number in range(count):
        latitude = 1 if number < inside_count else 50
        yield encode(f"SET fleet truck:{number} POINT {latitude} {number % 1000 / 1000}")


def stays(seed: int) -> list[bytes]:
    """Return SETs of the first objects, which stay inside."""
    return [
        encode(f"SET fleet truck:{at % FEW_TIMERS} POINT {seed % 9} {at % 997 / 1000}")
        for at in range(WRITES)
    ]


def filled(fence: str, count: int, inside_count: int) -> MeasuredEngine:
    """Return an engine with a fence and objects."""
    engine = MeasuredEngine()
    if fence:
        engine.run([encode(fence)])
    engine.fill(entries(count, inside_count))
    return engine


def measure_memory(fence: str, count: int) -> tuple[float, float, float]:
    """Return bytes per object, the microseconds of an idle sweep, and dwells per second."""
    before = resident_bytes()
    engine = filled(fence, count, count).engine
    bytes_per_object = (resident_bytes() - before) / count
    started = time.perf_counter()
    for _ in range(SWEEPS):
        engine.run_fence_upkeep(START_NS, UPKEEP_COUNT)
    sweep_us = (time.perf_counter() - started) / SWEEPS * 1e6
    started = time.perf_counter()
    dwells = 0
    while due := engine.run_fence_upkeep(START_NS + HOUR_NS, UPKEEP_COUNT)[1]:
        engine.take_events()
        dwells += due
    return bytes_per_object, sweep_us, dwells / (time.perf_counter() - started)


def measure_rates(count: int) -> tuple[list[float], list[float]]:
    """Return the SETs per second beside few timers and beside many, each round of both."""
    few, many = (filled(DWELL, count, inside) for inside in (FEW_TIMERS, count))
    rates = [(few.rate(stays(seed)), many.rate(stays(seed))) for seed in range(ROUNDS)]
    return [pair[0] for pair in rates], [pair[1] for pair in rates]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1_000_000)
    count = parser.parse_args().objects
    refuse_debug_build()
    context = multiprocessing.get_context("spawn")
    print(f"{'fence':12}{'bytes/object':>14}{'idle sweep us':>15}{'dwells/s':>12}")
    for name, fence in FENCES.items():
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            size, sweep, dwells = pool.submit(measure_memory, fence, count).result()
        print(f"{name:12}{size:14.0f}{sweep:15.1f}{dwells:12,.0f}")
    few, many = measure_rates(count)
    ratio = statistics.median(beside / alone for alone, beside in zip(few, many, strict=True))
    print(f"SET of 1,000 objects that dwell: best {max(few):,.0f}/s; beside {count:,} timers")
    print(f"best {max(many):,.0f}/s, median of the rounds' ratios {ratio:.2f}")


if __name__ == "__main__":
    main()
