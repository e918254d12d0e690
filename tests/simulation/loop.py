"""An event loop without a world: time jumps to the next timer, threads run when the seed says."""

import asyncio
import contextvars
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from tests.simulation.machine import CURRENT, CrashedError, World

if TYPE_CHECKING:
    from tests.simulation.network import Network

Result = TypeVar("Result")
START_NS = 1_700_000_000_000_000_000
TURNS_MAX = 20_000  # of the loop without time passing
STEPS_MAX = 200_000  # turns of the loop and operations on files of a seed; few take a tenth
END_STEPS_MAX = 100_000  # the same, of ending what is left of it
AT_ONCE = 0.3  # share of pauses of a thread that take no time
PAUSE_SECONDS_MAX = 0.02  # of a thread, between two of its file operations


class DeadlockError(AssertionError):
    """Nothing will ever happen again, or everything happens at once for ever."""


class Steps:
    """What is left of the work that a simulation may do: time alone bounds nothing that loops."""

    def __init__(self) -> None:
        self.count_max = STEPS_MAX
        self.count = 0

    def take(self) -> None:
        """Do one more."""
        self.count += 1
        if self.count > self.count_max:
            raise DeadlockError(f"no end after {self.count_max} steps: something loops")

    def begin_end(self) -> None:
        """Bound what ends the simulation anew, so that it isn't refused, nor goes on for ever."""
        self.count, self.count_max = 0, END_STEPS_MAX


class NoSelector:
    """Stands in for the system's: nothing is ever ready, and waiting takes no time."""

    def __init__(self, steps: Steps) -> None:
        self.now = 0.0
        self._steps = steps
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[object]:
        """Let the time pass."""
        self._steps.take()
        if timeout is None:
            raise DeadlockError("nothing is left that could happen")
        if timeout > 0:
            self.now += timeout
            self._turns = 0
        self._turns += 1
        if self._turns > TURNS_MAX:
            raise DeadlockError(f"{TURNS_MAX} turns of the loop and no time has passed")
        return []


class Runner:
    """A thread that runs only while the loop stands still, so that the order is the loop's."""

    _idle: list["Runner"] = []  # noqa: RUF012  # threads are kept for later simulations
    _local = threading.local()

    def __init__(self) -> None:
        self._go = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._work: Callable[[], None] | None = None
        self.pause_seconds = 0.0
        threading.Thread(target=self._run, name="simulated", daemon=True).start()

    @classmethod
    def take(cls, work: Callable[[], None]) -> "Runner":
        """One that will do this work."""
        runner = cls._idle.pop() if cls._idle else cls()
        runner._work = work
        return runner

    @classmethod
    def current(cls) -> "Runner | None":
        """The one that runs, None on the loop's thread."""
        runner: Runner | None = getattr(cls._local, "runner", None)
        return runner

    def step(self) -> bool:
        """Let it run to its next pause; whether it is done."""
        self._go.release()
        self._back.acquire()
        if self._work is None:
            self._idle.append(self)
            return True
        return False

    def pause(self, seconds: float) -> None:
        """From the thread: let others run."""
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
    """The loop."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.steps = Steps()
        self._selector = NoSelector(self.steps)
        self._clock_resolution = 1e-9
        self._world = world
        self._running: dict[Runner, asyncio.Future[object]] = {}
        self.errors: list[BaseException | str] = []
        self.network: Network | None = None
        self.set_exception_handler(self._failed)

    def time(self) -> float:
        """Seconds since the start of the simulation."""
        return self._selector.now

    def run_in_executor(  # type: ignore[explicit-any] # as asyncio's
        self, executor: object, func: Callable[..., Result], *args: object
    ) -> asyncio.Future[Result]:
        """Run a function on a thread that pauses where the seed wants it to."""
        del executor
        future: asyncio.Future[Result] = self.create_future()
        context, process = contextvars.copy_context(), CURRENT.get()
        outcome: list[Callable[[], None]] = []

        def work() -> None:
            try:
                result = context.run(func, *args)
            except (Exception, CrashedError) as error:  # noqa: BLE001  # whoever awaits it gets it
                failure = error
                outcome.append(lambda: future.set_exception(failure))
            else:
                outcome.append(lambda: future.set_result(result))

        def step() -> None:
            if self._running.get(runner) is not future:
                return  # end_threads() let it run to its end; others may have the thread now
            if not runner.step():
                self.call_later(runner.pause_seconds, step)
                return
            del self._running[runner]
            if not process.is_alive:
                future.cancel()
            elif not future.done():
                outcome[0]()

        runner = Runner.take(work)
        self._running[runner] = cast("asyncio.Future[object]", future)
        self.call_later(self._pause_seconds(), step)
        return future

    def pause_thread(self, seconds_max: float = PAUSE_SECONDS_MAX) -> None:
        """Called before a file operation: a thread lets others run."""
        self.steps.take()
        runner = Runner.current()
        if runner is not None:
            runner.pause(self._pause_seconds(seconds_max))

    def sleep_thread(self, seconds: float) -> None:
        """What time.sleep is to a thread."""
        runner = Runner.current()
        assert runner is not None, "the event loop was held up"
        runner.pause(seconds)

    def end_threads(self) -> None:
        """Let all threads run to their end; their processes must be dead."""
        for runner in list(self._running):
            while not runner.step():
                self.steps.take()
            self._running.pop(runner).cancel()

    def end_tasks(self) -> None:
        """Cancel what is left and let it end."""
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        if tasks:
            self.run_until_complete(asyncio.wait(tasks))
        self.close()

    async def getaddrinfo(  # type: ignore[override]
        self, host: str, port: int, **options: object
    ) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        """Names are addresses here."""
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
        """Remember what to call for the process that runs."""
        CURRENT.get().signals[number] = lambda: callback(*args)

    def _pause_seconds(self, seconds_max: float = PAUSE_SECONDS_MAX) -> float:
        chance = self._world.chance
        return 0.0 if chance.random() < AT_ONCE else chance.random() * seconds_max

    def _process_events(self, event_list: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody is woken from another thread."""

    def _failed(self, loop: object, context: dict[str, object]) -> None:
        del loop
        error = context.get("exception")
        if isinstance(error, CrashedError | asyncio.CancelledError):
            return  # of a process that is dead
        self.errors.append(error if isinstance(error, BaseException) else str(context["message"]))
