"""Interfaces of delivery: events in, batches for endpoints, counters for operators."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tile38py._engine import ChannelEvent, Events, HookChange, HookEvent, HookProgress, QueuedEvent
from tile38py.interfaces.history import HistoryBounds, HistorySpan


class NumberedEvents(Protocol):
    """Numbered events of hooks and channels, as a follower sees them."""

    def replace(self, events: Events | None) -> None:
        """Drop all numbered events and take these, which an adopted log has."""

    def follow_changed(self) -> None:
        """Hold numbered events from now on, as a follower does, or deliver them again."""


class HookDelivery(Protocol):
    """Delivery of hooks' events to their endpoints."""

    def take(self, events: Sequence[HookEvent | HookChange | HookProgress]) -> None:
        """Queue events. A change among them holds for what comes behind it."""

    def keep(self, events: Sequence[ChannelEvent]) -> None:
        """Keep the numbered events of channels that have a history."""


@dataclass(slots=True)
class HookCounters:
    """What became of messages: of a hook since it was made, or of all since the server's start."""

    sent: int = 0
    failed: int = 0  # tries in which no endpoint took the message
    retried: int = 0  # tries beyond a message's first
    expired: int = 0  # dropped after hook-queue-ttl
    dropped: int = 0  # dropped because of hook-queue-max-size or QUEUE
    last_error: str = ""
    last_error_ns: int = 0  # since 1970; 0 = there was none
    dead: int = 0  # of the expired and dropped ones: sent to the URL of DEADLETTER


@dataclass(frozen=True, slots=True)
class DeadLetterReport:
    """The dead letters of a hook."""

    url: str
    count: int  # that were sent to it, or wait for it
    waiting: int
    last_error: str


@dataclass(frozen=True, slots=True)
class HookReport:
    """The counters of a hook together with what waits now."""

    counters: HookCounters
    waiting: int
    oldest_ns: int  # when the oldest waiting message was queued; 0 if none waits
    dead_letter: "DeadLetterReport | None" = None  # None for a hook without DEADLETTER
    history: HistorySpan | None = None  # None for a hook without HISTORY
    sequence: int | None = None  # the number of the last event; None: events have no numbers
    sequence_delivered: int = 0  # the number of the last delivered event
    endpoint_error: str = ""  # why nothing can be sent to one of its URLs; empty if it can
    retry_seconds: float = 0.0  # until its endpoints are tried again; 0 = they don't fail


class Outbox(Protocol):
    """What waits for hooks' endpoints and what became of the rest, as operators see it."""

    @property
    def waiting_count(self) -> int:
        """Messages that wait, over all hooks."""

    @property
    def waiting_bytes(self) -> int:
        """What they occupy."""

    @property
    def memory_bytes(self) -> int:
        """What of them is in memory, not only in the file."""

    @property
    def oldest_ns(self) -> int:
        """When the oldest waiting message was queued; 0 if none waits."""

    @property
    def connection_count(self) -> int:
        """Connections to brokers that are open."""

    @property
    def total(self) -> HookCounters:
        """The sums over all hooks, those that are gone included."""

    def report(self, hook: str) -> HookReport:
        """What became of a hook's messages."""

    def replay(
        self, hook: str, position: int, settle: Callable[[OSError | None], object]
    ) -> Awaitable[object]:
        """Send a hook's events from a number of its history on once more.

        The result is that of a function that is called once no kill ends the replay.
        """


@dataclass(frozen=True, slots=True)
class SendingRule:
    """How a hook's events are sent, where it isn't the rule for all hooks."""

    retry_seconds_min: float = 0.0  # before a failed attempt is repeated; it doubles each time
    retry_seconds_max: float = 0.0  # 0 = as for all hooks
    timeout_seconds: float = 0.0  # of an attempt; 0 = as for all hooks
    has_batches: bool = False  # a request has several events
    batch_count: int = 1  # events in a request, at most
    batch_seconds: float = 0.0  # to wait for a fuller batch
    is_lines: bool = False  # a batch is lines of JSON, not an array


