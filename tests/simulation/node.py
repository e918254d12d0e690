"""Simulated machines with the real server of server/lifecycle, which can be stopped or crashed."""

import asyncio
import contextlib
import contextvars
import logging
import math
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from unittest import mock

from tests.simulation.disk import Disk
from tests.simulation.loop import START_NS, SimulatedLoop
from tests.simulation.machine import CURRENT, CrashedError, SimulatedProcess, SimulationContext
from tests.simulation.network import ListenSocket, Network
from tests.simulation.system import SimulatedPath, System
from tests.support.executor_units import ExecutorUnits
from tile38py._engine import Engine
from tile38py.delivery.history import Histories
from tile38py.errors import StartError
from tile38py.persistence import aof, config_file, data_folder, files
from tile38py.replication import log_comparison
from tile38py.server import assembly, core, lifecycle, listeners, upkeep
from tile38py.server.options import Options
from tile38py.server.system import EngineMemory

PORT = 9851
NEVER = -math.inf
# Seconds of writes that a power loss may take. Under everysec: a second to the next sync, as much
# for one in progress, and the duration of the syncs.
LOST_SECONDS = {"always": 0.0, "everysec": 2.3, "no": math.inf}
LOG = "appendonly.aof"
AUDIT_SECONDS = 2.0  # instead of a minute, which is longer than a round
# All machines share one interpreter, so none of them may control its garbage collector.
NO_COLLECTOR = SimpleNamespace(
    collect=int,
    freeze=int,
    get_count=lambda: (0, 0, 0),
    get_threshold=lambda: (0, 0, 0),
    set_threshold=lambda *_: None,
)
# Figures of the process are constant, so that traces don't depend on the rest of the interpreter.
STEADY_PROCESS = SimpleNamespace(
    pid=1, cpus=2, threads=lambda: 3, cpu_seconds=lambda: (0.0, 0.0, 0.0, 0.0)
)


class NodeClock:
    """The clocks of a machine."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self.ahead_seconds = 0.0  # of the wall clock
        self._loop = loop

    def now_ns(self) -> int:
        """Return the time of the wall clock."""
        return START_NS + round((self._loop.time() + self.ahead_seconds) * 1e9)

    def monotonic_ns(self) -> int:
        """Return the time of the monotonic clock."""
        return round(self._loop.time() * 1e9) + 1

    def sleep(self, seconds: float) -> None:
        """Pause the calling thread."""
        self._loop.sleep_thread(seconds)


class TraceHandler(logging.Handler):
    """Passes the lines of the server's log to a function."""

    def __init__(self, on_line: Callable[[str, str], None]) -> None:
        super().__init__()
        self._on_line = on_line

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on the level and the text of a line."""
        self._on_line(record.levelname, record.getMessage())


class NoHooks:
    """A stand-in for the delivery of hooks' messages, which isn't simulated."""

    def __init__(self, *_: object, **__: object) -> None:
        self._ended = asyncio.Event()
        self.histories = Histories(
            Path("history.db"), in_thread=asyncio.to_thread, now_ns=lambda: 0, find=lambda _: None
        )

    waiting_count = waiting_bytes = 0

    def retain(self, **_: int) -> None:
        """Nothing is kept."""

    def take(self, events: Sequence[object]) -> None:
        """Forget them."""

    def keep(self, events: Sequence[object]) -> None:
        """Forget them."""

    def follow_changed(self) -> None:
        """Do nothing."""

    def replace(self, events: object) -> None:
        """Forget them."""

    def recover(self, events: object) -> None:
        """Forget them."""

    def stored(self) -> list[tuple[bytes, int, int]]:
        """Return none: nothing is stored."""
        return []

    def store(self, done: Callable[[OSError | None], None]) -> None:
        """Call the function at once: nothing is stored."""
        done(None)

    def log_progress(self) -> None:
        """Do nothing."""

    async def run(self) -> None:
        """Wait for stop()."""
        await self._ended.wait()

    async def stop(self) -> None:
        """Let run() return."""
        self._ended.set()


class SteadyMemory(EngineMemory):
    """Memory with constant figures, so that the lengths of replies don't vary."""

    def used(self) -> int:
        """Return a constant."""
        return 1_000_000

    def released(self) -> int:
        """Return a constant."""
        return 0


