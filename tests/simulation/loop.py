"""A simulated event loop: time jumps to the next timer, and the seed schedules the threads."""

import asyncio
import contextvars
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from tests.simulation.machine import CURRENT, CrashedError, SimulationContext

if TYPE_CHECKING:
    from tests.simulation.network import Network

Result = TypeVar("Result")
START_NS = 1_700_000_000_000_000_000
ITERATIONS_MAX = 20_000  # of the loop without time passing
STEPS_MAX = 200_000  # iterations of the loop and operations on files; few seeds take a tenth
END_STEPS_MAX = 100_000  # the same, to end a simulation
NO_PAUSE = 0.3  # share of pauses of a thread that take no time
PAUSE_SECONDS_MAX = 0.02  # of a thread, between two operations on files


class DeadlockError(AssertionError):
    """No callback and no timer is left, or callbacks run for ever without time passing."""


class StepBudget:
    """A bound on the steps of a simulation, which also ends endless loops."""

    def __init__(self) -> None:
        self.count_max = STEPS_MAX
        self.count = 0

    def take(self) -> None:
        """Count a step. Raises DeadlockError above the bound."""
        self.count += 1
        if self.count > self.count_max:
            raise DeadlockError(f"no end after {self.count_max} steps: something loops")

    def begin_end(self) -> None:
        """Start a new count, with END_STEPS_MAX as bound, for the end of the simulation."""
        self.count, self.count_max = 0, END_STEPS_MAX


class NoSelector:
    """A selector without files: it never waits, but adds the timeout to the time."""

    def __init__(self, steps: StepBudget) -> None:
        self.now = 0.0
        self._steps = steps
        self._iterations = 0

    def select(self, timeout: float | None = None) -> list[object]:
        """Advance the time by the timeout; return no events."""
        self._steps.take()
        if timeout is None:
            raise DeadlockError("no callback and no timer is left")
        if timeout > 0:
            self.now += timeout
            self._iterations = 0
        self._iterations += 1
        if self._iterations > ITERATIONS_MAX:
            raise DeadlockError(f"{ITERATIONS_MAX} iterations of the loop, and no time has passed")
        return []


class SimulatedThread:
    """A thread that runs only while the loop waits for it, so that the loop sets the order."""

    _idle: list["SimulatedThread"] = []  # noqa: RUF012  # threads are reused by later simulations
    _local = threading.local()

    def __init__(self) -> None:
        self._go = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._work: Callable[[], None] | None = None
        self.pause_seconds = 0.0
        threading.Thread(target=self._run, name="simulated", daemon=True).start()

    @classmethod
    def take(cls, work: Callable[[], None]) -> "SimulatedThread":
        """Return a thread that will do some work."""
        runner = cls._idle.pop() if cls._idle else cls()
        runner._work = work
        return runner

    @classmethod
    def current(cls) -> "SimulatedThread | None":
        """Return the calling simulated thread, None on the loop's thread."""
        runner: SimulatedThread | None = getattr(cls._local, "runner", None)
        return runner

    def step(self) -> bool:
        """Let the thread run to its next pause. Return whether its work is done."""
        self._go.release()
        self._back.acquire()
        if self._work is None:
            self._idle.append(self)
            return True
        return False

    def pause(self, seconds: float) -> None:
        """Pause the calling thread, so that others run."""
        self.pause_seconds = seconds
        self._back.release()
        self._go.acquire()

    def _run(self) -> None:
        self._local.runner = self
        while True:
            self._go.acquire()
            assert self._work is not None
            self._work()
            self._work = None
            self._back.release()


