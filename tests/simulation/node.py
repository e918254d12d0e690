"""A machine with a server: the real one of lifecycle, started, crashed and looked into."""

import asyncio
import contextlib
import contextvars
import logging
import math
import signal
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from unittest import mock

from tests.simulation.disk import Disk
from tests.simulation.loop import START_NS, SimulatedLoop
from tests.simulation.machine import CURRENT, CrashedError, Process, World
from tests.simulation.network import ListenSocket, Network
from tests.simulation.system import SimulatedPath, System
from tile38py._engine import Engine
from tile38py.errors import StartError
from tile38py.persistence import aof, config_file, data_folder, files
from tile38py.replication import log_comparison
from tile38py.server import assembly, core, lifecycle, upkeep
from tile38py.server.options import Options
from tile38py.server.system import EngineMemory

if TYPE_CHECKING:
    from pathlib import Path

PORT = 9851
NEVER = -math.inf
# What a loss of power may cost. Under everysec: a second to the next sync, as much for one under
# way, and the syncs themselves.
LOST_SECONDS = {"always": 0.0, "everysec": 2.3, "no": math.inf}
LOG = "appendonly.aof"
AUDIT_SECONDS = 2.0  # instead of a minute, which no round lasts
# Machines that share one interpreter have no say over its collector.
NO_COLLECTOR = SimpleNamespace(
    collect=int,
    freeze=int,
    get_count=lambda: (0, 0, 0),
    get_threshold=lambda: (0, 0, 0),
    set_threshold=lambda *_: None,
)
# Nor do their figures differ with what else the interpreter did.
STEADY_PROCESS = SimpleNamespace(
    pid=1, cpus=2, threads=lambda: 3, cpu_seconds=lambda: (0.0, 0.0, 0.0, 0.0)
)


class NodeClock:
    """The clocks of one machine."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self.ahead_seconds = 0.0  # of the wall clock
        self._loop = loop

    def now_ns(self) -> int:
        """The wall clock."""
        return START_NS + round((self._loop.time() + self.ahead_seconds) * 1e9)

    def monotonic_ns(self) -> int:
        """The other one."""
        return round(self._loop.time() * 1e9) + 1

    def sleep(self, seconds: float) -> None:
        """Hold up a thread."""
        self._loop.sleep_thread(seconds)


class Handler(logging.Handler):
    """Puts the server's log into the trail."""

    def __init__(self, hear: Callable[[str, str], None]) -> None:
        super().__init__()
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        """Add a line."""
        self._hear(record.levelname, record.getMessage())


class NoHooks:
    """Delivery of hooks' messages, which isn't simulated."""

    def __init__(self, *_: object, **__: object) -> None:
        self._ended = asyncio.Event()

    waiting_count = waiting_bytes = 0

    def retain(self, **_: int) -> None:
        """Nothing is kept."""

    def take(self, events: Sequence[object]) -> None:
        """Forget them."""

    async def run(self) -> None:
        """Until the stop."""
        await self._ended.wait()

    async def stop(self) -> None:
        """End."""
        self._ended.set()


class SteadyMemory(EngineMemory):
    """The heap of the whole simulation, whose figures would change the lengths of replies."""

    def used(self) -> int:
        """Always the same."""
        return 1_000_000

    def released(self) -> int:
        """Always the same."""
        return 0


