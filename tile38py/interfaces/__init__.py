"""The edges between parts: what one may ask of another. No implementation lives here."""

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
    """Time."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970."""

    def monotonic_ns(self) -> int:
        """Nanoseconds on a clock that never jumps."""

    def sleep(self, seconds: float) -> None:
        """Hold up the calling thread."""


class Waiter(Protocol):
    """Somebody whose replies wait until the log is written."""

    def release(self, replies: bytes, is_last: bool) -> None:
        """The log is written: the replies may leave, and nothing after the last."""

    def refuse(self, replies: bytes, reason: str) -> None:
        """The log could not be written: the replies must not leave."""


class Journal(Protocol):
    """The append-only log as those see it who add to it."""

    is_enabled: bool
    is_dirty: bool  # something waits to be written: replies must queue behind it
    error: str | None  # why the log can't be written at present

    @property
    def size(self) -> int:
        """Bytes of the log, with those that wait to be written."""

    def append(self, data: bytes) -> None:
        """Add complete commands, to be written soon."""

    def wait(
        self, waiter: Waiter, replies: bytes = b"", *, wrote: bool = False, is_last: bool = False
    ) -> None:
        """Hold replies until all that was appended so far is written. Only while is_dirty.

        Without wrote, their commands changed nothing, so they are released in any case.
        """

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range as hexadecimal text, None if it isn't all there. Any thread."""


class LogSource(Protocol):
    """The append-only log as those see it who read it as it grows."""

    is_dirty: bool

    @property
    def size(self) -> int:
        """Bytes of the log, with those that wait to be written."""

    @property
    def size_written(self) -> int:
        """Bytes that are in the file."""

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes of the file from a position on. Any thread. Raises OSError."""

    def wait(
        self, waiter: Waiter, replies: bytes = b"", *, wrote: bool = False, is_last: bool = False
    ) -> None:
        """Tell when all that was appended so far is written. Only while is_dirty."""

    def on_written(self, listener: Callable[[int, bytes], None]) -> None:
        """Tell, after each write, at which position what was written."""


@dataclass(frozen=True, slots=True)
class StreamProgress:
    """How far a follower is, as its leader sees it."""

    offset: int  # bytes of the log that left for it
    lag_seconds: int  # since all that was written had left for it
    dropped_count: int  # messages that it didn't get because it lagged


class LogStreams(Protocol):
    """The followers that read the log as it grows."""

    dropped_count: int  # messages that lagging followers didn't get

    @property
    def count(self) -> int:
        """How many they are."""

    def attach(self, client: Client, position: int) -> None:
        """Make a connection a follower, from a position of the log on."""

    def lag_seconds_max(self) -> int:
        """The lag of the one that lags most."""

    def progress(self, client: Client) -> StreamProgress | None:
        """How far a follower is; None if it isn't one."""


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
        """Its bytes, none if there is no file."""

    def write(self, data: bytes) -> None:
        """Replace it at once and for good. Raises OSError."""


class Process(Protocol):
    """The process we run in."""

    pid: int
    cpus: int

    def threads(self) -> int:
        """Threads at present."""

    def resident_bytes(self) -> int:
        """Memory that the system counts as the process'."""

    def cpu_seconds(self) -> tuple[float, float, float, float]:
        """System, user, and both of the children that ended."""


class Memory(Protocol):
    """The memory of the process."""

    def used(self) -> int:
        """Bytes of heap in use."""

    def released(self) -> int:
        """Bytes given back to the system."""

    def check(self) -> None:
        """Compare with the limit now."""

    def collect(self) -> None:
        """Free what isn't needed any more."""


class Stopper(Protocol):
    """The one who can end the process."""

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
    """The server's log, at one level."""

    def __call__(self, text: str, /, *values: object) -> None:
        """Log a text with its values filled in as `%` does."""


class Publisher(Protocol):
    """Subscribers of channels."""

    def __call__(self, channel: bytes, message: bytes) -> int:
        """Send to all who listen; how many they are."""
