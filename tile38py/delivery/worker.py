"""The worker sends waiting events: one task for each list of endpoints while a hook has some.

Hooks with the same URLs share a delivery queue and its batches; each hook's events stay in order.
A delivery queue whose endpoints hang delays no other. An event that breaks each connection it is
sent on is isolated by ever smaller batches and then sent alone. The worker keeps no event and knows
no broker.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tile38py._engine import QueuedEvent
from tile38py.delivery.cloud_events import in_envelopes
from tile38py.delivery.counters import Counters
from tile38py.delivery.delivery_queue import DeliveryQueue, QueueKey, Urls
from tile38py.delivery.hook_queue import HookQueue
from tile38py.delivery.retention import Retention
from tile38py.delivery.slice_limiter import SliceLimiter
from tile38py.interfaces import Clock, Tell
from tile38py.interfaces.delivery import Batch, Couriers, HookOptions, HookRecord
from tile38py.limits import (
    HOOK_BATCH_BYTES_MAX,
    HOOK_BATCH_COUNT_MAX,
    HOOK_DELIVERY_QUEUES_COUNT_MAX,
    HOOK_RETRY_SECONDS,
    HOOK_RETRY_SECONDS_MAX,
    HOOK_SHARE_COUNT_MAX,
    HOOK_STEP_COUNT_MAX,
    HOOK_SUSPECTS_COUNT_MAX,
)

Item = TypeVar("Item")
HookRange = tuple[str, int, int]  # a hook, the index of its first event in a batch, how many it has


@dataclass(frozen=True, slots=True)
class Tools:
    """Dependencies of the worker."""

    couriers: Couriers
    clock: Clock
    find: Callable[[str], HookRecord | None]
    log: Tell
    retention: Retention


class Worker:
    """Sends the events of all hooks; each delivery queue has its own task."""

    def __init__(self, hook_queue: HookQueue, counters: Counters, tools: Tools) -> None:
        self._hook_queue = hook_queue
        self._counters = counters
        self._tools = tools
        self._couriers = tools.couriers
        self._clock = tools.clock
        self._find = tools.find
        self._log = tools.log
        self._delivery_queues: dict[QueueKey, DeliveryQueue] = {}
        self._refusals: dict[str, int] = {}  # hook -> refusals of its next event in a row
        # Hooks with waiting events; None while a batch has events of the hook.
        self._places: dict[str, DeliveryQueue | None] = {}
        self._backoffs: dict[str, asyncio.TimerHandle] = {}  # of hooks with a refused event
        self._failed: dict[str, int] = {}  # hook -> the event that failed last
        self._options: dict[str, HookOptions] = {}  # of hooks with waiting events
        self._passed: dict[str, set[int]] = {}  # hook -> delivered events behind a refused one
        self._alone: set[str] = set()  # hooks whose next event broke a connection alone
        self._slices = SliceLimiter(HOOK_DELIVERY_QUEUES_COUNT_MAX)
        self._tasks: asyncio.TaskGroup | None = None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Start with the events that wait already; the group owns all tasks."""
        self._tasks = tasks
        for hook in self._hook_queue.hooks():
            self.wake(hook)

    def stop(self) -> None:
        """Cancel all tasks; undelivered events stay in the queue."""
        self._tasks = None
        for queue in self._delivery_queues.values():
            if queue.task is not None:
                queue.task.cancel()
        for timer in self._backoffs.values():
            timer.cancel()
        self._backoffs.clear()

    def wake(self, hook: str) -> None:
        """Put a hook with waiting events into the queue of its endpoints, if it isn't there."""
        if hook in self._places or hook in self._backoffs or self._tasks is None:
            return
        record = self._find(hook)
        if record is None:
            self.forget(hook)
            return
        self._tools.retention.set_rule(hook, record, self._clock.now_ns())
        if record.is_paused:
            return  # changed() comes when it is resumed
        if record.options is not None:
            self._options[hook] = record.options
        elif self._options:
            self._options.pop(hook, None)
        urls, options = tuple(record.endpoints), record.options
        key = urls, options.rule if options is not None else None
        queue = self._delivery_queues.get(key)
        if queue is None:
            queue = self._delivery_queues[key] = DeliveryQueue(*key)
            name = f"deliver to {self._shown(urls)}"
            queue.task = self._tasks.create_task(self._run(queue), name=name)
        queue.ready[hook] = None
        self._places[hook] = queue

    def changed(self, hook: str) -> None:
        """Follow a change of a hook, which may have other endpoints now.

        A backoff of the former ones ends. Events that are in a batch still go to the former ones.
        """
        timer = self._backoffs.pop(hook, None)
        if timer is not None:
            timer.cancel()
        queue = self._places.get(hook)
        if queue is not None:
            del queue.ready[hook]
            del self._places[hook]
        self._alone.discard(hook)
        if self._find(hook) is None:
            self.forget(hook)
        elif self._hook_queue.has(hook):
            self.wake(hook)

    def forget(self, hook: str) -> None:
        """Drop the events of a deleted hook."""
        self._hook_queue.drop(hook)
        self._counters.forget(hook)
        self._tools.retention.forget(hook)
        self._passed.pop(hook, None)
        self._failed.pop(hook, None)
        self._refusals.pop(hook, None)
        self._options.pop(hook, None)
        self._alone.discard(hook)

    async def _run(self, queue: DeliveryQueue) -> None:
        while queue.ready:
            await self._slices.enter()
            await self._fill(queue)
            began_ns = self._clock.monotonic_ns()
            hooks = self._choose(queue)
            try:
                to_load = [hook for hook in hooks if self._hook_queue.needs_load(hook)]
                if to_load:
                    await self._hook_queue.load(to_load)
                pause_seconds = await self._send(queue, hooks)
            finally:
                for hook in hooks:
                    del self._places[hook]
            async for part in in_slices(hooks, queue.step):
                for hook in part:
                    if self._hook_queue.has(hook):
                        self.wake(hook)
            if len(queue.ready) < HOOK_STEP_COUNT_MAX and not pause_seconds:
                pause_seconds = self._linger(queue, began_ns)
            if pause_seconds > 0:
                await asyncio.sleep(pause_seconds)
        del self._delivery_queues[queue.key]

    async def _fill(self, queue: DeliveryQueue) -> None:
        """Wait for a fuller batch if BATCH says so."""
        rule = queue.rule
        if rule is None or not rule.batch_seconds:
            return
        waiting = map(self._hook_queue.waiting, queue.ready)
        if not any(count >= rule.batch_count for count in waiting):
            await asyncio.sleep(rule.batch_seconds)

    def _choose(self, queue: DeliveryQueue) -> list[str]:
        """Take the hooks of the next batch out of the queue."""
        hooks: list[str] = []
        ready, places = queue.ready, self._places
        while ready and len(hooks) < queue.room:
            hook, _ = ready.popitem(last=False)
            is_alone = hook in self._alone
            if is_alone and hooks:
                queue.put_back(hook)
                break
            places[hook] = None
            hooks.append(hook)
            if is_alone:
                break
        return hooks

    def _linger(self, queue: DeliveryQueue, began_ns: int) -> float:
        """Return the seconds to wait so that the next batch grows."""
        seconds = max(map(self._couriers.linger_seconds, queue.urls), default=0.0)
        return seconds - (self._clock.monotonic_ns() - began_ns) / 1e9 if seconds else 0.0

    async def _send(self, queue: DeliveryQueue, hooks: list[str]) -> float:
        """Send a batch of these hooks' events; return the seconds to wait before the next one."""
        events, ranges = await self._take(queue, hooks)
        batch = self._make_batch(events, hooks, queue)
        if self._passed:
            # Delivered events behind a refused one aren't sent again.
            for at, event in enumerate(events):
                if event.number in self._passed.get(event.hook, ()):
                    batch.delivered.add(at)
        if not events:
            # Either all have expired, or the file can't be read now.
            await asyncio.sleep(0)
            is_stuck = any(self._hook_queue.needs_load(hook) for hook in hooks)
            return HOOK_RETRY_SECONDS if is_stuck else 0.0
        count_before = len(batch.delivered)
        reason, is_tried = await self._try_all(queue, batch)
        if reason is None:
            queue.widen()
            queue.suspects.clear()
        elif is_tried and len(batch.delivered) == count_before:
            self._suspect(queue, hooks, len(events))
        await self._settle(queue, batch, ranges, reason if is_tried else None)
        self._tell(queue, batch, reason)
        if reason is None:
            queue.failures = 0
            return 0.0
        queue.failures += 1
        if queue.has_own_backoff:
            return queue.backoff_seconds(queue.failures)
        now_ns = self._clock.monotonic_ns()
        ends_ns = min((self._couriers.backoff_until_ns(url) for url in queue.urls), default=0)
        return max((ends_ns - now_ns) / 1e9, 0.0) if ends_ns else HOOK_RETRY_SECONDS

    def _make_batch(
        self, events: Sequence[QueuedEvent], hooks: Sequence[str], queue: DeliveryQueue
    ) -> Batch:
        """Make a batch with the options that these hooks have now."""
        known = self._options
        options = {hook: known[hook] for hook in hooks if hook in known} if known else {}
        return Batch(
            in_envelopes(events, options),
            lifetime_seconds=self._hook_queue.lifetime_seconds,
            options=options,
            now_ns=self._clock.now_ns(),
            timeout_seconds=queue.rule.timeout_seconds if queue.rule is not None else 0.0,
        )

    def _suspect(self, queue: DeliveryQueue, hooks: list[str], count: int) -> None:
        """Find out whether the endpoint or an event is at fault: nothing was delivered."""
        if count > 1:
            queue.narrow(count)
        else:
            # This event is sent alone from now on. If very many fail, the endpoint is at fault.
            self._alone.update(hooks)
            queue.suspects.extend(hook for hook in hooks if hook not in queue.suspects)
            if len(queue.suspects) > HOOK_SUSPECTS_COUNT_MAX:
                self._alone.discard(queue.suspects.popleft())
            if queue.ready:
                self._back_off(hooks[0], HOOK_RETRY_SECONDS_MAX)
            queue.widen()

    async def _take(
        self, queue: DeliveryQueue, hooks: list[str]
    ) -> tuple[list[QueuedEvent], list[HookRange]]:
        """Return the next events of these hooks that fit into a batch, and each hook's span."""
        share = HOOK_BATCH_COUNT_MAX if len(hooks) == 1 else HOOK_SHARE_COUNT_MAX
        if queue.rule is not None:
            share = max(share, queue.rule.batch_count)
        room = 1 if self._alone.intersection(hooks) else queue.room
        bytes_left = HOOK_BATCH_BYTES_MAX
        events: list[QueuedEvent] = []
        ranges: list[HookRange] = []
        async for part in in_slices(hooks, queue.step):
            for hook in part:
                if room == 0 or bytes_left <= 0:
                    return events, ranges
                taken = self._hook_queue.take(hook, min(share, room), bytes_left)
                if not taken:
                    continue
                ranges.append((hook, len(events), len(taken)))
                events += taken
                room -= len(taken)
                for event in taken:
                    bytes_left -= len(event.body)
                if self._failed.get(hook) == taken[0].number:
                    self._counters.add_retried(hook)
        return events, ranges

    async def _try_all(self, queue: DeliveryQueue, batch: Batch) -> tuple[str | None, bool]:
        """Try each URL; return the reason if the last one is down, and whether any was tried."""
        reason: str | None = "no endpoint"
        is_tried = False
        for url in queue.urls:
            is_backing_off = self._couriers.backoff_until_ns(url) > self._clock.monotonic_ns()
            if is_backing_off and not queue.has_own_backoff:
                continue
            is_tried = True
            reason = await self._couriers.send(url, batch)
            for index in batch.delivered:
                batch.refused.pop(index, None)
            if reason is None and not batch.refused:
                break
        if batch.refused:
            # An endpoint that replies with a refusal isn't down.
            reason = None
        return reason, is_tried

    async def _settle(
        self, queue: DeliveryQueue, batch: Batch, ranges: list[HookRange], reason: str | None
    ) -> None:
        """Report to queue and counters what was delivered; reason tells why the rest wasn't."""
        events, delivered = batch.events, batch.delivered
        is_done = len(delivered) == len(events)
        async for part in in_slices(ranges, queue.step):
            for hook, start, taken in part:
                count = taken if is_done else count_first(delivered, start, taken)
                if not is_done or hook in self._passed:
                    self._note_passed(hook, batch, range(start, start + taken), count)
                self._hook_queue.settle(events[start : start + taken], count)
                if count:
                    self._counters.add_sent(hook, count)
                    self._failed.pop(hook, None)
                    self._refusals.pop(hook, None)
                    self._alone.discard(hook)
                if count < taken:
                    self._note_failure(queue, batch, start + count, reason)

    def _note_passed(self, hook: str, batch: Batch, indexes: range, count: int) -> None:
        """Remember delivered events behind one that still waits."""
        past = {batch.events[at].number for at in indexes[count:] if at in batch.delivered}
        past |= self._passed.pop(hook, set())
        if count:
            last = batch.events[indexes[count - 1]].number
            past = {number for number in past if number > last}
        if past:
            self._passed[hook] = past

    def _note_failure(
        self, queue: DeliveryQueue, batch: Batch, index: int, reason: str | None
    ) -> None:
        refusal, hook = batch.refused.get(index), batch.events[index].hook
        if refusal is not None:
            self._refusals[hook] = self._refusals.get(hook, 0) + 1
            self._back_off(hook, queue.backoff_seconds(self._refusals[hook]))
        why = refusal if refusal is not None else reason
        if why is not None:
            self._failed[hook] = batch.events[index].number
            self._counters.add_failed(hook, reason=why, now_ns=self._clock.now_ns())

    def _back_off(self, hook: str, seconds: float) -> None:
        """Send nothing of a hook for some seconds."""
        if self._tasks is not None and self._find(hook) is not None:
            loop = asyncio.get_running_loop()
            self._backoffs[hook] = loop.call_later(seconds, self._end_backoff, hook)

    def _end_backoff(self, hook: str) -> None:
        del self._backoffs[hook]
        if self._hook_queue.has(hook):
            self.wake(hook)

    def _tell(self, queue: DeliveryQueue, batch: Batch, reason: str | None) -> None:
        """Log that a queue begins to fail or works again, but not each attempt."""
        why = reason or next(iter(batch.refused.values()), None)
        if why is not None and not queue.is_failing:
            self._log("Endpoint send error: %s: %s", self._shown(queue.urls), why)
        elif why is None and queue.is_failing:
            self._log("Endpoint works again: %s", self._shown(queue.urls))
        queue.is_failing = why is not None

    def _shown(self, urls: Urls) -> str:
        return ",".join(self._couriers.shown(url) for url in urls)


def count_first(delivered: set[int], start: int, count: int) -> int:
    """Count the delivered events in front of the first undelivered one."""
    for at in range(start, start + count):
        if at not in delivered:
            return at - start
    return count


async def in_slices(items: Sequence[Item], count_max: int) -> AsyncIterator[Sequence[Item]]:
    """Yield slices of items; the event loop runs other tasks between them."""
    for start in range(0, len(items), count_max):
        if start:
            await asyncio.sleep(0)
        yield items[start : start + count_max]
