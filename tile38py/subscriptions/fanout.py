"""The fan-out queue of messages to live connections, which sends one time slice at a time.

Consecutive messages to the same connections are joined to one write.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from tile38py._engine import LiveSnapshot
from tile38py.limits import (
    FANOUT_BYTES_MAX,
    FANOUT_COUNT_MAX,
    FANOUT_STEP_BYTES,
    JOINED_WRITE_BYTES_MAX,
)
from tile38py.protocol.push import Form
from tile38py.subscriptions.listener import Subscription


@dataclass(frozen=True, slots=True, eq=False)
class ListenerGroup:
    """Listeners that get the same bytes."""

    form: Form
    pattern: bytes | None  # the pattern that they subscribed to; None if it is the channel
    listeners: tuple[Subscription, ...]

    def frame(self, channel: bytes, text: bytes, number: int = 0) -> bytes:
        """Frame a message for these listeners; the number is that of an event, if it has one."""
        if self.pattern is None:
            return self.form.message(channel, text, number)
        return self.form.matched(self.pattern, channel, text)

    def only(self, receives: Callable[[Subscription], bool]) -> "ListenerGroup":
        """Return the group of the listeners that still receive; itself if all do."""
        left = tuple(filter(receives, self.listeners))
        return self if left == self.listeners else replace(self, listeners=left)

    def only_subscribers(self, channel: bytes) -> "ListenerGroup":
        """Return the group of the listeners that are still subscribed."""
        return self.only(lambda listener: listener.receives(channel, self.pattern))


@dataclass(frozen=True, slots=True, eq=False)
class FenceGroup(ListenerGroup):
    """The connection of a live fence."""

    def frame(self, channel: bytes, text: bytes, number: int = 0) -> bytes:
        """Frame a message for this connection."""
        del channel, number
        return self.form.event(text)


@dataclass(frozen=True, slots=True)
class Route:
    """The subscribers of a channel."""

    groups: tuple[ListenerGroup, ...]
    count: int
    is_simple: bool  # no connection is in two groups, so that messages may be joined

    def includes(self, subscription: Subscription) -> bool:
        """Whether a connection gets the channel's messages by its name."""
        return any(
            group.pattern is None and subscription in group.listeners for group in self.groups
        )

    @classmethod
    def of(cls, groups: list[ListenerGroup]) -> "Route":
        """Make a route of these groups."""
        forms = {group.form for group in groups}
        count = sum(len(group.listeners) for group in groups)
        return cls(tuple(groups), count, len(forms) == len(groups))


@dataclass(slots=True)
class QueuedWrite:
    """Queued bytes, with the listeners that get them."""

    group: ListenerGroup
    pieces: list[bytes]
    size: int
    is_last: bool = False
    served: int = 0  # listeners that have it
    data: bytes = b""  # the joined pieces, once the first has it
    snapshot: LiveSnapshot | None = None  # in place of bytes
    is_reply: bool = False

    def takes_more(self, group: ListenerGroup) -> bool:
        """Whether a message for these listeners can be appended."""
        is_sealed = self.served or self.is_reply or self.snapshot is not None
        is_sealed = is_sealed or self.size > JOINED_WRITE_BYTES_MAX
        return self.group is group and not is_sealed

    def join(self, data: bytes) -> None:
        """Add a message."""
        self.pieces.append(data)
        self.size += len(data)


class Fanout:
    """The fan-out queue of a server."""

    __slots__ = ("_call_soon", "_is_scheduled", "_queue", "_waiting_bytes", "sent")

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._call_soon = call_soon
        self._queue: deque[QueuedWrite] = deque()
        self._waiting_bytes = 0
        self._is_scheduled = False
        self.sent = 0  # queued writes that were sent

    def post(self, route: Route, channel: bytes, text: bytes, number: int = 0) -> None:
        """Queue a message for a route."""
        writes = self._last(route)
        for index, group in enumerate(route.groups):
            data = group.frame(channel, text, number)
            if writes:
                writes[index].join(data)
                self._waiting_bytes += len(data)
            else:
                self.put(group, data)
        self._bound()

    def put(self, group: ListenerGroup, data: bytes) -> None:
        """Queue bytes for the listeners of a group."""
        self._enqueue(QueuedWrite(group, [data], len(data)))
        self._bound()

    def put_snapshot(self, group: ListenerGroup, snapshot: LiveSnapshot) -> None:
        """Queue the snapshot of the only listener of a group."""
        self._enqueue(QueuedWrite(group, [], 0, snapshot=snapshot))

    def _enqueue(self, write: QueuedWrite) -> None:
        self._queue.append(write)
        self._waiting_bytes += write.size
        if not self._is_scheduled:
            self._is_scheduled = True
            self._call_soon(self._run_slice)

    def is_empty(self) -> bool:
        """Whether nothing is queued."""
        return not self._queue

    def is_queue_sent(self) -> Callable[[], bool]:
        """Return a check: whether everything that is queued now was sent."""
        last = self.sent + len(self._queue)
        return lambda: self.sent >= last

    def send(self, subscription: Subscription, data: bytes, *, is_last: bool) -> None:
        """Send a reply to one listener, behind what is queued."""
        if self._queue:
            group = ListenerGroup(subscription.form, None, (subscription,))
            self._enqueue(QueuedWrite(group, [data], len(data), is_last, is_reply=True))
            self._bound()
        else:
            subscription.serve_reply(data, is_last=is_last)

    def _last(self, route: Route) -> list[QueuedWrite]:
        """Return the last write if the same listeners get it and it has room."""
        count = len(route.groups)
        if not route.is_simple or len(self._queue) < count:
            return []
        writes = [self._queue[index - count] for index in range(count)]
        fits = all(
            write.takes_more(group) for write, group in zip(writes, route.groups, strict=True)
        )
        return writes if fits else []

    def _bound(self) -> None:
        while self._waiting_bytes > FANOUT_BYTES_MAX:
            # Back-pressure: a publisher that fills the queue has to empty it.
            self._hand_out()

    def _run_slice(self) -> None:
        self._hand_out()
        self._is_scheduled = bool(self._queue)
        if self._is_scheduled:
            self._call_soon(self._run_slice)

    def _hand_out(self) -> None:
        """Send writes for one time slice."""
        left = FANOUT_COUNT_MAX
        while self._queue and left > 0:
            write = self._queue[0]
            if not write.served:
                write.data = b"".join(write.pieces)
            cost = 1 + len(write.data) // FANOUT_STEP_BYTES
            listeners = write.group.listeners
            end = min(len(listeners), write.served + max(1, left // cost))
            for subscription in listeners[write.served : end]:
                if write.snapshot is not None:
                    subscription.begin(write.snapshot)
                elif write.is_reply:
                    subscription.serve_reply(write.data, is_last=write.is_last)
                else:
                    subscription.serve(write.data)
            left -= cost * (end - write.served)
            write.served = end
            if end == len(listeners):
                self._queue.popleft()
                self.sent += 1
                self._waiting_bytes -= write.size


def groups_of(
    subscriptions: Iterable[Subscription], pattern: bytes | None = None
) -> list[ListenerGroup]:
    """Group listeners by the framing of their messages."""
    by_form: dict[Form, list[Subscription]] = {}
    for one in subscriptions:
        by_form.setdefault(one.form, []).append(one)
    return [ListenerGroup(form, pattern, tuple(listeners)) for form, listeners in by_form.items()]
