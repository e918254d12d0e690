"""The bounded send queue of one live connection. Knows no channels: see the package."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tile38py._engine import LiveSnapshot
from tile38py.interfaces import Client, Role
from tile38py.limits import (
    JOINED_WRITE_BYTES_MAX,
    SNAPSHOT_SLICE_BYTES,
    SNAPSHOT_VISITS_COUNT_MAX,
)
from tile38py.protocol.push import form_of


class CatchingUp(Protocol):
    """A channel's past events on their way to a connection."""

    def end(self) -> None:
        """Send nothing more."""

    def resume(self) -> None:
        """Go on: the connection takes more."""


@dataclass(frozen=True, slots=True)
class SubscriptionRegistry:
    """The registry of subscriptions, as a listener sees it."""

    add: Callable[["Subscription", bytes, bool], None]
    add_from: Callable[["Subscription", bytes, int], Callable[[], None]]
    remove: Callable[["Subscription", bytes, bool], None]
    send: Callable[["Subscription", bytes, bool], None]
    forget: Callable[["Subscription"], None]
    cut: Callable[["Subscription"], None]
    is_idle: Callable[[], bool]  # no message is queued for anybody
    call_soon: Callable[[Callable[[], None]], object]
    bytes_max: Callable[[], int]  # of messages that wait for a connection; it is cut above this