class WatchedAof(aof.Aof):
    """The server's log, which the process keeps for the checks."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type] # passed through
        CURRENT.get().journal = self


class Node:
    """A machine with a disk, clocks and a server."""

    def __init__(
        self, name: str, simulation: SimulationContext, system: System, network: Network
    ) -> None:
        self.name = name
        self.address = (f"10.0.0.{name.strip('n')}", PORT)
        self.simulation = simulation
        self.network = network
        self.system = system
        self.clock = NodeClock(system.loop)
        self.disk = system.disks[name] = Disk(simulation.chance)
        self.process = SimulatedProcess(name, is_alive=False)
        self.policy = ""
        self.has_followed = False
        self.on_log: Callable[[Node, str], None] = lambda *_: None
        # Called with the time before which acknowledged writes have to survive.
        self.on_end: Callable[[Node, float], None] = lambda *_: None
        self.is_losing_power = False  # whether the next scheduled crash is a power loss
        self._tasks: list[asyncio.Task[None]] = []
        self._log = logging.Logger(name, logging.INFO)
        self._log.addHandler(TraceHandler(self._note_log_line))

    def note(self, text: str) -> None:
        """Add a line about this machine to the trace."""
        self.simulation.trace.note(self.name, text)

    def _note_log_line(self, level: str, text: str) -> None:
        self.note(f"[{level}] {text}")
        self.on_log(self, text)

    def start(self) -> None:
        """Start the server."""
        assert not self.process.is_alive
        self.note("start")
        self.process = SimulatedProcess(self.name, on_death=self._died)
        context = contextvars.copy_context()
        context.run(CURRENT.set, self.process)
        loop = self.system.loop
        task = loop.create_task(self._run(self.process), name=self.name, context=context)
        self._tasks.append(task)

    async def _run(self, process: SimulatedProcess) -> None:
        options = Options(
            host=self.address[0],
            port=PORT,
            directory=cast("Path", SimulatedPath(f"/{self.name}")),
            is_http_enabled=False,
        )
        try:
            code = await lifecycle.Server(options, self._log).run()
            self.note(f"ended with code {code}")
        except StartError as error:
            self.note(f"didn't start: {error}")
        except (CrashedError, Exception, BaseExceptionGroup) as error:  # noqa: BLE001
            # Any error of a server that didn't crash fails the seed.
            if process.is_alive:
                self.system.loop.errors.append(error)
        finally:
            if process.is_alive:
                process.is_alive = False
                self.on_end(self, self.system.loop.time())
                self._forget(process, is_told=True)

    def crash(self, *, loses_power: bool) -> None:
        """Kill the process, or let the whole machine lose power."""
        process = self.process
        if not process.is_alive:
            return
        self.note("loses power" if loses_power else "is killed")
        process.is_alive = False
        promised_until = self.system.loop.time()
        if loses_power:
            promised_until = min(self.disk.failed_at or math.inf, promised_until)
            promised_until -= LOST_SECONDS[self.policy]
            self._lose_power()
        self.on_end(self, promised_until)
        is_told = not loses_power or self.simulation.chance.random() < 0.5
        self._forget(process, is_told=is_told)
        for task in self._tasks:
            task.cancel()

    def _lose_power(self) -> None:
        """Apply a power loss to the disk, and check a log that replaced another."""
        swap, now = self.disk.swap, self.system.loop.time()
        self.disk.lose_power()
        self.disk.swap = None
        log = self.disk.names.get(LOG)
        if log is not None and len(log.data) < log.size_durable_min:
            self._complain(f"the copied log has {len(log.data)} of {log.size_durable_min} bytes")
        if swap is None or swap.is_excused or self.policy != "everysec":
            return  # only under everysec is the name durable after a known time without writes
        if log is not swap.inode and now - swap.at > LOST_SECONDS[self.policy]:
            self._complain("the copy of the leader's log is gone, and the former log is back")

    def _complain(self, text: str) -> None:
        self.system.loop.errors.append(f"{self.name}: {text}")

    def crash_at_swap(self, operations: int) -> None:
        """Schedule a power loss, some operations after another file replaces the log."""
        self.is_losing_power = True
        self.process.operations_left_at_swap = operations

    def crash_after(self, operations: int, *, loses_power: bool) -> None:
        """Schedule a crash after some operations on files."""
        self.is_losing_power = loses_power
        self.process.operations_left = operations

    def _died(self, process: SimulatedProcess) -> None:
        assert process is self.process
        self.crash(loses_power=self.is_losing_power)

    def _forget(self, process: SimulatedProcess, *, is_told: bool) -> None:
        self.system.end_process(process)
        self.network.end_process(process, is_told=is_told)

    def stop(self) -> None:
        """Stop the server with SIGTERM."""
        terminate = self.process.signals.get(signal.SIGTERM)
        if self.process.is_alive and terminate is not None:
            self.note("is told to stop")
            terminate()

    @property
    def engine(self) -> Engine:
        """The engine of the running server."""
        assert self.process.engine is not None
        return self.process.engine

    @property
    def journal(self) -> aof.Aof:
        """The log of the running server."""
        assert self.process.journal is not None
        return self.process.journal

    @property
    def is_serving(self) -> bool:
        """Whether the server accepts connections and has loaded its log."""
        listener = self.network.listeners.get(self.address)
        if not self.process.is_alive or listener is None or listener.process is not self.process:
            return False
        probe = self.engine.session().feed(b"GET none none\r\n", 0)
        return not probe.replies.startswith(b"-LOADING")

    @property
    def is_readable(self) -> bool:
        """Whether the server accepts reads: it is a leader, or caught up once."""
        if not self.is_serving:
            return False
        return self.engine.session().feed(b"GET none none\r\n", 0).replies == b"$-1\r\n"

    def log_bytes(self) -> bytes:
        """Return the content of the log file."""
        return bytes(self.disk.find(LOG).data)


class SimulatedCluster:
    """All machines, and the patches that put the simulation under the server's modules."""

    def __init__(self, simulation: SimulationContext, loop: SimulatedLoop, count: int) -> None:
        self.simulation = simulation
        self.loop = loop
        self.system = System(loop)
        self.network = loop.network = Network(loop, simulation.chance)
        self.nodes = [
            Node(f"n{number}", simulation, self.system, self.network)
            for number in range(1, count + 1)
        ]
        self._ids = 0

    def current(self) -> Node:
        """Return the machine of the running code."""
        name = CURRENT.get().name
        return next(node for node in self.nodes if node.name == name)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Patch the server's modules for the length of a block; end the simulation after it."""
        SimulatedPath.system = self.system
        replaced: list[tuple[object, str, object]] = [
            (config_file, "os", self.system),
            (data_folder, "os", self.system),
            (files, "os", self.system),
            (files, "fcntl", SimpleNamespace(flock=self.system.flock, LOCK_EX=2, LOCK_NB=4)),
            (core, "Engine", self._make_engine),
            (core, "EngineMemory", SteadyMemory),
            (core, "cgroup_limit", lambda: None),
            (assembly, "ThisProcess", lambda: STEADY_PROCESS),
            (core, "SystemClock", lambda: self.current().clock),
            (core, "new_server_id", self._new_id),
            (core, "raise_file_limit", lambda: 1000),
            (listeners, "bind_tcp", lambda host, port: ListenSocket((host, port))),
            (assembly, "open_deliveries", NoHooks),
            (lifecycle, "ReadUnits", lambda loop, engine: ExecutorUnits(loop)),
            (lifecycle, "publish_statistics", lambda services: None),
            (upkeep, "gc", NO_COLLECTOR),
            (log_comparison, "FOLLOW_AUDIT_SECONDS", AUDIT_SECONDS),
            (assembly, "Aof", WatchedAof),
        ]
        with contextlib.ExitStack() as stack:
            for module, name, stand_in in replaced:
                stack.enter_context(mock.patch.object(module, name, stand_in))
            try:
                yield
            finally:
                self.loop.steps.begin_end()
                for node in self.nodes:
                    node.process.is_alive = False
                self.loop.end_threads()
                self.loop.end_tasks()

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self._ids:032x}"

    def _make_engine(self, *, require_valid: bool = False) -> Engine:
        engine = Engine(require_valid=require_valid)
        CURRENT.get().engine = engine
        return engine
