"""Random seeds of the simulation, and the determinism of each seed."""

import asyncio
import os
import random
import subprocess
import sys
import threading

import pytest

from tests.simulation.machine import CURRENT
from tests.simulation.scenario import Scenario, run_scenario, run_seed
from tests.support.process import ROOT
from tile38py._engine import Engine

SEEDS = 40


def test_random_seeds_hold() -> None:
    first = random.randrange(1_000_000_000)
    print(f"seeds from {first} on")
    for seed in range(first, first + SEEDS):
        result = run_seed(seed)
        assert not result.failure, "\n".join([*result.trace, f"make simulate SEED={seed}"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_leaves_the_same_trace_each_time(seed: int) -> None:
    traces = set()
    for hash_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", str(seed)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        traces.add(run.stdout)
    assert len(traces) == 1


def test_a_seed_leaves_the_same_trace_whatever_else_the_process_does() -> None:
    before = [run_seed(seed).trace for seed in (1, 2, 3)]
    data, ending = Engine(), threading.Event()
    for number in range(20):
        data.execute((b"SET", b"k", b"%d" % number, b"STRING", b"x" * 1_000_000), 0)
    others = [threading.Thread(target=ending.wait) for _ in range(100)]
    for thread in others:
        thread.start()
    try:
        assert [run_seed(seed).trace for seed in (1, 2, 3)] == before
    finally:
        ending.set()
        for thread in others:
            thread.join()


def test_seeds_differ() -> None:
    assert run_seed(1).trace != run_seed(2).trace


class EndlessScenario(Scenario):
    """A scenario that never ends, although time passes."""

    async def run(self) -> None:
        """Loop for ever."""
        await self._start_all()
        while True:
            self.trace.note("", "once more")
            await asyncio.sleep(0.001)


def test_a_seed_that_never_ends_fails_and_has_its_trace() -> None:
    result = run_scenario(1, EndlessScenario)
    assert "no end after" in result.failure
    assert result.trace[-1].endswith(result.failure)
    assert any("once more" in line for line in result.trace)


class FailingScenario(Scenario):
    """A scenario that fails while threads run."""

    async def run(self) -> None:
        """Start threads and fail."""
        await self._start_all()
        CURRENT.set(self.leader.process)
        for _ in range(5):
            self.loop.run_in_executor(None, self.loop.pause_thread)
        raise AssertionError("threads run")


@pytest.mark.parametrize("seed", range(5))
def test_a_seed_ends_though_threads_were_at_work_when_it_failed(seed: int) -> None:
    assert "threads run" in run_scenario(seed, FailingScenario).failure
