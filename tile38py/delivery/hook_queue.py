"""The waiting events of all hooks: ordered per hook, bounded, in memory and in the file.

An event reaches the file with the next flush, unless it was delivered before; reads come from
memory as long as it has room. What is dropped is decided in retention; sends nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from tile38py._engine import HookEvent, QueuedEvent
from tile38py.delivery.backlog import Backlog
from tile38py.delivery.counters import Counters
from tile38py.delivery.queue_thread import QueueThread
from tile38py.delivery.retention import Retention
from tile38py.delivery.sequences import Sequences
from tile38py.delivery.store import EventRange, Row, Store, StoreError
from tile38py.delivery.waiting_events import WaitingEvents
from tile38py.interfaces import Clock
from tile38py.limits import (
    HOOK_EVENT_BYTES,
    HOOK_FLUSH_COUNT_MAX,
    HOOK_LOAD_BYTES_MAX,
    HOOK_LOAD_COUNT_MAX,
    HOOK_LOAD_COUNT_MIN,
    HOOK_MEMORY_BYTES_MAX,
    HOOK_STEP_COUNT_MAX,
    HOOK_SWEEP_COUNT_MAX,
)


class HookQueue(WaitingEvents):
    """The hook queue. Only the event loop's thread uses it; only coroutines wait."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        in_thread: QueueThread,
        counters: Counters,
        retention: Retention,
    ) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._in_thread = in_thread
        self._counters = counters
        self._retention = retention
        self.on_health: Callable[[str | None], None] = lambda _error: None
        self.on_gone: Callable[[str, Sequence[QueuedEvent]], None] = lambda _hook, _events: None
        self.crowded: set[str] = set()  # hooks with more than their own bound
        self._unwritten: deque[QueuedEvent] = deque()
        self._done: dict[str, int] = {}  # hook -> events up to this number leave the file
        self._is_flushing = False
        self._must_recount = False
        self.error: str | None = None  # why the file can't be written at present
        contents = store.contents()
        self.sequences = Sequences(contents.progress)
        self.last_number = contents.last_number
        self.count = contents.count
        self.bytes = contents.size + contents.count * HOOK_EVENT_BYTES
        self.memory_bytes = 0
        for hook, (last, count, size) in contents.hooks.items():
            backlog = self._backlogs[hook] = Backlog()
            backlog.disk_last = backlog.written_last = last
            backlog.waiting, backlog.size = count, size
            # How old they are is known once they are read; the sweep looks by itself.
            backlog.disk_oldest_ns = clock.now_ns()

    @property
    def lifetime_seconds(self) -> float:
        """Seconds after which an event is dropped; 0 = none is."""
        return self._retention.ttl_ns / 1e9

    @property
    def is_dirty(self) -> bool:
        """Whether the file isn't up to date."""
        return bool(self._unwritten or self._done or self._is_flushing or self.sequences.is_changed)

    def append(self, event: HookEvent, now_ns: int) -> bool:
        """Add an event; return whether it is the only one of its hook."""
        hook = event.hook
        size = len(event.body) + HOOK_EVENT_BYTES
        if self._lacks_room(size):
            self.drop_unwritten(size)
            if self._lacks_room(size):
                # What is older is in somebody's hands or in the file, which the sweep looks after.
                self._counters.add_dropped(hook)
                return False
        self.last_number += 1
        queued = QueuedEvent(self.last_number, event.made_ns or now_ns, event)
        backlog = self._backlogs.get(hook)
        is_first = backlog is None
        if backlog is None:
            backlog = self._backlogs[hook] = Backlog()
        backlog.add(queued)
        if self.excess_bytes(hook) > 0:
            self.crowded.add(hook)
        self._unwritten.append(queued)
        self.count += 1
        self.bytes += size
        self.memory_bytes += size
        return is_first

    def _lacks_room(self, size: int) -> bool:
        if self.error is not None:
            return self._retention.is_exceeded(self.bytes + size)
        return self._retention.is_far_exceeded(self.bytes + size)

    def take(self, hook: str, count_max: int, bytes_max: int) -> list[QueuedEvent]:
        """Return the oldest events of a hook, in order. They are taken until settle() is called."""
        backlog = self._backlogs.get(hook)
        if backlog is None:
            return []
        assert backlog.taken == 0, "a hook's events are with one taker at a time"
        if self._expire(hook, backlog):
            return []  # there are more that are too old: let others have their turn
        taken: list[QueuedEvent] = []
        for event in backlog.items:
            bytes_max -= len(event.body)
            if len(taken) == count_max or (taken and bytes_max < 0):
                break
            taken.append(event)
        backlog.taken = len(taken)
        return taken

    def settle(self, taken: Sequence[QueuedEvent], count: int) -> None:
        """Remove the first `count` taken events, which are delivered; the others wait again."""
        hook = taken[0].hook
        backlog = self._backlogs.get(hook)
        if backlog is None or not backlog.taken or backlog.items[0].number != taken[0].number:
            return  # the hook was deleted meanwhile
        assert count <= backlog.taken == len(taken)
        backlog.taken = 0
        if count:
            self._pop(hook, backlog, count)
            if taken[count - 1].sequence:
                self.sequences.note_delivered(taken[count - 1])
        if backlog.is_empty:
            del self._backlogs[hook]

    def drop(self, hook: str) -> int:
        """Drop all events of a deleted hook; return how many were in memory."""
        self.sequences.forget(hook)
        backlog = self._backlogs.pop(hook, None)
        if backlog is None:
            return 0
        in_memory = [*backlog.items, *backlog.tail]
        self._forget(len(in_memory), sum(len(event.body) for event in in_memory))
        self._done[hook] = self.last_number
        if backlog.disk_last:
            # The file knows how many there were; the sums are put right by the next flush.
            self._must_recount = True
        return len(in_memory)

    async def load(self, hooks: Sequence[str]) -> None:
        """Read the next events of these hooks from the file, all in one transaction."""
        count_max = max(HOOK_LOAD_COUNT_MAX // max(len(hooks), 1), HOOK_LOAD_COUNT_MIN)
        bytes_max = HOOK_LOAD_BYTES_MAX // max(len(hooks), 1)
        wanted: list[tuple[Backlog, EventRange]] = []
        for hook in hooks:
            backlog = self._backlogs.get(hook)
            if backlog is not None and backlog.needs_load and not backlog.is_loading:
                backlog.is_loading = True
                wanted_range = EventRange(
                    hook, backlog.cursor, backlog.disk_last, count_max, bytes_max
                )
                wanted.append((backlog, wanted_range))
        if not wanted:
            return
        ranges = [wanted_range for _, wanted_range in wanted]
        try:
            found = await self._in_thread(lambda: self._store.read(ranges))
        except StoreError as error:
            self.set_health(str(error))
            return
        finally:
            for backlog, _ in wanted:
                backlog.is_loading = False
        for (backlog, wanted_range), (events, is_all) in zip(wanted, found, strict=True):
            if self._backlogs.get(wanted_range.hook) is backlog:
                self._add_loaded(backlog, wanted_range, events, is_all=is_all)

    def _add_loaded(
        self, backlog: Backlog, wanted_range: EventRange, events: list[QueuedEvent], *, is_all: bool
    ) -> None:
        backlog.loaded(events, wanted_range.last, is_all=is_all)
        self.memory_bytes += sum(len(event.body) + HOOK_EVENT_BYTES for event in events)
        if backlog.is_empty:
            del self._backlogs[wanted_range.hook]

    async def flush(self) -> None:
        """Write the present state to the file."""
        if self._is_flushing:
            return
        self._is_flushing = True
        last = self.last_number
        try:
            while await self._flush_group():
                if not self._unwritten or self._unwritten[0].number > last:
                    break
        finally:
            self._is_flushing = False

    async def _flush_group(self) -> bool:
        """Write one transaction, prepared in time slices; return whether it succeeded."""
        # Taken first: what is delivered from here on is removed by the next one.
        done, self._done = self._done, {}
        events: list[QueuedEvent] = []
        written: dict[str, Backlog] = {}
        while self._unwritten and len(events) < HOOK_FLUSH_COUNT_MAX:
            events += self._next_unwritten(written)
            await asyncio.sleep(0)
        numbering = self.sequences.take_changes()
        if not (events or done or numbering.progress or numbering.forgotten):
            return True
        try:
            await self._in_thread(lambda: self._store.write(events, list(done.items()), numbering))
        except StoreError as error:
            self.sequences.restore(numbering)
            self._unwritten.extendleft(reversed(events))
            self._done = {**done, **self._done}
            for event in events:
                backlog_now = self._backlogs.get(event.hook)
                if backlog_now is not None:
                    backlog_now.written_last = min(backlog_now.written_last, event.number - 1)
            self.set_health(str(error))
            self.drop_unwritten()
            return False
        self.set_health(None)
        await self._recount_if_needed()
        for position, (hook, backlog) in enumerate(written.items(), 1):
            self._evict(hook, backlog)
            if position % HOOK_STEP_COUNT_MAX == 0:
                await asyncio.sleep(0)
        return True

    def _next_unwritten(self, written: dict[str, Backlog]) -> list[QueuedEvent]:
        """Return some of the oldest unwritten events that wait; add their backlogs to written."""
        found: list[QueuedEvent] = []
        for _ in range(min(len(self._unwritten), HOOK_STEP_COUNT_MAX)):
            event = self._unwritten.popleft()
            if event.sequence:
                self.sequences.note_stored(
                    event.hook, began_ns=event.began_ns, sequence=event.sequence
                )
            backlog = self._backlogs.get(event.hook)
            if backlog is not None and backlog.holds(event):
                # Told in advance: what is delivered during the write is removed after it.
                backlog.written_last = event.number
                written[event.hook] = backlog
                found.append(event)
        return found

    async def _recount_if_needed(self) -> None:
        if not self._must_recount:
            return
        self._must_recount = False
        contents = await self._in_thread(self._store.contents)
        backlogs = self._backlogs
        unwritten = [
            event
            for event in self._unwritten
            if event.hook in backlogs and backlogs[event.hook].holds(event)
        ]
        self.count = contents.count + len(unwritten)
        self.bytes = contents.size + self.count * HOOK_EVENT_BYTES
        self.bytes += sum(len(event.body) for event in unwritten)

    def _evict(self, hook: str, backlog: Backlog) -> None:
        if self._backlogs.get(hook) is not backlog or backlog.is_loading:
            return
        if backlog.disk_last or self.memory_bytes > HOOK_MEMORY_BYTES_MAX:
            before = len(backlog.items) + len(backlog.tail)
            size = backlog.evict()
            gone = before - len(backlog.items) - len(backlog.tail)
            self.memory_bytes -= size + gone * HOOK_EVENT_BYTES

    def expire(self, hook: str) -> bool:
        """Drop expired events of a hook from memory; return whether there are more."""
        return hook in self._backlogs and self._expire(hook, self._backlogs[hook])

    def _expire(self, hook: str, backlog: Backlog) -> bool:
        cutoff_ns = self._retention.cutoff_ns(self._clock.now_ns(), hook)
        items = backlog.items
        if not items or backlog.taken or items[0].queued_ns >= cutoff_ns:
            return False
        count = backlog.count_expired(cutoff_ns, HOOK_SWEEP_COUNT_MAX)
        self._counters.add_expired(hook, count)
        self.on_gone(hook, self._pop(hook, backlog, count))
        self._forget_if_empty(hook, backlog)
        return count == HOOK_SWEEP_COUNT_MAX

    def drop_sequences(self, hook: str, sequence: int) -> int:
        """Drop the events in memory up to a number, which are delivered; return how many."""
        backlog = self._backlogs.get(hook)
        if backlog is None or backlog.taken or backlog.is_loading:
            return 0
        count = backlog.count_sequences(sequence)
        if count:
            self.sequences.note_delivered(backlog.items[count - 1])
            self._pop(hook, backlog, count)
            self._forget_if_empty(hook, backlog)
        return count

    def excess_bytes(self, hook: str) -> int:
        """Return the bytes by which a hook's waiting messages exceed its own bound."""
        bound = self._retention.queue_bytes(hook)
        return self.waiting_bytes(hook) - bound if bound else 0

    def drop_excess(self, hook: str) -> bool:
        """Drop the oldest events in memory beyond a hook's own bound; return whether it did."""
        backlog = self._backlogs.get(hook)
        if backlog is None or backlog.taken or backlog.is_loading:
            return False
        count = backlog.count_bytes(self.excess_bytes(hook))
        if count:
            self._counters.add_dropped(hook, count)
            self.on_gone(hook, self._pop(hook, backlog, count))
            self._forget_if_empty(hook, backlog)
        return count > 0

    def rewind(self, hook: str, *, began_ns: int, stored: int) -> None:
        """Drop the waiting events of a hook, whose numbers will come again."""
        self.drop(hook)
        self._unwritten = deque(event for event in self._unwritten if event.hook != hook)
        self.sequences.note_stored(hook, began_ns=began_ns, sequence=stored)

    def drop_row(self, row: Row, *, is_old: bool) -> bool:
        """Drop an event of the file, unless it is taken; return whether it was dropped."""
        backlog = self._backlogs.get(row.hook)
        if backlog is None or backlog.is_loading:
            return False
        if backlog.items and backlog.items[0].number == row.number and not backlog.taken:
            self._pop(row.hook, backlog, 1)
        elif backlog.cursor < row.number <= backlog.disk_last:
            self.count -= 1
            self.bytes -= row.size + HOOK_EVENT_BYTES
            backlog.skip(row.number, row.size)
        else:
            return False
        add = self._counters.add_expired if is_old else self._counters.add_dropped
        add(row.hook)
        self._forget_if_empty(row.hook, backlog)
        return True

    def drop_unwritten(self, size: int = 0) -> None:
        """Drop the oldest unwritten events until there is room for so many bytes."""
        while self._unwritten and self._retention.is_exceeded(self.bytes + size):
            event = self._unwritten[0]
            backlog = self._backlogs.get(event.hook)
            if backlog is not None and backlog.holds(event):
                if backlog.taken or backlog.is_loading:
                    break
                count = self._drop_through(event, backlog)
                self._counters.add_dropped(event.hook, count)
                self._forget_if_empty(event.hook, backlog)
            self._unwritten.popleft()

    def _drop_through(self, event: QueuedEvent, backlog: Backlog) -> int:
        """Drop an event and the hook's earlier ones in memory; return their number."""
        if backlog.tail and backlog.tail[0] is event:
            backlog.tail.popleft()
            backlog.waiting -= 1
            backlog.size -= len(event.body)
            self._forget(1, len(event.body))
            return 1
        count = backlog.count_through(event.number)
        self._pop(event.hook, backlog, count)
        return count

    def _forget_if_empty(self, hook: str, backlog: Backlog) -> None:
        if backlog.is_empty:
            del self._backlogs[hook]

    def _pop(self, hook: str, backlog: Backlog, count: int) -> Sequence[QueuedEvent]:
        gone = backlog.remove(count)
        number = gone[-1].number
        self._forget(count, sum(len(event.body) for event in gone))
        if number <= backlog.written_last:
            self._done[hook] = number
        elif backlog.written_last and self._done.get(hook, 0) < backlog.written_last:
            self._done[hook] = backlog.written_last
            backlog.written_last = 0
        return gone

    def _forget(self, count: int, size: int) -> None:
        """Subtract events and the size of their texts from the totals."""
        size += count * HOOK_EVENT_BYTES
        self.count -= count
        self.bytes -= size
        self.memory_bytes -= size

    def set_health(self, error: str | None) -> None:
        """Report when the file can't be read or written, and when it can again."""
        if error != self.error:
            self.error = error
            self.on_health(error)
