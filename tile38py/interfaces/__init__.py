"""Interfaces between the parts of the server, as protocols. No implementation lives here."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

from tile38py.interfaces.connection import Client as Client
from tile38py.interfaces.connection import Listener as Listener
from tile38py.interfaces.connection import Role as Role
from tile38py.interfaces.connection import Wire as Wire

# Of a fence: "hook", "channel" or "live"; the name of the hook or channel, or the live fence's
# number; the message.
FenceEvent: TypeAlias = tuple[str, bytes | int, bytes]
# Of a hook or channel: what became of it, its name, how many events of the batch came before.
HookChange: TypeAlias = tuple[str, bytes, int]


class Clock(Protocol):
    """The clocks of the machine."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970."""

    def monotonic_ns(self) -> int:
        """Nanoseconds on a clock that never jumps."""

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""


class Waiter(Protocol):
    """A holder of replies that wait until the log is written."""

    def release(self, replies: bytes, is_last: bool) -> None:
        """Send the replies: the log is written. Nothing is sent after the last ones."""

    def refuse(self, replies: bytes, reason: str) -> None:
        """Don't send the replies: the log could not be written."""


class Journal(Protocol):
    """The append-only log, for parts that append to it."""

    is_enabled: bool
    is_dirty: bool  # bytes are pending: replies have to wait until they are written
    error: str | None  # why the log cannot be written; None if it can

    @property
    def size(self) -> int:
        """Bytes of the log, pending ones included."""

    def append(self, data: bytes) -> None:
        """Append complete commands. They are written soon."""

    def wait(
        self, waiter: Waiter, replies: bytes = b"", *, wrote: bool = False, is_last: bool = False
    ) -> None:
        """Hold replies until everything appended so far is written. Only while is_dirty.

        If the write fails, replies with wrote are refused. Without wrote, their commands changed
        nothing, and they are released in any case.
        """

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range as hexadecimal text, None if it isn't all there. Any thread."""


class LogSource(Protocol):
    """The append-only log, for parts that read it as it grows."""

    is_dirty: bool

    @property
    def size(self) -> int:
        """Bytes of the log, pending ones included."""

    @property
    def size_written(self) -> int:
        """Bytes in the file."""

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes of the file from a position on. Any thread. Raises OSError."""

    def wait(
        self, waiter: Waiter, replies: bytes = b"", *, wrote: bool = False, is_last: bool = False
    ) -> None:
        """Call the waiter when everything appended so far is written. Only while is_dirty."""

    def on_written(self, listener: Callable[[int, bytes], None]) -> None:
        """Call a function after each write, with the position and the data."""


@dataclass(frozen=True, slots=True)
class StreamProgress:
    """The progress of a follower, as its leader knows it."""

    offset: int  # replication offset: bytes of the log that were sent
    lag_seconds: int  # since everything written had been sent
    dropped_count: int  # messages that were dropped because it lagged


class LogStreams(Protocol):
    """The log streams to followers."""

    dropped_count: int  # messages to lagging followers that were dropped

    @property
    def count(self) -> int:
        """The number of followers."""

    def attach(self, client: Client, position: int) -> None:
        """Stream the log to a connection, from a position on."""

    def lag_seconds_max(self) -> int:
        """The largest lag of a follower; 0 without followers."""

    def progress(self, client: Client) -> StreamProgress | None:
        """The progress of a follower; None if the client isn't one."""


class HookEvents(Protocol):
    """Whoever delivers the messages of hooks."""

    def enqueue(self, events: Sequence[tuple[str, bytes]]) -> None:
        """Take messages, each with the name of its hook."""

    def hooks_changed(self, names: Sequence[str]) -> None:
        """These hooks were made, replaced or deleted."""


@dataclass(slots=True)
class HookCounters:
    """What became of messages: of a hook since it was made, or of all since the server's start."""

    sent: int = 0
    failed: int = 0  # tries in which no endpoint took the message
    retried: int = 0  # tries beyond a message's first
    expired: int = 0  # dropped after hook-queue-ttl
    dropped: int = 0  # dropped because of hook-queue-max-size
    last_error: str = ""
    last_error_ns: int = 0  # since 1970; 0 = there was none


