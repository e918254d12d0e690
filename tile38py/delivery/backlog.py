"""The waiting events of one hook: what is in memory, and what only the file holds."""

from collections import deque

from tile38py.interfaces import Message


class Backlog:
    """In order: `head` in memory, then (cursor, disk_last] in the file alone, then `tail`."""

    __slots__ = (
        "count",
        "cursor",
        "disk_last",
        "disk_oldest_ns",
        "head",
        "is_loading",
        "tail",
        "taken",
        "written_last",
    )

    def __init__(self) -> None:
        self.head: deque[Message] = deque()
        self.tail: deque[Message] = deque()
        self.count = 0  # of all three parts
        self.taken = 0  # of the head: handed out and not settled yet
        self.cursor = 0  # the last event that was in the head; the file's part begins behind it
        self.disk_last = 0  # the last event of the part that only the file holds; 0 = no such part
        self.disk_oldest_ns = 0  # when the first of that part was queued, as far as known
        self.written_last = 0  # the last event that the file was told of
        self.is_loading = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not (self.head or self.disk_last or self.tail)

    @property
    def needs_load(self) -> bool:
        """Whether the next event is only in the file."""
        return bool(self.disk_last) and len(self.head) <= self.taken

    @property
    def oldest_ns(self) -> int:
        """When the oldest event was queued; 0 if nothing waits."""
        if self.head:
            return self.head[0].queued_ns
        if self.disk_last:
            return self.disk_oldest_ns
        return self.tail[0].queued_ns if self.tail else 0

    def append(self, message: Message) -> None:
        """Add the newest event."""
        self.count += 1
        if self.disk_last:
            self.tail.append(message)
        else:
            self.head.append(message)
            self.cursor = message.number

    def evict(self) -> int:
        """Forget what the file holds as well and nobody has taken; the bytes of it."""
        if self.disk_last:
            return self._evict_tail()
        kept = list(self.head)
        unwritten = [message for message in kept if message.number > self.written_last]
        gone = kept[self.taken : len(kept) - len(unwritten)]
        if not gone or self.taken > len(kept) - len(unwritten):
            return 0
        self.head = deque(kept[: self.taken])
        self.tail = deque(unwritten)
        self.cursor = gone[0].number - 1
        self.disk_last = gone[-1].number
        self.disk_oldest_ns = gone[0].queued_ns
        return sum(len(message.body) for message in gone)

    def _evict_tail(self) -> int:
        size = 0
        while self.tail and self.tail[0].number <= self.written_last:
            message = self.tail.popleft()
            self.disk_last = message.number
            size += len(message.body)
        return size

    def skip(self, number: int) -> None:
        """The file's first event is gone."""
        self.count -= 1
        self.cursor = number
        if number == self.disk_last:
            self.loaded([], number, is_all=True)

    def loaded(self, messages: list[Message], last: int, *, is_all: bool) -> None:
        """Add what was read of the file's part up to the event `last`; is_all: it had no more."""
        self.head.extend(messages)
        if not is_all:
            self.cursor = messages[-1].number
            self.disk_oldest_ns = messages[-1].queued_ns
            return
        self.cursor = last
        if self.disk_last <= last:
            self.disk_last = 0
            tail, self.tail = self.tail, deque()
            # What the file had is what was read, whatever was thought before.
            self.count = len(self.head)
            for message in tail:
                self.append(message)
