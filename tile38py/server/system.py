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
from tile38py.gates import Gates
from tile38py.limits import CLIENTS_COUNT_MAX, FILES_COUNT_RESERVED


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
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        return pages * resource.getpagesize()

    def cpu_seconds(self) -> tuple[float, float, float, float]:
        """CPU time as in the interface, in whole seconds as Tile38 has it."""
        own = resource.getrusage(resource.RUSAGE_SELF)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        times = (own.ru_stime, own.ru_utime, children.ru_stime, children.ru_utime)
        system, user, child_system, child_user = (float(int(time)) for time in times)
        return system, user, child_system, child_user


class EngineMemory:
    """Compares the engine's heap with maxmemory, and collects garbage."""

    def __init__(self, engine: Engine, config: Config, gates: Gates) -> None:
        self._engine = engine
        self._config = config
        self._gates = gates
        self._seconds = 0  # since the last automatic collection

    def used(self) -> int:
        """Bytes of heap in use."""
        return self._engine.memory()[0]

    def released(self) -> int:
        """Bytes that were returned to the system."""
        return self._engine.memory()[1]

    def check(self) -> None:
        """Compare the heap with maxmemory now; the engine refuses writes above it."""
        limit = self._config.get(MAXMEMORY)
        is_over = limit > 0 and self.used() > limit
        if is_over != self._gates.is_out_of_memory:
            self._gates.is_out_of_memory = is_over
            self._gates.apply()

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