@dataclass(frozen=True, slots=True)
class HookReport:
    """The counters of a hook together with what waits now."""

    counters: HookCounters
    waiting: int
    oldest_ns: int  # when the oldest waiting message was queued; 0 if none waits


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
    def connection_count(self) -> int:
        """Connections to brokers that are open."""

    @property
    def total(self) -> HookCounters:
        """The sums over all hooks, those that are gone included."""

    def report(self, hook: str) -> HookReport:
        """What became of a hook's messages."""


class Broadcaster(Protocol):
    """Whoever hands messages to live connections."""

    cut_count: int  # connections that were cut because they took no messages
    sent_count: int  # messages, each as often as somebody gets it

    def attach(self, client: Client, role: Role) -> Listener:
        """Make a connection live."""

    def watch(self, client: Client, fence: int) -> None:
        """Make a connection live that made a fence of this number."""

    def hand_on(self, events: Sequence[FenceEvent], changes: Sequence[HookChange] = ()) -> None:
        """Send what fences found, as soon as the log has the writes that caused it."""

    def publish(self, channel: bytes, text: bytes) -> int:
        """Send a message to all who listen to the channel; how many times it will arrive."""

    def show(self, address: str, commands: Sequence[bytes], now_ns: int) -> None:
        """Send commands that ran to all monitors."""


class SettingsFile(Protocol):
    """The configuration file."""

    def read(self) -> bytes:
        """The bytes of the file; none if it doesn't exist."""

    def write(self, data: bytes) -> None:
        """Replace the content atomically and sync it. Raises OSError."""


class Process(Protocol):
    """The process of the server."""

    pid: int
    cpus: int  # of the machine

    def threads(self) -> int:
        """The number of threads."""

    def resident_bytes(self) -> int:
        """The resident set size."""

    def cpu_seconds(self) -> tuple[float, float, float, float]:
        """CPU time: system, user, system of ended children, user of ended children."""


class Memory(Protocol):
    """The memory of the process."""

    def used(self) -> int:
        """Bytes of heap in use."""

    def released(self) -> int:
        """Bytes that were returned to the system."""

    def check(self) -> None:
        """Compare the heap with maxmemory now."""

    def collect(self) -> None:
        """Collect garbage."""


class Stopper(Protocol):
    """Stops the server."""

    def __call__(self, code: int, reason: str) -> None:
        """Log the reason and exit with the code."""


class HookRecord(Protocol):
    """A hook as delivery needs it."""

    @property
    def endpoints(self) -> Sequence[str]:
        """URLs in the order in which they are tried."""


class Message(NamedTuple):
    """One event on its way to a hook's endpoint."""

    number: int  # over all hooks, in the order of their writes
    queued_ns: int  # since 1970
    hook: str
    body: bytes


@dataclass(slots=True, eq=False)
class Batch:
    """Messages of any hooks for one endpoint, in order, and what became of each.

    An endpoint marks what was delivered and what was refused for a reason of its own. What it
    leaves unmarked was not tried, unless it raises: then the endpoint is down for all of those.
    """

    messages: Sequence[Message]
    delivered: set[int] = field(default_factory=set)  # indexes into messages
    refused: dict[int, str] = field(default_factory=dict)  # index -> the endpoint's reason

    def groups(self) -> list[list[int]]:
        """The indexes that still need sending, one list for each hook, each in order."""
        found: dict[str, list[int]] = {}
        for index, message in enumerate(self.messages):
            if index not in self.delivered:
                found.setdefault(message.hook, []).append(index)
        return list(found.values())

    def waiting(self) -> list[int]:
        """The indexes that still need sending, in order."""
        return [index for index in range(len(self.messages)) if index not in self.delivered]


class Couriers(Protocol):
    """The endpoints as delivery sees them: all of them behind their URLs."""

    def resting_until_ns(self, url: str) -> int:
        """The monotonic time before which a try would be in vain; 0 if it may be tried now."""

    def linger_seconds(self, url: str) -> float:
        """How far apart small batches should begin, so that they become larger."""

    def send(self, url: str, batch: Batch) -> Coroutine[object, object, str | None]:
        """Try what isn't delivered of the batch; the reason if the endpoint is down."""

    def shown(self, url: str) -> str:
        """The URL as it may be logged, without secrets."""


class Tell(Protocol):
    """Writes to the server's log, at one level."""

    def __call__(self, text: str, /, *values: object) -> None:
        """Log a text with its values filled in as `%` does."""


class Publisher(Protocol):
    """Subscribers of channels."""

    def __call__(self, channel: bytes, message: bytes) -> int:
        """Send to all who listen; how many they are."""