class Subscription:
    """The Listener of a live connection."""

    __slots__ = (
        "_held",
        "_is_ending",
        "_is_paused",
        "_is_scheduled",
        "_registry",
        "_snapshot",
        "_waiting",
        "catch_ups",
        "channels",
        "client",
        "expected",
        "fences",
        "form",
        "patterns",
        "role",
        "waiting_bytes",
    )  # fmt: skip

    def __init__(self, registry: SubscriptionRegistry, client: Client, role: Role) -> None:
        self._registry = registry
        self._is_paused = False
        self._is_ending = False
        self._is_scheduled = False  # the next slice of the snapshot
        self._held: LiveSnapshot | None = None  # begins behind the reply that opens the fence
        self._snapshot: LiveSnapshot | None = None  # is being sent; all else waits
        self._waiting: deque[bytes | LiveSnapshot] = deque()
        self.waiting_bytes = 0
        self.client = client
        self.role = role
        self.form = form_of(client)
        # Dictionaries without values, as sets have no order.
        self.channels: dict[bytes, None] = {}
        self.patterns: dict[bytes, None] = {}
        self.fences: list[int] = []
        self.catch_ups: dict[bytes, CatchingUp] = {}  # by channel
        self.expected: dict[bytes, int] = {}  # channel -> the number behind the last past event

    def add(self, name: bytes, *, is_pattern: bool) -> int:
        """Subscribe to a channel or pattern; return the number of subscriptions."""
        self._registry.add(self, name, is_pattern)
        return len(self.channels) + len(self.patterns)

    def add_from(self, name: bytes, position: int) -> tuple[Callable[[], None], int]:
        """Subscribe to a channel from a number on.

        Return the function that begins to send, and the number of subscriptions.
        """
        begin = self._registry.add_from(self, name, position)
        return begin, len(self.channels) + len(self.patterns)

    def remove(self, name: bytes | None, *, is_pattern: bool) -> int:
        """Unsubscribe, None: from nothing; return the number of remaining subscriptions."""
        if name is not None:
            self._registry.remove(self, name, is_pattern)
        return len(self.channels) + len(self.patterns)

    def names(self, *, is_pattern: bool) -> list[bytes]:
        """The subscribed channels or patterns, in their order."""
        return list(self.patterns if is_pattern else self.channels)

    def receives(self, channel: bytes, pattern: bytes | None) -> bool:
        """Whether messages of a channel come by a pattern, or by the channel's name if None."""
        if pattern is None:
            return channel in self.channels and channel not in self.catch_ups
        return pattern in self.patterns

    def remove_all(self) -> None:
        """End all subscriptions, live fences and monitoring."""
        self._registry.forget(self)

    @property
    def is_exclusive(self) -> bool:
        """Whether all requests are answered as those of a live connection, as in RESP2."""
        return self.role is Role.MONITOR or not self.form.is_push

    @property
    def is_used(self) -> bool:
        """Whether anything is subscribed, watched or monitored."""
        return bool(self.channels or self.patterns or self.fences or self.role is Role.MONITOR)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is queued."""
        is_sending = self._waiting or self._held or self._snapshot or self._is_paused
        return not is_sending and self._registry.is_idle()

    def send(self, replies: bytes, *, is_last: bool) -> None:
        """Send replies behind earlier messages; close the connection after the last one."""
        self._registry.send(self, replies, is_last)

    def pause(self) -> None:
        """The write buffer is above its high-water mark."""
        self._is_paused = True

    def resume(self) -> None:
        """The write buffer is below its low-water mark."""
        self._is_paused = False
        self._go_on()

    @property
    def is_behind(self) -> bool:
        """Whether the connection doesn't take more at present."""
        return self._is_paused or self._snapshot is not None or bool(self._waiting)

    def _begin_held(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self.begin(held)

    def hold(self, snapshot: LiveSnapshot) -> None:
        """Send a snapshot behind the next reply, which opens the fence, and before messages."""
        self._held = snapshot

    def begin(self, snapshot: LiveSnapshot) -> None:
        """Send a snapshot behind what waits, and all later messages behind it."""
        if self.client.is_gone or self._is_ending:
            return
        self._waiting.append(snapshot)
        self._go_on()

    def close(self) -> None:
        """The connection is gone."""
        self._registry.forget(self)
        self._drop_snapshots()
        self._waiting.clear()
        self.waiting_bytes = 0

    def serve(self, data: bytes) -> None:
        """Write a message, or queue it behind others. One that is held begins before it."""
        if not self.client.is_gone and not self._is_ending:
            self._begin_held()
            self._take(data)

    def serve_reply(self, data: bytes, *, is_last: bool) -> None:
        """Write a reply, or queue it behind messages; close after the last."""
        if self.client.is_gone or self._is_ending:
            return
        if data:
            self._take(data)
            self._begin_held()
        if is_last:
            self._end()

    def _take(self, data: bytes) -> None:
        if not self._is_paused and self._snapshot is None and not self._waiting:
            self.client.write(data)
        elif self.waiting_bytes + self.client.unsent > self._registry.bytes_max():
            self._registry.cut(self)
        else:
            # The listeners of a message share its bytes.
            self._waiting.append(data)
            self.waiting_bytes += len(data)

    def _end(self) -> None:
        self._is_ending = True
        self._drop_snapshots()
        while self._waiting:
            self.client.write(self._next_piece())
        if self.form.end:
            self.client.write(self.form.end)
        self.client.shut()

    def _go_on(self) -> None:
        """Write what waits, as far as the client takes it: one slice of a snapshot at a time."""
        while not self._is_paused:
            if self._snapshot is not None:
                self._schedule_slice()
                return
            if not self._waiting:
                for catch_up in list(self.catch_ups.values()):
                    catch_up.resume()
                return
            first = self._waiting[0]
            if isinstance(first, LiveSnapshot):
                self._waiting.popleft()
                self._snapshot = first
            else:
                self.client.write(self._next_piece())

    def _schedule_slice(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._registry.call_soon(self._send_slice)

    def _send_slice(self) -> None:
        self._is_scheduled = False
        if self._snapshot is None or self._is_paused:
            return
        messages = self._snapshot.read(SNAPSHOT_VISITS_COUNT_MAX, SNAPSHOT_SLICE_BYTES)
        if messages is None:
            self._snapshot = None
        elif messages:
            self.client.write(b"".join(map(self.form.event, messages)))
        self._go_on()

    def _drop_snapshots(self) -> None:
        """End unfinished snapshots. What waits behind them stays."""
        self._held = self._snapshot = None
        pieces = [piece for piece in self._waiting if isinstance(piece, bytes)]
        self._waiting = deque(pieces)

    def _next_piece(self) -> bytes:
        """Join waiting pieces up to the next snapshot to one write."""
        pieces: list[bytes] = []
        size = 0
        while self._waiting and size < JOINED_WRITE_BYTES_MAX:
            piece = self._waiting[0]
            if isinstance(piece, LiveSnapshot):
                break
            self._waiting.popleft()
            pieces.append(piece)
            size += len(piece)
        self.waiting_bytes -= size
        return b"".join(pieces)
