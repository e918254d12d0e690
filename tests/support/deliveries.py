"""Delivery over fakes: hooks, endpoints that fail on demand, a queue without threads."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.support.events import hook_event
from tests.support.fake_time import FakeTimeLoop, fake_clock
from tile38py.delivery.counters import Counters
from tile38py.delivery.hook_queue import HookQueue
from tile38py.delivery.retention import Retention
from tile38py.delivery.store import Store
from tile38py.delivery.sweeper import Sweeper
from tile38py.delivery.worker import Tools, Worker
from tile38py.interfaces.delivery import Batch, HookOptions
from tile38py.interfaces.history import HistoryBounds

Result = TypeVar("Result")


@dataclass
class Hook:
    """A hook's definition."""

    endpoints: Sequence[str]
    is_paused: bool = False
    options: HookOptions | None = None


class Hooks(dict[str, Hook]):
    """All hooks, by name."""

    def find(self, hook: str) -> Hook | None:
        """Return the hook of a name, None if there is none."""
        return self.get(hook)

    def closing(self) -> list[str]:
        """Return none: deleted hooks have no last messages."""
        return []

    def close(self, hook: str) -> None:
        """Do nothing."""

    def history(self, name: str) -> HistoryBounds | None:
        """Return None: events aren't kept."""
        del name
        return None

    def sequence(self, name: str) -> tuple[int, int] | None:
        """Return None: events have no numbers."""
        del name
        return None

    def names(self) -> list[str]:
        """Return all names."""
        return list(self)


async def at_once(function: Callable[[], Result]) -> Result:
    """Call a function at once, where the server calls it on the queue's thread."""
    return function()


@dataclass
class FakeCouriers:
    """Fake endpoints: they record deliveries, and fail in the ways that a test sets."""

    clock: FakeTimeLoop
    delivered: dict[str, list[bytes]] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    hanging: set[str] = field(default_factory=set)
    refused: set[bytes] = field(default_factory=set)
    poison: set[bytes] = field(default_factory=set)  # messages that break the connection
    stops_at_refusals: bool = True  # False: the batch is sent although a message is refused
    tries: dict[str, int] = field(default_factory=dict)
    resting: dict[str, int] = field(default_factory=dict)
    linger: float = 0.0
    open_count: int = 0

    def backoff_until_ns(self, url: str) -> int:
        """Return the end of the backoff after the last failure."""
        return self.resting.get(url, 0)

    def linger_seconds(self, url: str) -> float:
        """Return the same delay for all endpoints."""
        del url
        return self.linger

    def shown(self, url: str) -> str:
        """Return the URL."""
        return url

    def problem(self, url: str) -> str:
        """Return an empty text: all endpoints are usable."""
        del url
        return ""

    async def run(self) -> None:
        """Return at once: no connection has to be closed."""

    async def send(self, url: str, batch: Batch) -> str | None:
        """Deliver a batch, as far as the endpoint works."""
        self.tries[url] = self.tries.get(url, 0) + 1
        if url in self.hanging:
            await asyncio.sleep(5)
        if url in self.down | self.hanging:
            self.resting[url] = self.clock.monotonic_ns() + 500_000_000
            return "down"
        await asyncio.sleep(0.001)
        if any(message.body in self.poison for message in batch.events):
            self.resting[url] = self.clock.monotonic_ns() + 500_000_000
            return "connection lost"
        for group in batch.groups():
            for index in group:
                body = batch.events[index].body
                if body in self.refused:
                    batch.refused[index] = "no"
                    if self.stops_at_refusals:
                        break
                    continue
                self.delivered.setdefault(url, []).append(body)
                batch.delivered.add(index)
        return None


class DeliveryHarness:
    """A hook queue with its worker, over fake endpoints."""

    def __init__(self, path: Path, retention: Retention | None = None) -> None:
        """Open a queue in a file."""
        self.clock = fake_clock()
        self.hooks: dict[str, Hook] = {}
        self.couriers = FakeCouriers(self.clock)
        self.counters = Counters()
        self.retention = retention or Retention()
        self.store = Store(path)
        self.log: list[str] = []
        self.queue = HookQueue(
            self.store,
            clock=self.clock,
            in_thread=at_once,
            counters=self.counters,
            retention=self.retention,
        )
        self.sweeper = Sweeper(
            self.queue,
            self.store,
            in_thread=at_once,
            now_ns=self.clock.now_ns,
            retention=self.retention,
        )
        tools = Tools(self.couriers, self.clock, self.hooks.get, self._tell, self.retention)
        self.worker = Worker(self.queue, self.counters, tools)

    def _tell(self, text: str, /, *values: object) -> None:
        self.log.append(text % values)

    def put(self, hook: str, *bodies: bytes) -> None:
        """Queue events of a hook and wake the worker, as a write does."""
        for body in bodies:
            self.queue.append(hook_event(hook, body), self.clock.now_ns())
        self.worker.wake(hook)

    def take(self, hook: str, count: int = 100) -> list[bytes]:
        """Return the messages that a hook is sent next, and leave them in the queue."""
        messages = self.queue.take(hook, count, 1 << 20)
        if messages:
            self.queue.settle(messages, 0)
        return [message.body for message in messages]


def delivery_task_count() -> int:
    """Return the number of tasks of workers that send at present."""
    return sum(task.get_name().startswith("deliver to ") for task in asyncio.all_tasks())


def limit_pages(store: Store, count: int) -> None:
    """Limit a store's file to so many pages; above that writes fail as on a full disk."""
    # The limit belongs to the connection: one of our own wouldn't limit the store's.
    store._database.execute(f"PRAGMA max_page_count = {count}")


@contextmanager
def counted_steps(store: Store) -> Iterator[list[int]]:
    """Count the instructions of SQLite's virtual machine that a store runs within a block."""
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    store._database.set_progress_handler(count, 1)
    yield steps
    store._database.set_progress_handler(None, 1)


@asynccontextmanager
async def running(bench: DeliveryHarness) -> AsyncIterator[None]:
    """Run the worker for the length of a block."""
    async with asyncio.TaskGroup() as tasks:
        bench.worker.start(tasks)
        yield
        bench.worker.stop()
