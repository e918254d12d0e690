"""Figures of the process and its memory, maxmemory, and the limit of open files."""

import contextlib
import gc
import os
import resource
import threading
from pathlib import Path

from tile38py._engine import Engine
from tile38py.config import Config
from tile38py.config.properties import AUTOGC, MAXMEMORY
from tile38py.limits import CLIENTS_COUNT_MAX, FILES_COUNT_RESERVED
from tile38py.server.memory_budget import MemoryBudget


class ThisProcess:
    """The process of the server."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.cpus = os.cpu_count() or 1

    def threads(self) -> int:
        """The number of threads."""
        return threading.active_count()

    def resident_bytes(self) -> int:
        """The resident set size."""
        return _memory_pages()[1] * resource.getpagesize()

    def private_bytes(self) -> int:
        """The resident set size without pages of files, which the kernel can reclaim."""
        _, resident, shared = _memory_pages()
        return (resident - shared) * resource.getpagesize()

    def cpu_seconds(self) -> tuple[float, float, float, float]:
        """CPU time as in the interface, in whole seconds as Tile38 has it."""
        own = resource.getrusage(resource.RUSAGE_SELF)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        times = (own.ru_stime, own.ru_utime, children.ru_stime, children.ru_utime)
        system, user, child_system, child_user = (float(int(time)) for time in times)
        return system, user, child_system, child_user


def _memory_pages() -> tuple[int, int, int]:
    """Pages of the process: all, resident, and resident pages of files."""
    size, resident, shared = Path("/proc/self/statm").read_text("ascii").split()[:3]
    return int(size), int(resident), int(shared)


class EngineMemory:
    """Bounds the engine's heap by maxmemory, and collects garbage."""

    def __init__(self, engine: Engine, config: Config, budget: MemoryBudget) -> None:
        self._engine = engine
        self._config = config
        self._budget = budget
        self._seconds = 0  # since the last automatic collection
        self.is_exhausted = False  # writes are refused

    def used(self) -> int:
        """Bytes of heap in use."""
        return self._engine.memory()[0]

    def released(self) -> int:
        """Bytes that were returned to the system."""
        return self._engine.memory()[1]

    def check(self) -> None:
        """Pass the bound in force to the engine, which refuses writes above it."""
        limit = self._config.get(MAXMEMORY)
        if limit and self._budget.limit_bytes is not None and self._config.is_default(MAXMEMORY):
            limit = self._budget.heap_bytes_max(self.used())
            self.is_exhausted = self._engine.bound_memory(limit)
        else:
            self.is_exhausted = self._engine.bound_memory(limit or None)

    def collect(self) -> None:
        """Collect garbage."""
        gc.collect()

    def tick(self) -> None:
        """Collect garbage if autogc says so. Called once a second."""
        pause = self._config.get(AUTOGC)
        self._seconds += 1
        if pause and self._seconds >= pause:
            self._seconds = 0
            self.collect()


def raise_file_limit() -> int:
    """Raise the limit of open files as far as allowed; return how many clients it permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CLIENTS_COUNT_MAX + FILES_COUNT_RESERVED
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    if soft == resource.RLIM_INFINITY:
        return CLIENTS_COUNT_MAX
    return max(min(CLIENTS_COUNT_MAX, soft - FILES_COUNT_RESERVED), 1)
