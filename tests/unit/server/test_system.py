"""The memory limit and automatic collection."""

import io
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from tests.support.bench import Bench
from tests.support.fakes import FakeProcess
from tile38py.config import Config
from tile38py.limits import MIB
from tile38py.server.logs import SHOWN, make_log
from tile38py.server.memory_budget import MemoryBudget
from tile38py.server.system import EngineMemory, ThisProcess, raise_file_limit
from tile38py.server.upkeep import memory_checker

if TYPE_CHECKING:
    from tile38py.server.core import Core

SET = ("SET", "fleet", "a", "POINT", "1", "2")


def memory_of(bench: Bench, budget: MemoryBudget | None = None) -> EngineMemory:
    return EngineMemory(bench.engine, bench.config, budget or MemoryBudget(FakeProcess()))


def is_exhausted(memory: EngineMemory) -> bool:
    memory.check()
    return memory.is_exhausted


def test_above_the_limit_writes_are_refused_until_it_is_raised() -> None:
    bench = Bench()
    memory = memory_of(bench)
    bench.config.set("maxmemory", "1")
    assert is_exhausted(memory)
    assert bench.call(*SET).startswith(b"-OOM ")
    bench.config.set("maxmemory", "0")
    assert not is_exhausted(memory)
    assert bench.call(*SET) == b"+OK\r\n"


def test_in_a_container_the_default_gives_way_to_the_rest_of_the_process() -> None:
    bench, process = Bench(), FakeProcess()
    budget = MemoryBudget(process, 1000 * MIB)
    bench.config = Config(maxmemory=budget.data_bytes_max)
    memory = memory_of(bench, budget)
    process.resident = 500 * MIB
    assert not is_exhausted(memory)
    process.resident = 901 * MIB + memory.used()
    assert is_exhausted(memory)
    # What somebody chose is left as it is.
    bench.config.set("maxmemory", "599mb")
    assert not is_exhausted(memory)


def test_refusing_writes_and_accepting_them_again_are_logged() -> None:
    bench, stream = Bench(), io.StringIO()
    memory = memory_of(bench)
    parts = SimpleNamespace(memory=memory, config=bench.config, budget=MemoryBudget(FakeProcess()))
    handlers = [logging.StreamHandler(stream)]
    check = memory_checker(cast("Core", parts), make_log(SHOWN, handlers=handlers))
    for limit in ("", "1", "2", "0"):
        bench.config.set("maxmemory", limit)
        check()
    refused, accepted = stream.getvalue().splitlines()
    assert "[ERRO] Writes are refused: the data takes" in refused
    assert refused.endswith("maxmemory is 1")
    assert accepted.endswith("[INFO] Memory is below its bound, writes are accepted again")


def test_autogc_counts_seconds() -> None:
    bench = Bench()
    memory = memory_of(bench)
    collections = list[int]()
    memory.collect = lambda: collections.append(1)  # type: ignore[method-assign]
    for _ in range(5):
        memory.tick()
    assert not collections
    bench.config.set("autogc", "2")
    for _ in range(5):
        memory.tick()
    assert len(collections) in (2, 3)


def test_figures_of_the_process_are_there() -> None:
    process = ThisProcess()
    assert process.pid > 0
    assert process.threads() >= 1
    assert 0 < process.private_bytes() < process.resident_bytes()
    assert all(seconds == int(seconds) for seconds in process.cpu_seconds())
    assert raise_file_limit() >= 1
