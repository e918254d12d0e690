"""The bounded send queue of one live connection. Knows no channels: see the package."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tile38py.interfaces import Client, Role
from tile38py.limits import JOINED_WRITE_BYTES_MAX
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
    bytes_max: Callable[[], int]  # of messages that wait for a connection; it is cut above this


class Subscription:
    """The Listener of a live connection."""

    __slots__ = (
        "_is_ending",
        "_is_paused",
        "_registry",
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
        self._waiting: deque[bytes] = deque()
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
        return not self._waiting and not self._is_paused and self._registry.is_idle()

    def send(self, replies: bytes, *, is_last: bool) -> None:
        """Send replies behind earlier messages; close the connection after the last one."""
        self._registry.send(self, replies, is_last)

    def pause(self) -> None:
        """The write buffer is above its high-water mark."""
        self._is_paused = True

    def resume(self) -> None:
        """The write buffer is below its low-water mark."""
        self._is_paused = False
        while self._waiting and not self._is_paused:
            self.client.write(self._next_piece())
        if not self.is_behind:
            for catch_up in self.catch_ups.values():
                catch_up.resume()

    @property
    def is_behind(self) -> bool:
        """Whether the connection doesn't take more at present."""
        return self._is_paused or bool(self._waiting)

    def close(self) -> None:
        """The connection is gone."""
        self._registry.forget(self)
        self._waiting.clear()
        self.waiting_bytes = 0

    def serve(self, data: bytes, *, is_last: bool) -> None:
        """Write bytes, or queue them behind others; close after the last."""
        if self.client.is_gone or self._is_ending:
            return
        if data:
            self._take(data)
        if is_last:
            self._end()

    def _take(self, data: bytes) -> None:
        if not self._is_paused:
            self.client.write(data)
        elif self.waiting_bytes + self.client.unsent > self._registry.bytes_max():
            self._registry.cut(self)
        else:
            # The listeners of a message share its bytes.
            self._waiting.append(data)
            self.waiting_bytes += len(data)

    def _end(self) -> None:
        self._is_ending = True
        while self._waiting:
            self.client.write(self._next_piece())
        if self.form.end:
            self.client.write(self.form.end)
        self.client.shut()

    def _next_piece(self) -> bytes:
        """Join waiting pieces to one write."""
        pieces: list[bytes] = []
        size = 0
        while self._waiting and size < JOINED_WRITE_BYTES_MAX:
            pieces.append(self._waiting.popleft())
            size += len(pieces[-1])
        self.waiting_bytes -= size
        return b"".join(pieces)