class WatchedAof(aof.Aof):
    """The server's log, known to the checks."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type] # whatever they are
        CURRENT.get().journal = self


class Node:
    """One machine."""

    def __init__(self, name: str, world: World, system: System, network: Network) -> None:
        self.name = name
        self.address = (f"10.0.0.{name.strip('n')}", PORT)
        self.world = world
        self.network = network
        self.system = system
        self.clock = NodeClock(system.loop)
        self.disk = system.disks[name] = Disk(world.chance)
        self.process = Process(name, is_alive=False)
        self.policy = ""
        self.has_followed = False
        self.on_log: Callable[[Node, str], None] = lambda *_: None
        # Told up to when what was acknowledged has to be there afterwards.
        self.on_end: Callable[[Node, float], None] = lambda *_: None
        self.is_losing_power = False  # when the process dies by its operations
        self._tasks: list[asyncio.Task[None]] = []
        self._log = logging.Logger(name, logging.INFO)
        self._log.addHandler(Handler(self._hear))

    def note(self, text: str) -> None:
        """Add to the trail."""
        self.world.trail.note(self.name, text)

    def _hear(self, level: str, text: str) -> None:
        self.note(f"[{level}] {text}")
        self.on_log(self, text)

    def start(self) -> None:
        """Start the server."""
        assert not self.process.is_alive
        self.note("start")
        self.process = Process(self.name, on_death=self._died)
        context = contextvars.copy_context()
        context.run(CURRENT.set, self.process)
        loop = self.system.loop
        task = loop.create_task(self._run(self.process), name=self.name, context=context)
        self._tasks.append(task)

    async def _run(self, process: Process) -> None:
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
            # Whatever ends a server that didn't crash is the seed's failure.
            if process.is_alive:
                self.system.loop.errors.append(error)
        finally:
            if process.is_alive:
                process.is_alive = False
                self.on_end(self, self.system.loop.time())
                self._forget(process, is_told=True)

    def crash(self, *, loses_power: bool) -> None:
        """Kill the process at once, or the whole machine."""
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
        is_told = not loses_power or self.world.chance.random() < 0.5
        self._forget(process, is_told=is_told)
        for task in self._tasks:
            task.cancel()

    def _lose_power(self) -> None:
        """Lose it, and see what became of a log that took the place of another."""
        swap, now = self.disk.swap, self.system.loop.time()
        self.disk.lose_power()
        self.disk.swap = None
        log = self.disk.names.get(LOG)
        if log is not None and len(log.data) < log.size_kept:
            self._complain(f"the log of another has {len(log.data)} of {log.size_kept} bytes")
        if swap is None or swap.is_excused or self.policy != "everysec":
            return  # without a write nothing else says when a new name is safe
        if log is not swap.inode and now - swap.at > LOST_SECONDS[self.policy]:
            self._complain("the log of another is gone, the former is there again")

    def _complain(self, text: str) -> None:
        self.system.loop.errors.append(f"{self.name}: {text}")

    def crash_at_swap(self, operations: int) -> None:
        """Have it lose power so many operations after another file took the place of its log."""
        self.is_losing_power = True
        self.process.ops_left_at_swap = operations

    def crash_after(self, operations: int, *, loses_power: bool) -> None:
        """Have it die at one of its next operations on files."""
        self.is_losing_power = loses_power
        self.process.ops_left = operations

    def _died(self, process: Process) -> None:
        assert process is self.process
        self.crash(loses_power=self.is_losing_power)

    def _forget(self, process: Process, *, is_told: bool) -> None:
        self.system.end_process(process)
        self.network.end_process(process, is_told=is_told)

    def stop(self) -> None:
        """Stop it as SIGTERM does."""
        terminate = self.process.signals.get(signal.SIGTERM)
        if self.process.is_alive and terminate is not None:
            self.note("is told to stop")
            terminate()

    @property
    def engine(self) -> Engine:
        """The data of the server that runs."""
        assert self.process.engine is not None
        return self.process.engine

    @property
    def journal(self) -> aof.Aof:
        """Its log."""
        assert self.process.journal is not None
        return self.process.journal

    @property
    def is_serving(self) -> bool:
        """Whether it is up and has read its log."""
        listener = self.network.listeners.get(self.address)
        if not self.process.is_alive or listener is None or listener.process is not self.process:
            return False
        probe = self.engine.session().feed(b"GET none none\r\n", 0)
        return not probe.replies.startswith(b"-LOADING")

    @property
    def is_readable(self) -> bool:
        """Whether it answers reads: it leads, or caught up once."""
        if not self.is_serving:
            return False
        return self.engine.session().feed(b"GET none none\r\n", 0).replies == b"$-1\r\n"

    def log_bytes(self) -> bytes:
        """The log's file as it is."""
        return bytes(self.disk.find(LOG).data)


class Cluster:
    """All machines, and what stands in for the world in the server's modules."""

    def __init__(self, world: World, loop: SimulatedLoop, count: int) -> None:
        self.world = world
        self.loop = loop
        self.system = System(loop)
        self.network = loop.network = Network(loop, world.chance)
        self.nodes = [
            Node(f"n{index}", world, self.system, self.network) for index in range(1, count + 1)
        ]
        self._ids = 0

    def current(self) -> Node:
        """The machine of the code that runs."""
        name = CURRENT.get().name
        return next(node for node in self.nodes if node.name == name)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the simulated world under the server's modules."""
        SimulatedPath.system = self.system
        replaced: list[tuple[object, str, object]] = [
            (config_file, "os", self.system),
            (data_folder, "os", self.system),
            (files, "os", self.system),
            (files, "fcntl", SimpleNamespace(flock=self.system.flock, LOCK_EX=2, LOCK_NB=4)),
            (core, "Engine", self._make_engine),
            (core, "EngineMemory", SteadyMemory),
            (assembly, "ThisProcess", lambda: STEADY_PROCESS),
            (core, "SystemClock", lambda: self.current().clock),
            (core, "new_server_id", self._new_id),
            (core, "raise_file_limit", lambda: 1000),
            (lifecycle, "bind_tcp", lambda host, port: ListenSocket((host, port))),
            (assembly, "open_deliveries", NoHooks),
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