class SimulatedLoop(asyncio.BaseEventLoop):
    """An event loop with simulated time, threads and network."""

    def __init__(self, simulation: SimulationContext) -> None:
        super().__init__()
        self.steps = StepBudget()
        self._selector = NoSelector(self.steps)
        self._clock_resolution = 1e-9
        self._simulation = simulation
        self._running: dict[SimulatedThread, asyncio.Future[object]] = {}
        self.errors: list[BaseException | str] = []
        self.network: Network | None = None
        self.set_exception_handler(self._failed)

    def time(self) -> float:
        """Return the seconds since the start of the simulation."""
        return self._selector.now

    def run_in_executor(  # type: ignore[explicit-any] # as asyncio's
        self, executor: object, func: Callable[..., Result], *args: object
    ) -> asyncio.Future[Result]:
        """Run a function on a simulated thread."""
        del executor
        future: asyncio.Future[Result] = self.create_future()
        context, process = contextvars.copy_context(), CURRENT.get()
        outcome: list[Callable[[], None]] = []

        def work() -> None:
            try:
                result = context.run(func, *args)
            except (Exception, CrashedError) as error:  # noqa: BLE001  # raised by the future
                failure = error
                outcome.append(lambda: future.set_exception(failure))
            else:
                outcome.append(lambda: future.set_result(result))

        def step() -> None:
            if self._running.get(runner) is not future:
                return  # end_threads() ended this work, and the thread may be reused
            if not runner.step():
                self.call_later(runner.pause_seconds, step)
                return
            del self._running[runner]
            if not process.is_alive:
                future.cancel()
            elif not future.done():
                outcome[0]()

        runner = SimulatedThread.take(work)
        self._running[runner] = cast("asyncio.Future[object]", future)
        self.call_later(self._pause_seconds(), step)
        return future

    def pause_thread(self, seconds_max: float = PAUSE_SECONDS_MAX) -> None:
        """Pause the calling thread before an operation on files; no effect on the loop's thread."""
        self.steps.take()
        runner = SimulatedThread.current()
        if runner is not None:
            runner.pause(self._pause_seconds(seconds_max))

    def sleep_thread(self, seconds: float) -> None:
        """Pause the calling thread like time.sleep."""
        runner = SimulatedThread.current()
        assert runner is not None, "the event loop was held up"
        runner.pause(seconds)

    def end_threads(self) -> None:
        """Run all threads to their end. Their processes must be dead."""
        for runner in list(self._running):
            while not runner.step():
                self.steps.take()
            self._running.pop(runner).cancel()

    def end_tasks(self) -> None:
        """Cancel all tasks, wait for their end and close the loop."""
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        if tasks:
            self.run_until_complete(asyncio.wait(tasks))
        self.close()

    async def getaddrinfo(  # type: ignore[override]
        self, host: str, port: int, **options: object
    ) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        """Return the host as address."""
        del options
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port))]

    async def create_server(  # type: ignore[override]
        self, factory: Callable[[], asyncio.Protocol], *, sock: object
    ) -> object:
        """Listen on the simulated network."""
        assert self.network is not None
        return self.network.listen(factory, sock)

    async def create_connection(  # type: ignore[override]
        self,
        factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        **options: object,
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """Connect over the simulated network."""
        del options
        assert self.network is not None
        return await self.network.connect(factory, (host, port))

    def add_signal_handler(  # type: ignore[explicit-any] # as asyncio's
        self, number: int, callback: Callable[..., object], *args: object
    ) -> None:
        """Register a signal handler of the running process."""
        CURRENT.get().signals[number] = lambda: callback(*args)

    def _pause_seconds(self, seconds_max: float = PAUSE_SECONDS_MAX) -> float:
        chance = self._simulation.chance
        return 0.0 if chance.random() < NO_PAUSE else chance.random() * seconds_max

    def _process_events(self, event_list: object) -> None:
        """Do nothing: there are no events."""

    def _write_to_self(self) -> None:
        """Do nothing: no other thread wakes the loop."""

    def _failed(self, loop: object, context: dict[str, object]) -> None:
        del loop
        error = context.get("exception")
        if isinstance(error, CrashedError | asyncio.CancelledError):
            return  # the process is dead
        self.errors.append(error if isinstance(error, BaseException) else str(context["message"]))
