"""The sweeper of the hook queue: it drops expired events, and the oldest above the size limit.

The queue removes them; the sweeper chooses, in steps that are short for the loop.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from tile38py.delivery.hook_queue import HookQueue
from tile38py.delivery.queue_thread import QueueThread
from tile38py.delivery.retention import Retention
from tile38py.delivery.store import Row, Store, StoreError
from tile38py.limits import HOOK_SWEEP_COUNT_MAX


class Sweeper:
    """Drops events beyond the retention, periodically."""

    def __init__(
        self,
        queue: HookQueue,
        store: Store,
        *,
        in_thread: QueueThread,
        now_ns: Callable[[], int],
        retention: Retention,
    ) -> None:
        self._queue = queue
        self._store = store
        self._in_thread = in_thread
        self._now_ns = now_ns
        self._retention = retention
        self._lasting = 0  # the file's events up to this number are of hooks whose events last
        self._generation = retention.generation

    async def sweep(self) -> None:
        """Drop expired events, and the oldest while the size limit is exceeded."""
        cutoff_ns = self._retention.cutoff_ns(self._now_ns())
        if cutoff_ns:
            for _ in self._sweep_memory():
                await asyncio.sleep(0)
        if cutoff_ns or self._has_excess():
            await self._sweep_file(cutoff_ns)
        if self._has_excess():
            self._queue.drop_unwritten()

    def _has_excess(self) -> bool:
        return self._retention.is_exceeded(self._queue.bytes)

    def _sweep_memory(self) -> Iterator[None]:
        """Drop expired events from memory; yield after each time slice."""
        for position, hook in enumerate(self._queue.hooks(), 1):
            while self._queue.expire(hook):
                yield
            if position % HOOK_SWEEP_COUNT_MAX == 0:
                yield

    async def _sweep_file(self, cutoff_ns: int) -> None:
        """Drop events from the file, from the oldest to the first that stays."""
        if self._generation != self._retention.generation:
            self._lasting, self._generation = 0, self._retention.generation
        last = 0 if self._has_excess() else self._lasting
        is_lasting = True
        try:
            while True:
                rows = await self._in_thread(partial(self._store.oldest, last))
                victims = self._choose(rows, cutoff_ns)
                if victims:
                    await self._in_thread(partial(self._store.remove, victims))
                is_lasting &= len(rows) == len(victims) + sum(map(self._is_lasting, rows))
                if is_lasting and rows:
                    self._lasting = max(self._lasting, rows[-1].number)
                may_have_more = len(rows) == HOOK_SWEEP_COUNT_MAX
                if not may_have_more or not self._is_victim(rows[-1], cutoff_ns):
                    return
                last = rows[-1].number
        except StoreError as error:
            self._queue.set_health(str(error))

    def _is_lasting(self, row: Row) -> bool:
        return self._retention.is_lasting(row.hook)

    def _is_victim(self, row: Row, cutoff_ns: int) -> bool:
        return row.queued_ns < cutoff_ns or self._has_excess()

    def _choose(self, rows: Iterable[Row], cutoff_ns: int) -> list[int]:
        """Return those of the oldest events that are dropped; taken ones stay."""
        victims: list[int] = []
        for row in rows:
            if not self._is_victim(row, cutoff_ns):
                break
            is_old = row.queued_ns < self._retention.cutoff_ns(self._now_ns(), row.hook)
            if not (is_old or self._has_excess()):
                continue
            if self._queue.drop_row(row, is_old=is_old):
                victims.append(row.number)
        return victims
