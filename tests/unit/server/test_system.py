"""The memory limit and automatic collection."""

from tests.support.bench import Bench
from tile38py.server.system import EngineMemory, ThisProcess, raise_file_limit

SET = ("SET", "fleet", "a", "POINT", "1", "2")


def test_above_the_limit_writes_are_refused_until_it_is_raised() -> None:
    bench = Bench()
    memory = EngineMemory(bench.engine, bench.config, bench.gates)
    bench.config.set("maxmemory", "1")
    memory.check()
    assert bench.call(*SET).startswith(b"-OOM ")
    bench.config.set("maxmemory", "0")
    memory.check()
    assert bench.call(*SET) == b"+OK\r\n"


def test_autogc_counts_seconds() -> None:
    bench = Bench()
    memory = EngineMemory(bench.engine, bench.config, bench.gates)
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
    assert all(seconds == int(seconds) for seconds in process.cpu_seconds())
    assert raise_file_limit() >= 1
