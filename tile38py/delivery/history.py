"""The histories of hooks and channels: their last events, in memory until the file has them.

A history has no holes: if memory gets short because the file can't be written, it begins anew
behind the events that are dropped.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from tile38py._engine import ChannelEvent, HookEvent
from tile38py.delivery.history_store import HistoryStore, HistoryWrite, StoredHistory, size_of
from tile38py.delivery.queue_thread import QueueThread
from tile38py.delivery.store import StoreError
from tile38py.interfaces.history import HistoryBounds, HistorySpan, PastEvent
from tile38py.limits import HISTORY_FLUSH_COUNT_MAX, HISTORY_MEMORY_BYTES_MAX


@dataclass(slots=True)
class History:
    """The history of one hook or channel: `stored`, then `tail`."""

    bounds: HistoryBounds
    stored: StoredHistory
    tail: deque[PastEvent] = field(default_factory=deque)
    first: int = 1  # events before this number are gone

    @property
    def last(self) -> int:
        """The number of the last event."""
        return self.tail[-1].sequence if self.tail else self.stored.last

    def span(self) -> HistorySpan:
        """The numbers of the events that are there."""
        if self.stored.first <= self.stored.last:
            first = self.stored.first
        else:
            first = self.tail[0].sequence if self.tail else self.stored.last + 1
        return HistorySpan(max(first, self.first), self.last)


class Histories:
    """All histories. Only the event loop's thread uses it; only coroutines wait."""

    def __init__(
        self,
        path: Path,
        *,
        in_thread: QueueThread,
        now_ns: Callable[[], int],
        find: Callable[[str], HistoryBounds | None],
    ) -> None:
        self.dropped = 0  # events that memory had no room for
        self.error: str | None = None  # why the file can't be written at present
        self._path = path
        self._in_thread = in_thread
        self._now_ns = now_ns
        self._find = find
        self._histories: dict[str, History | None] = {}  # None: there is no history
        self._changed: dict[str, None] = {}
        self._forgotten: dict[str, None] = {}
        self._memory_bytes = 0
        self._store: HistoryStore | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._readers: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Open the file if there is one, before the log is loaded. Raises StartError."""
        if not self._path.exists():
            return
        self._store = HistoryStore(self._path)
        for name, stored in self._store.contents().items():
            self._histories[name] = History(HistoryBounds(), stored)

    @property
    def is_dirty(self) -> bool:
        """Whether the file lacks anything."""
        return bool(self._changed or self._forgotten)

    def stored(self, name: str) -> StoredHistory | None:
        """Return the part of a history that the file has."""
        history = self._histories.get(name)
        return None if history is None else history.stored

    def names(self) -> list[str]:
        """Return the names of the hooks and channels that have a history."""
        return [name for name, history in self._histories.items() if history is not None]

    def changed(self, name: str) -> None:
        """Follow a change of a hook or channel: its bounds may differ, or its history may end."""
        bounds, history = self._find(name), self._histories.get(name)
        if history is None:
            self._histories.pop(name, None)
        elif bounds is None:
            self._forget(name, history)
        elif history.bounds != bounds:
            history.bounds = bounds
            self._changed[name] = None

    def clear(self, name: str) -> None:
        """End a history; it may begin anew."""
        history = self._histories.get(name)
        if history is not None:
            self._forget(name, history)

    def _forget(self, name: str, history: History) -> None:
        self._memory_bytes -= sum(map(size_of, history.tail))
        del self._histories[name]
        self._changed.pop(name, None)
        self._forgotten[name] = None

    def add(self, name: str, event: HookEvent | ChannelEvent) -> None:
        """Add a numbered event, if its hook or channel has a history."""
        history = self._histories.get(name)
        if history is not None and history.stored.began_ns != event.began_ns:
            self._forget(name, history)
            history = None
        if history is None:
            history = self._begin(name, event)
        if history is None or event.sequence <= history.last:
            return
        if event.sequence > history.last + 1:
            self._begin_anew(history, event.sequence)
        past = PastEvent(
            event.sequence, event.made_ns, event.key, event.object_id, event.detect, event.body
        )
        history.tail.append(past)
        self._changed[name] = None
        self._memory_bytes += size_of(past)
        while self._memory_bytes > HISTORY_MEMORY_BYTES_MAX:
            self._drop_oldest()

    def _begin(self, name: str, event: HookEvent | ChannelEvent) -> History | None:
        if name in self._histories:
            return None
        bounds = self._find(name)
        history = None
        if bounds is not None:
            last = event.sequence - 1
            history = History(bounds, StoredHistory(event.began_ns, last + 1, last, 0))
        self._histories[name] = history
        return history

    def _begin_anew(self, history: History, first: int) -> None:
        """Drop all events: there are numbers between them and the next, as SETSEQUENCE sets."""
        self._memory_bytes -= sum(map(size_of, history.tail))
        history.tail.clear()
        history.first = first

    def _drop_oldest(self) -> None:
        """Drop the oldest event of the longest tail, and with it all before."""
        longest = max(
            (history for history in self._histories.values() if history is not None),
            key=lambda history: len(history.tail),
        )
        for _ in range(len(longest.tail) // 2 + 1):
            gone = longest.tail.popleft()
            self._memory_bytes -= size_of(gone)
            self.dropped += 1
            longest.first = gone.sequence + 1

    def span(self, name: str) -> HistorySpan | None:
        """Return the numbers that can be read; None for a hook or channel without HISTORY."""
        history = self._histories.get(name)
        if history is not None:
            return history.span()
        return None if self._find(name) is None else HistorySpan(1, 0)

    def recent(self, name: str, position: int) -> list[PastEvent] | None:
        """Return all events from a number on, if they are in memory; else None."""
        history = self._histories.get(name)
        if history is None or position > history.last:
            return []
        if not history.tail or position < history.tail[0].sequence:
            return None
        return list(islice(history.tail, position - history.tail[0].sequence, None))

    async def read(self, name: str, position: int) -> list[PastEvent]:
        """Return a page of the file's events from a number on. Raises OSError."""
        store = self._store
        if store is None:
            return []
        try:
            return await self._in_thread(partial(store.read, name, position))
        except StoreError as error:
            raise OSError(0, str(error)) from error

    def run_in(self, tasks: asyncio.TaskGroup) -> None:
        """Run readers in a group of tasks from now on."""
        self._tasks = tasks

    def start(self, work: Coroutine[object, object, None], name: str) -> bool:
        """Run a reader of histories as a task of its own; return whether the delivery runs."""
        if self._tasks is None:
            work.close()
            return False
        task = self._tasks.create_task(work, name=name)
        self._readers.add(task)
        task.add_done_callback(self._readers.discard)
        return True

    def stop(self) -> None:
        """Cancel all readers, and start no more."""
        self._tasks = None
        for task in self._readers:
            task.cancel()

    def sweep(self) -> None:
        """Let the next write remove events that are too old."""
        for name, history in self._histories.items():
            if history is not None and history.bounds.age_ns:
                self._changed[name] = None

    async def flush(self) -> None:
        """Write the present state to the file. Keeps it in memory if that fails."""
        last = {name: self._last(name) for name in self._changed}
        while self._forgotten or any(name in self._changed for name in last):
            forgotten, self._forgotten = self._forgotten, {}
            changed, self._changed = self._changed, {}
            writes = self._writes(changed)
            try:
                written = await self._in_thread(partial(self._write, list(forgotten), writes))
            except StoreError as error:
                self._forgotten = {**forgotten, **self._forgotten}
                self._changed = {**changed, **self._changed}
                self.error = str(error)
                return
            self._note_written(writes, written)
            # Events that were added meanwhile are left for the next flush.
            last = {name: number for name, number in last.items() if self._lacks(name, number)}
        self.error = None

    def _last(self, name: str) -> int:
        history = self._histories.get(name)
        return 0 if history is None else history.last

    def _lacks(self, name: str, number: int) -> bool:
        """Whether the file lacks events of a history up to a number."""
        history = self._histories.get(name)
        return history is not None and history.stored.last < min(number, history.last)

    def _writes(self, names: Mapping[str, None]) -> dict[str, HistoryWrite]:
        """Return what one transaction writes; the rest of long tails is left for the next."""
        writes: dict[str, HistoryWrite] = {}
        room = HISTORY_FLUSH_COUNT_MAX
        for name in names:
            history = self._histories.get(name)
            if history is None:
                continue
            if not room and history.tail:
                self._changed[name] = None
                continue
            events = list(islice(history.tail, room))
            room -= len(events)
            bounds = history.bounds
            cutoff_ns = self._now_ns() - bounds.age_ns if bounds.age_ns else 0
            first, stored = history.first, history.stored
            writes[name] = HistoryWrite(events, bounds, cutoff_ns, first, stored)
        return writes

    def _write(
        self, forgotten: list[str], writes: dict[str, HistoryWrite]
    ) -> dict[str, StoredHistory]:
        if self._store is None:
            if not writes:
                return {}
            self._store = HistoryStore(self._path)
        return self._store.write(forgotten, writes)

    def _note_written(
        self, writes: dict[str, HistoryWrite], written: dict[str, StoredHistory]
    ) -> None:
        for name, stored in written.items():
            history, last = self._histories.get(name), stored.last
            if history is None or history.stored is not writes[name].present:
                continue  # it ended meanwhile
            history.stored = stored
            while history.tail and history.tail[0].sequence <= last:
                self._memory_bytes -= size_of(history.tail.popleft())
            if history.tail:
                self._changed[name] = None

    async def close(self) -> None:
        """Close the file."""
        if self._store is not None:
            await self._in_thread(self._store.close)
