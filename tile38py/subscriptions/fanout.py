"""The queue of what is to be sent to live connections, handed out in slices between the turns of
the event loop. Messages that go the same way one after the other are sent as one.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tile38py.limits import (
    FANOUT_BYTES_MAX,
    FANOUT_COUNT_MAX,
    FANOUT_STEP_BYTES,
    PARCEL_BYTES_MAX,
)
from tile38py.protocol.push import Form
from tile38py.subscriptions.listener import Subscription


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """Listeners that get the same bytes."""

    form: Form
    pattern: bytes | None  # what brings them the message, if it isn't the channel's own name
    listeners: tuple[Subscription, ...]

    def frame(self, channel: bytes, text: bytes) -> bytes:
        """Frame a message for these listeners."""
        if self.pattern is None:
            return self.form.message(channel, text)
        return self.form.matched(self.pattern, channel, text)


@dataclass(frozen=True, slots=True, eq=False)
class FenceLeg(Leg):
    """The connection of a live fence."""

    def frame(self, channel: bytes, text: bytes) -> bytes:
        """Frame a message for this connection."""
        del channel
        return self.form.event(text)


@dataclass(frozen=True, slots=True)
class Route:
    """The subscribers of a channel."""

    legs: tuple[Leg, ...]
    count: int
    is_simple: bool  # nobody is on two legs, so that messages may be joined

    @classmethod
    def of(cls, legs: list[Leg]) -> "Route":
        """Make a route of these legs."""
        forms = {leg.form for leg in legs}
        count = sum(len(leg.listeners) for leg in legs)
        return cls(tuple(legs), count, len(forms) == len(legs))


@dataclass(slots=True)
class Parcel:
    """Bytes in the queue, with the listeners that get them."""

    leg: Leg
    pieces: list[bytes]
    size: int
    is_last: bool = False
    served: int = 0  # listeners that have it
    data: bytes = b""  # the joined pieces, once the first has it

    def takes_more(self, leg: Leg) -> bool:
        """Whether a message for these listeners can be appended."""
        is_sealed = self.served or self.is_last or self.size > PARCEL_BYTES_MAX
        return self.leg is leg and not is_sealed

    def join(self, data: bytes) -> None:
        """Add a message."""
        self.pieces.append(data)
        self.size += len(data)


class Fanout:
    """The fan-out queue of a server."""

    __slots__ = ("_call_soon", "_is_scheduled", "_queue", "_waiting_bytes")

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._call_soon = call_soon
        self._queue: deque[Parcel] = deque()
        self._waiting_bytes = 0
        self._is_scheduled = False

    def post(self, route: Route, channel: bytes, text: bytes) -> None:
        """Queue a message for a route."""
        parcels = self._last(route)
        for index, leg in enumerate(route.legs):
            data = leg.frame(channel, text)
            if parcels:
                parcels[index].join(data)
                self._waiting_bytes += len(data)
            else:
                self.put(leg, data)
        self._bound()

    def put(self, leg: Leg, data: bytes, *, is_last: bool = False) -> None:
        """Queue bytes for the listeners of a leg."""
        self._queue.append(Parcel(leg, [data], len(data), is_last))
        self._waiting_bytes += len(data)
        if not self._is_scheduled:
            self._is_scheduled = True
            self._call_soon(self._turn)
        self._bound()

    def is_empty(self) -> bool:
        """Whether nothing is queued."""
        return not self._queue

    def send(self, subscription: Subscription, data: bytes, *, is_last: bool) -> None:
        """Queue bytes for one listener."""
        if self._queue:
            self.put(Leg(subscription.form, None, (subscription,)), data, is_last=is_last)
        else:
            subscription.serve(data, is_last=is_last)

    def _last(self, route: Route) -> list[Parcel]:
        """Return the last parcel if the same listeners get it and it has room."""
        count = len(route.legs)
        if not route.is_simple or len(self._queue) < count:
            return []
        parcels = [self._queue[index - count] for index in range(count)]
        fits = all(parcel.takes_more(leg) for parcel, leg in zip(parcels, route.legs, strict=True))
        return parcels if fits else []

    def _bound(self) -> None:
        while self._waiting_bytes > FANOUT_BYTES_MAX:
            # Whoever publishes faster than this can be handed out has to wait.
            self._hand_out()

    def _turn(self) -> None:
        self._hand_out()
        self._is_scheduled = bool(self._queue)
        if self._is_scheduled:
            self._call_soon(self._turn)

    def _hand_out(self) -> None:
        """Send parcels for one time slice."""
        left = FANOUT_COUNT_MAX
        while self._queue and left > 0:
            parcel = self._queue[0]
            if not parcel.served:
                parcel.data = b"".join(parcel.pieces)
            cost = 1 + len(parcel.data) // FANOUT_STEP_BYTES
            listeners = parcel.leg.listeners
            end = min(len(listeners), parcel.served + max(1, left // cost))
            for subscription in listeners[parcel.served : end]:
                subscription.serve(parcel.data, is_last=parcel.is_last)
            left -= cost * (end - parcel.served)
            parcel.served = end
            if end == len(listeners):
                self._queue.popleft()
                self._waiting_bytes -= parcel.size


def legs_of(subscriptions: Iterable[Subscription], pattern: bytes | None = None) -> list[Leg]:
    """Group listeners by the framing of their messages."""
    by_form: dict[Form, list[Subscription]] = {}
    for one in subscriptions:
        by_form.setdefault(one.form, []).append(one)
    return [Leg(form, pattern, tuple(listeners)) for form, listeners in by_form.items()]
