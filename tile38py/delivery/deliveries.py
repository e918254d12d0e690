"""Delivery as the server sees it: takes hooks' events and has them sent to endpoints.

deliveries = Deliveries(path, pool, clock=…, hooks=…, log=log.error)
deliveries.open()                    # raises StartError
group.create_task(deliveries.run())  # once the log is loaded; ends after stop()
deliveries.take(events.hooks)
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from tile38py._engine import ChannelEvent, Events, HookChange, HookEvent, HookProgress
from tile38py.delivery.counters import Counters
from tile38py.delivery.dead_letters import DeadLetters, dead_name
from tile38py.delivery.delivered_elsewhere import DeliveredElsewhere
from tile38py.delivery.endpoint_review import EndpointReview
from tile38py.delivery.history import Histories
from tile38py.delivery.hook_queue import HookQueue
from tile38py.delivery.recovery import EventRecovery
from tile38py.delivery.replays import Replays
from tile38py.delivery.retention import Retention
from tile38py.delivery.store import LEGACY_SUFFIX, Store, StoreError, bytes_of, name_of
from tile38py.delivery.sweeper import Sweeper
from tile38py.delivery.worker import Tools, Worker
from tile38py.interfaces import Clock, Tell
from tile38py.interfaces.delivery import (
    Couriers,
    DeadLetterReport,
    HookCounters,
    HookDirectory,
    HookReport,
)
from tile38py.limits import (
    HOOK_FLUSH_SECONDS,
    HOOK_SWEEP_SECONDS,
    STOP_SECONDS_MAX,
)

Result = TypeVar("Result")
HISTORY_FILE: Final = "history.db"  # beside the queue's file


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
        self._storing: list[tuple[int, Callable[[OSError | None], None]]] = []
        self._flush_count = 0  # that have begun
        self._has_numbered = False  # whether there ever were numbered events
        self.on_delivered: Callable[[list[tuple[bytes, int]]], None] = lambda _delivered: None
        self.counters = Counters()
        self.retention = Retention()
        self.histories = Histories(
            path.with_name(HISTORY_FILE),
            in_thread=self._in_thread,
            now_ns=clock.now_ns,
            find=hooks.history,
        )
        self.queue: HookQueue
        self._store: Store
        self._sweeper: Sweeper
        self._worker: Worker
        self._elsewhere: DeliveredElsewhere
        self._dead: DeadLetters
        self._replays: Replays
        self._recovery: EventRecovery
        self._review = EndpointReview(couriers, hooks, log)

    def open(self) -> None:
        """Open the queue's file, before the log is loaded. Raises StartError."""
        self.histories.open()
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
        tools = Tools(self._couriers, self._clock, self._hooks.find, self._log, self.retention)
        self._worker = Worker(self.queue, self.counters, tools)
        self._elsewhere = DeliveredElsewhere(self.queue)
        wake, now_ns = self._worker.wake, self._clock.now_ns
        self._dead = DeadLetters(
            self.queue, self.counters, find=self._hooks.find, wake=wake, now_ns=now_ns
        )
        self._replays = Replays(self.queue, self.histories, wake=wake, now_ns=now_ns)
        self._recovery = EventRecovery(
            self.queue, self.histories, self._replays, hooks=self._hooks, take=self.take
        )

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

    def take(self, events: Sequence[HookEvent | HookChange | HookProgress]) -> None:
        """Queue events. A change among them holds for what comes behind it."""
        now_ns = self._clock.now_ns()
        append, wake = self.queue.append, self._worker.wake
        for event in events:
            if isinstance(event, HookChange):
                self._follow_change(event.hook)
            elif isinstance(event, HookProgress):
                self._elsewhere.note(event.hook, event.sequence)
            else:
                if event.sequence:
                    self._has_numbered = True
                    self.histories.add(event.hook, event)
                    if self._replays.is_running(event.hook):
                        continue  # it comes from there
                # The worker knows hooks that have waiting events already.
                if append(event, now_ns):
                    wake(event.hook)
        self._dirty.set()
        if self.retention.is_exceeded(self.queue.bytes):
            self._crowded.set()

    def _follow_change(self, hook: str) -> None:
        """Follow a change of a hook, or of a channel with numbered events."""
        self._worker.changed(hook)
        self.histories.changed(hook)
        if self.queue.has(dead_name(hook)):
            self._worker.changed(dead_name(hook))
        if self._hooks.find(hook) is None:
            self._replays.forget(hook)

    def replay(
        self, hook: str, position: int, settle: Callable[[OSError | None], object]
    ) -> asyncio.Future[object]:
        """Send a hook's events from a number of its history on once more.

        The future has the result of a function that is called once no kill ends the replay.
        """
        self._has_numbered = True
        self._replays.begin(hook, position)
        settled: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def end(error: OSError | None) -> None:
            if not settled.done():
                settled.set_result(settle(error))

        self.store(end)
        return settled

    def keep(self, events: Sequence[ChannelEvent]) -> None:
        """Keep the numbered events of channels that have a history."""
        for event in events:
            if event.sequence:
                self._has_numbered = True
                self.histories.add(name_of(event.channel), event)
        self._dirty.set()

    def stored(self) -> list[tuple[bytes, int, int]]:
        """Return the names with stored events, the last number and the time of the first."""
        return self._recovery.stored()

    def recover(self, events: Events | None) -> None:
        """Take the events that the loaded log has and the files lack. Before run()."""
        self._recovery.recover(events)

    def replace(self, events: Events | None) -> None:
        """Drop all numbered events and take these, which an adopted log has."""
        self._recovery.replace(events)

    def store(self, done: Callable[[OSError | None], None]) -> None:
        """Write what the log is about to lose to the files, then call a function.

        Only numbered events are in the log.
        """
        if self._has_numbered and (self.queue.is_dirty or self.histories.is_dirty):
            self._storing.append((self._flush_count + 1, done))
            self._dirty.set()
        else:
            done(None)

    def _end_storing(self, flushed: int) -> None:
        """Call the functions that waited for this flush."""
        error = self.queue.error or self.histories.error
        waiting, self._storing = self._storing, []
        for number, done in waiting:
            if number > flushed:
                self._storing.append((number, done))
            else:
                done(OSError(0, f"hook queue: {error}") if error is not None else None)

    def log_progress(self) -> None:
        """Let the log tell followers which numbered events are delivered."""
        delivered = self.queue.sequences.take_delivered()
        if delivered:
            self.on_delivered([(bytes_of(hook), number) for hook, number in delivered])

    def follow_changed(self) -> None:
        """Hold numbered events from now on, as a follower does, or deliver them again."""
        for hook in self.queue.hooks():
            self._worker.changed(hook)

    def report(self, hook: str) -> HookReport:
        """Return the counters of a hook and the state of its queue."""
        sequence, progress = self._hooks.sequence(hook), self.queue.sequences.get(hook)
        return HookReport(
            self.counters.get(hook),
            self.queue.waiting(hook),
            self.queue.oldest_ns(hook),
            sequence=sequence[0] if sequence is not None else None,
            sequence_delivered=progress.delivered if progress is not None else 0,
            dead_letter=self._dead_letter(hook),
            history=self.histories.span(hook),
            endpoint_error=next(self._review.problems(hook), ""),
            retry_seconds=self._retry_seconds(hook),
        )

    def _dead_letter(self, hook: str) -> DeadLetterReport | None:
        record = self._hooks.find(hook)
        if record is None or record.options is None or not record.options.dead_letter:
            return None
        name = dead_name(hook)
        return DeadLetterReport(
            record.options.dead_letter,
            self.counters.get(hook).dead,
            self.queue.waiting(name),
            self.counters.get(name).last_error,
        )

    def _retry_seconds(self, hook: str) -> float:
        """Return the seconds until the first of a hook's endpoints is tried again."""
        record = self._hooks.find(hook)
        urls = record.endpoints if record is not None else ()
        ends_ns = min(map(self._couriers.backoff_until_ns, urls), default=0)
        return max(ends_ns - self._clock.monotonic_ns(), 0) / 1e9 if ends_ns else 0.0

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
                reviewing = tasks.create_task(self._review.run(), name="hook review")
                self._worker.start(tasks)
                self.histories.run_in(tasks)
                self._replays.start()
                await self._stopped.wait()
                self._worker.stop()
                self.histories.stop()
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
        await self._flush()
        self._end_storing(self._flush_count + 1)
        try:
            await self._in_thread(self._store.close)
            await self.histories.close()
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
            await self._flush()
            await self._elsewhere.finish()
            await self._dead.enforce_bounds()
            if self.queue.is_dirty or self.histories.is_dirty or self.queue.crowded:
                self._dirty.set()

    async def _flush(self) -> None:
        """Write what there is to the files."""
        self._flush_count += 1
        flushed = self._flush_count
        await self.queue.flush()
        await self.histories.flush()
        self._end_storing(flushed)

    async def _sweep_often(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HOOK_SWEEP_SECONDS):
                    await self._crowded.wait()
            if self.queue.count:
                await self._sweeper.sweep()
            self._close_hooks()
            self._crowded.clear()
            # Delivered events have to leave the file even if no new ones arrive.
            if self.queue.is_dirty:
                self._dirty.set()

    def _close_hooks(self) -> None:
        """Forget the deleted hooks whose last messages are sent or have expired."""
        for hook in self._hooks.closing():
            if not self.queue.has(hook):
                self._hooks.close(hook)
                self._worker.changed(hook)

    async def _in_thread(self, function: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def _tell_health(self, error: str | None) -> None:
        if error is None:
            self._log("The hook queue is written again")
        else:
            self._log("The hook queue cannot be written: %s. Events wait in memory", error)
