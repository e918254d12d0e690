"""Delivery as the server sees it: takes hooks' events and has them sent to endpoints.

deliveries = Deliveries(path, pool, clock=…, hooks=…, log=log.error)
deliveries.open()                    # raises StartError
group.create_task(deliveries.run())  # once the log is loaded; ends after stop()
deliveries.take(events.hooks)
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tile38py._engine import HookChange, HookEvent
from tile38py.delivery.counters import Counters
from tile38py.delivery.hook_queue import HookQueue
from tile38py.delivery.retention import Retention
from tile38py.delivery.store import LEGACY_SUFFIX, Store, StoreError
from tile38py.delivery.sweeper import Sweeper
from tile38py.delivery.worker import Tools, Worker, in_slices
from tile38py.interfaces import Clock, Tell
from tile38py.interfaces.delivery import Couriers, HookCounters, HookDirectory, HookReport
from tile38py.limits import (
    HOOK_FLUSH_SECONDS,
    HOOK_PROBLEMS_COUNT_MAX,
    HOOK_STEP_COUNT_MAX,
    HOOK_SWEEP_SECONDS,
    STOP_SECONDS_MAX,
)

Result = TypeVar("Result")


class Deliveries:
    """The hook queue, its worker and their thread."""

    def __init__(
        self,
        path: Path,
        couriers: Couriers,
        *,
        clock: Clock,
        hooks: HookDirectory,
        log: Tell,
    ) -> None:
        self._path = path
        self._couriers = couriers
        self._clock = clock
        self._hooks = hooks
        self._log = log
        self._thread = ThreadPoolExecutor(1, "hook-queue")
        self._stopped = asyncio.Event()
        self._dirty = asyncio.Event()
        self._crowded = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self.counters = Counters()
        self.retention = Retention()
        self.queue: HookQueue
        self._store: Store
        self._sweeper: Sweeper
        self._worker: Worker

    def open(self) -> None:
        """Open the queue's file, before the log is loaded. Raises StartError."""
        self._store = Store(self._path)
        if self._store.was_legacy:
            kept = self._path.name + LEGACY_SUFFIX
            self._log("The hook queue is of Tile38 and was moved to '%s'", kept)
        self.queue = HookQueue(
            self._store,
            clock=self._clock,
            in_thread=self._in_thread,
            counters=self.counters,
            retention=self.retention,
        )
        self.queue.on_health = self._tell_health
        self._sweeper = Sweeper(
            self.queue,
            self._store,
            in_thread=self._in_thread,
            now_ns=self._clock.now_ns,
            retention=self.retention,
        )
        tools = Tools(self._couriers, self._clock, self._hooks.find, self._log)
        self._worker = Worker(self.queue, self.counters, tools)

    @property
    def waiting_count(self) -> int:
        """The number of waiting events, over all hooks."""
        return self.queue.count

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the events that wait."""
        return self.queue.bytes

    @property
    def memory_bytes(self) -> int:
        """Bytes of the waiting events that are in memory, not only in the file."""
        return self.queue.memory_bytes

    @property
    def oldest_ns(self) -> int:
        """When the oldest event of all hooks was queued; 0 if none waits."""
        return self.queue.oldest_of_all_ns()

    @property
    def connection_count(self) -> int:
        """Connections to brokers that are open."""
        return self._couriers.open_count

    @property
    def total(self) -> HookCounters:
        """The sums over all hooks."""
        return self.counters.total

    def retain(self, *, ttl_seconds: int, bytes_max: int) -> None:
        """Set the lifetime and the total size of waiting events; 0 = no bound. In force at once."""
        self.retention.ttl_ns = ttl_seconds * 10**9
        self.retention.bytes_max = bytes_max
        self._crowded.set()

    def take(self, events: Sequence[HookEvent | HookChange]) -> None:
        """Queue events. A change among them holds for what comes behind it."""
        now_ns = self._clock.now_ns()
        append, wake = self.queue.append, self._worker.wake
        for event in events:
            if isinstance(event, HookChange):
                self._worker.changed(event.hook)
            # The worker knows hooks that have waiting events already.
            elif append(event, now_ns):
                wake(event.hook)
        self._dirty.set()
        if self.retention.is_exceeded(self.queue.bytes):
            self._crowded.set()

    def report(self, hook: str) -> HookReport:
        """Return the counters of a hook and the state of its queue."""
        return HookReport(
            self.counters.get(hook),
            self.queue.waiting(hook),
            self.queue.oldest_ns(hook),
            endpoint_error=next(self._problems(hook), ""),
            retry_seconds=self._retry_seconds(hook),
        )

    def _retry_seconds(self, hook: str) -> float:
        """Return the seconds until the first of a hook's endpoints is tried again."""
        record = self._hooks.find(hook)
        urls = record.endpoints if record is not None else ()
        ends_ns = min(map(self._couriers.backoff_until_ns, urls), default=0)
        return max(ends_ns - self._clock.monotonic_ns(), 0) / 1e9 if ends_ns else 0.0

    def _problems(self, hook: str) -> Iterator[str]:
        """URLs of a hook to which nothing can ever be sent, each with the reason."""
        record = self._hooks.find(hook)
        for url in record.endpoints if record is not None else ():
            problem = self._couriers.problem(url)
            if problem:
                yield f"{self._couriers.shown(url)}: {problem}"

    async def _review(self) -> None:
        """Log the endpoints of the loaded hooks to which nothing can ever be sent."""
        found: dict[str, str] = {}
        async for part in in_slices(self._hooks.names(), HOOK_STEP_COUNT_MAX):
            for hook in part:
                for problem in self._problems(hook):
                    found.setdefault(problem, hook)
            if len(found) > HOOK_PROBLEMS_COUNT_MAX:
                break
        for problem, hook in list(found.items())[:HOOK_PROBLEMS_COUNT_MAX]:
            self._log("Hook '%s' has an endpoint that can't be used: %s", hook, problem)
        if len(found) > HOOK_PROBLEMS_COUNT_MAX:
            self._log("More hooks have such endpoints: HOOKSTATS shows them")

    async def run(self) -> None:
        """Deliver until stop() is called; events that aren't delivered then stay in the file."""
        self._ended.clear()
        try:
            async with asyncio.TaskGroup() as tasks:
                connections = tasks.create_task(self._couriers.run(), name="endpoints")
                await self._deliver()
                connections.cancel()
        finally:
            self._ended.set()

    async def _deliver(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._flush_often(), name="hook queue flush")
                sweeping = tasks.create_task(self._sweep_often(), name="hook queue sweep")
                reviewing = tasks.create_task(self._review(), name="hook review")
                self._worker.start(tasks)
                await self._stopped.wait()
                self._worker.stop()
                sweeping.cancel()
                reviewing.cancel()
        finally:
            self._worker.stop()
            await self._close()

    async def stop(self) -> None:
        """End run(); events that weren't delivered stay in the file."""
        self._stopped.set()
        self._dirty.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await self._ended.wait()

    async def _close(self) -> None:
        await self.queue.flush()
        try:
            await self._in_thread(self._store.close)
        except StoreError as error:
            self._log("The hook queue could not be closed: %s", error)
        self._thread.shutdown(wait=False)

    async def _flush_often(self) -> None:
        # Never cancelled in the middle of a write: it ends by itself.
        while not self._stopped.is_set():
            await self._dirty.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HOOK_FLUSH_SECONDS):
                    await self._stopped.wait()
            self._dirty.clear()
            await self.queue.flush()
            if self.queue.is_dirty:
                self._dirty.set()

    async def _sweep_often(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HOOK_SWEEP_SECONDS):
                    await self._crowded.wait()
            if self.queue.count:
                await self._sweeper.sweep()
            self._crowded.clear()
            # Delivered events have to leave the file even if no new ones arrive.
            if self.queue.is_dirty:
                self._dirty.set()

    async def _in_thread(self, function: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def _tell_health(self, error: str | None) -> None:
        if error is None:
            self._log("The hook queue is written again")
        else:
            self._log("The hook queue cannot be written: %s. Events wait in memory", error)
