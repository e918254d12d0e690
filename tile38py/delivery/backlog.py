"""The waiting events of one hook, in memory and in the file."""

from collections import deque
from collections.abc import Sequence
from itertools import islice, takewhile
from typing import Final

from tile38py._engine import QueuedEvent

NOTHING: Final[deque[QueuedEvent]] = deque()
# A deque of one takes eight times the memory of a list, which most hooks never outgrow.
LIST_COUNT_MAX: Final = 32


class Backlog:
    """In order: `items` in memory, then (cursor, disk_last] only in the file, then `tail`."""

    __slots__ = (
        "cursor",
        "disk_last",
        "disk_oldest_ns",
        "is_loading",
        "items",
        "size",
        "tail",
        "taken",
        "waiting",
        "written_last",
    )

    def __init__(self) -> None:
        self.items: list[QueuedEvent] | deque[QueuedEvent] = []
        self.tail = NOTHING  # replaced before anything is added
        self.waiting = self.size = 0  # events of all three parts, and bytes of their messages
        self.taken = 0  # of the items: handed out and not settled yet
        self.cursor = 0  # the last event that was an item; the file's part begins behind it
        self.disk_last = 0  # the last event of the part that only the file holds; 0 = no such part
        self.disk_oldest_ns = 0  # when the first of that part was queued, as far as known
        self.written_last = 0  # the last event that the file was told of
        self.is_loading = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not (self.items or self.disk_last or self.tail)

    @property
    def needs_load(self) -> bool:
        """Whether the next event is only in the file."""
        return bool(self.disk_last) and len(self.items) <= self.taken

    @property
    def oldest_ns(self) -> int:
        """The time when the oldest event was queued; 0 if none waits."""
        if self.items:
            return self.items[0].queued_ns
        if self.disk_last:
            return self.disk_oldest_ns
        return self.tail[0].queued_ns if self.tail else 0

    def holds(self, event: QueuedEvent) -> bool:
        """Whether an event that isn't in the file still waits."""
        first = self.items[0] if self.items else self.tail[0] if self.tail else None
        return first is not None and first.number <= event.number

    def count_through(self, number: int) -> int:
        """Count the items up to an event."""
        return sum(1 for _ in takewhile(lambda event: event.number <= number, self.items))

    def count_sequences(self, sequence: int) -> int:
        """Count the items up to a number in the hook's own numbering."""
        return sum(1 for _ in takewhile(lambda event: event.sequence <= sequence, self.items))

    def count_bytes(self, size: int) -> int:
        """Count the first items that have so many bytes together."""
        count = 0
        for event in self.items:
            if size <= 0:
                break
            size -= len(event.body)
            count += 1
        return count

    def count_expired(self, cutoff_ns: int, count_max: int) -> int:
        """Count the items that were queued before a time, at most so many."""
        expired = takewhile(lambda event: event.queued_ns < cutoff_ns, self.items)
        return sum(1 for _ in islice(expired, count_max))

    def add(self, event: QueuedEvent) -> None:
        """Add the newest event."""
        self.waiting += 1
        self.size += len(event.body)
        if not self.disk_last:
            self._extend((event,))
            self.cursor = event.number
        elif self.tail:
            self.tail.append(event)
        else:
            self.tail = deque((event,))

    def _extend(self, events: Sequence[QueuedEvent]) -> None:
        if isinstance(self.items, list) and len(self.items) + len(events) > LIST_COUNT_MAX:
            self.items = deque(self.items)
        self.items.extend(events)

    def remove(self, count: int) -> Sequence[QueuedEvent]:
        """Remove the first items, at least one; return them."""
        items = self.items
        if isinstance(items, deque):
            gone = [items.popleft() for _ in range(count)]
        else:
            gone = items[:count]
            del items[:count]
        self.waiting -= count
        self.size -= sum(len(event.body) for event in gone)
        return gone

    def evict(self) -> int:
        """Drop from memory the events that are in the file and not taken; return their bytes."""
        if self.disk_last:
            return self._evict_tail()
        kept = list(self.items)
        unwritten = [event for event in kept if event.number > self.written_last]
        gone = kept[self.taken : len(kept) - len(unwritten)]
        if not gone or self.taken > len(kept) - len(unwritten):
            return 0
        self.items = []
        self._extend(kept[: self.taken])
        self.tail = deque(unwritten) if unwritten else NOTHING
        self.cursor = gone[0].number - 1
        self.disk_last = gone[-1].number
        self.disk_oldest_ns = gone[0].queued_ns
        return sum(len(event.body) for event in gone)

    def _evict_tail(self) -> int:
        size = 0
        while self.tail and self.tail[0].number <= self.written_last:
            event = self.tail.popleft()
            self.disk_last = event.number
            size += len(event.body)
        return size

    def skip(self, number: int, size: int) -> None:
        """Skip the file's first event, which was dropped."""
        self.waiting -= 1
        self.size -= size
        self.cursor = number
        if number == self.disk_last:
            self.loaded([], number, is_all=True)

    def loaded(self, events: list[QueuedEvent], last: int, *, is_all: bool) -> None:
        """Add events read from the file up to number `last`; is_all: it has no more before that."""
        self._extend(events)
        if not is_all:
            self.cursor, self.disk_oldest_ns = events[-1].number, events[-1].queued_ns
            return
        self.cursor = last
        if self.disk_last <= last:
            self.disk_last = 0
            tail, self.tail = self.tail, NOTHING
            # What the file had is what was read, whatever was thought before.
            self.waiting = len(self.items)
            self.size = sum(len(event.body) for event in self.items)
            for event in tail:
                self.add(event)
