"""`python -m tests.simulation`: runs seeds, and prints the trace of the first that fails."""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.scenario import SeedResult, run_seed

SEEDS = 1000
CHUNK = 20


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed, or the only one")
    parser.add_argument("--seeds", type=int, help="number of seeds")
    arguments = parser.parse_args()
    first = 1 if arguments.seed is None else arguments.seed
    count = arguments.seeds or (SEEDS if arguments.seed is None else 1)
    if count == 1:
        return report(run_seed(first), is_verbose=True)
    return run_many(range(first, first + count))


def run_many(seeds: range) -> int:
    """Run seeds on all processors; return the exit code."""
    started = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(run_seed, seeds, chunksize=CHUNK):
            if result.failure:
                pool.shutdown(wait=False, cancel_futures=True)
                return report(result, is_verbose=True)
    print(f"{len(seeds)} seeds from {seeds[0]} on: ok, {time.monotonic() - started:.0f} s")
    return 0


def report(result: SeedResult, *, is_verbose: bool) -> int:
    """Print the result of a seed; return the exit code."""
    if is_verbose:
        print("\n".join(result.trace))
    print(f"seed {result.seed}: {'failed' if result.failure else 'ok'}")
    if result.failure:
        print(f"again: make simulate SEED={result.seed}")
    return int(bool(result.failure))


if __name__ == "__main__":
    sys.exit(main())