@dataclass(frozen=True, slots=True)
class HookOptions:
    """Options of a hook about its events and their delivery."""

    keys: tuple[bytes, ...] = ()  # each signs the requests
    headers: tuple[tuple[str, str], ...] = ()  # of HTTP
    is_cloud_event: bool = False  # the events are envelopes of CloudEvents
    is_numbered: bool = False
    rule: SendingRule | None = None
    ttl_ns: int | None = None  # of waiting events; 0 = until delivered, None = as for all hooks
    queue_bytes: int = 0  # of waiting events; 0 = no bound of its own
    dead_letter: str = ""  # the URL for events that expire or are dropped


class HookRecord(Protocol):
    """A hook as delivery needs it."""

    @property
    def endpoints(self) -> Sequence[str]:
        """URLs in the order in which they are tried."""

    @property
    def options(self) -> HookOptions | None:
        """Options about the form of its events; None if it has none."""

    @property
    def is_paused(self) -> bool:
        """Whether its events wait until RESUMEHOOK."""


class HookDirectory(Protocol):
    """The hooks there are."""

    def find(self, hook: str) -> HookRecord | None:
        """The hook of a name; None if there is none."""

    def names(self) -> Sequence[str]:
        """The names of all hooks."""

    def closing(self) -> Sequence[str]:
        """The names of deleted hooks whose last messages may still be sent; find() finds them."""

    def close(self, hook: str) -> None:
        """Forget a deleted hook: it has no message to send."""

    def history(self, name: str) -> HistoryBounds | None:
        """The bounds of a hook's or channel's history; None if it has none."""

    def sequence(self, name: str) -> tuple[int, int] | None:
        """The number of the last event of a hook or channel, and the time of its first one.

        None if its events have no numbers.
        """


@dataclass(slots=True, eq=False)
class Batch:
    """Events of any hooks for one endpoint, in order, and the outcome of each.

    An endpoint marks delivered events, and refused ones with the reason. An unmarked event was not
    tried; if the endpoint raises, it is down for all unmarked ones.
    """

    events: Sequence[QueuedEvent]
    delivered: set[int] = field(default_factory=set)  # indexes into events
    refused: dict[int, str] = field(default_factory=dict)  # index -> the endpoint's reason
    lifetime_seconds: float = 0.0  # of events, from when they are queued; 0 = until delivered
    options: Mapping[str, HookOptions] = field(default_factory=dict)  # of the hooks that have any
    now_ns: int = 0  # when the batch was made, since 1970
    timeout_seconds: float = 0.0  # of an attempt; 0 = the endpoint's

    def is_cloud_event(self, index: int) -> bool:
        """Whether an event is an envelope of CloudEvents, so that its content type tells that."""
        options = self.options.get(self.events[index].hook)
        return options is not None and options.is_cloud_event

    def groups(self) -> list[list[int]]:
        """The indexes that still need sending, one list for each hook, each in order."""
        found: dict[str, list[int]] = {}
        for index, event in enumerate(self.events):
            if index not in self.delivered:
                found.setdefault(event.hook, []).append(index)
        return list(found.values())

    def waiting(self) -> list[int]:
        """The indexes that still need sending, in order."""
        return [index for index in range(len(self.events)) if index not in self.delivered]


class Couriers(Protocol):
    """The endpoints, by URL."""

    @property
    def open_count(self) -> int:
        """Connections to brokers that are open."""

    def backoff_until_ns(self, url: str) -> int:
        """Return the monotonic time of a URL's next attempt; 0 if it may be tried now."""

    def linger_seconds(self, url: str) -> float:
        """Return the minimum of seconds between two small batches, so that they grow."""

    def send(self, url: str, batch: Batch) -> Coroutine[object, object, str | None]:
        """Send the undelivered events of a batch; return the reason if the endpoint is down."""

    def shown(self, url: str) -> str:
        """The URL as it may be logged, without secrets."""

    def problem(self, url: str) -> str:
        """Why nothing can ever be sent to a URL; empty if it can. Any thread."""

    def run(self) -> Coroutine[object, object, None]:
        """Close unused connections until cancelled, then all."""


class Publisher(Protocol):
    """Subscribers of channels."""

    def __call__(self, channel: bytes, message: bytes) -> int:
        """Send a message to a channel's subscribers; return their number."""
