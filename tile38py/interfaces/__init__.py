"""Interfaces between the parts of the server, as protocols. No implementation lives here."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tile38py._engine import Events
from tile38py.interfaces.connection import Client as Client
from tile38py.interfaces.connection import Listener as Listener
from tile38py.interfaces.connection import Role as Role
from tile38py.interfaces.connection import Subscriber as Subscriber
from tile38py.interfaces.connection import Wire as Wire
from tile38py.interfaces.views import ByteData


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

    def release(self, replies: ByteData, is_last: bool) -> None:
        """Send the replies: the log is written. Nothing is sent after the last ones."""

    def refuse(self, replies: ByteData, reason: str) -> None:
        """Don't send the replies: the log could not be written."""


class Journal(Protocol):
    """The append-only log, for parts that append to it."""

    is_enabled: bool
    is_dirty: bool  # bytes are pending: replies to writes wait until they are written
    error: str | None  # why the log cannot be written; None if it can

    @property
    def holds_reads(self) -> bool:
        """Whether replies to reads wait for the pending bytes, too."""

    @property
    def size(self) -> int:
        """Bytes of the log, pending ones included."""

    def append(self, data: ByteData) -> None:
        """Append complete commands. They are written soon."""

    def commit(self, waiter: Waiter, replies: bytes, log: bytes) -> bool:
        """Append complete commands. Return whether they are written; if not, hold their replies."""

    def wait(
        self, waiter: Waiter, replies: ByteData = b"", *, wrote: bool = False, is_last: bool = False
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
        self, waiter: Waiter, replies: ByteData = b"", *, wrote: bool = False, is_last: bool = False
    ) -> None:
        """Call the waiter when everything appended so far is written. Only while is_dirty."""

    def on_written(self, listener: Callable[[int, ByteData], None]) -> None:
        """Call a function after each write, with the position and the data."""


@dataclass(frozen=True, slots=True)
class StreamProgress:
    """The progress of a follower, as its leader knows it."""

    # Replication offset: bytes of the log that it acknowledged; that were sent to it if it
    # acknowledges nothing.
    offset: int
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

    def acknowledge(self, client: Client, position: int) -> None:
        """Note that a follower has run and logged everything before a position."""

    def count_with_log(self) -> int:
        """The number of followers that have acknowledged all that is logged by now."""

    def wait_for_followers(
        self,
        client: Client,
        count_min: int,
        seconds_max: float | None,
        settle: Callable[[int], object],
    ) -> Awaitable[object]:
        """Wait until so many followers have all that is logged by now.

        None waits for as long as the client stays connected. settle gets the number of followers
        that have it; its result is that of the wait.
        """

    def lag_seconds_max(self) -> int:
        """The largest lag of a follower; 0 without followers."""

    def progress(self, client: Client) -> StreamProgress | None:
        """The progress of a follower; None if the client isn't one."""


class Broadcaster(Protocol):
    """Live connections as commands see them."""

    cut_count: int  # connections that were cut because they took no messages
    sent_count: int  # messages, each as often as somebody gets it

    def attach(self, client: Client, role: Role) -> Subscriber:
        """Make a connection live."""

    def find(self, client: Client) -> Subscriber | None:
        """The subscriber of a connection; None if it isn't live."""

    def watch(self, client: Client, fence: int) -> None:
        """Make a connection live that made a fence of this number."""


class LiveConnections(Protocol):
    """Live connections as the router sees them: it says when what is prepared is sent."""

    def prepare_events(self, events: Events) -> Callable[[], None] | None:
        """Choose who gets the events of channels and live fences; None if nobody does."""

    def prepare_message(self, channel: bytes, text: bytes) -> tuple[int, Callable[[], None]]:
        """Choose the subscribers of a channel; the number of messages they will get."""

    def prepare_lines(self, lines: Sequence[bytes]) -> Callable[[], None]:
        """Choose the monitors that get these lines."""


class Router(Protocol):
    """The way of events, published messages and MONITOR lines to those that get them."""

    def route(self, events: Events) -> None:
        """Send what fences found to hooks, channels and live fences."""

    def publish(self, channel: bytes, text: bytes) -> int:
        """Send a message to the subscribers of a channel; the number of messages that are sent."""

    def show(self, address: str, commands: Sequence[bytes], now_ns: int) -> None:
        """Send commands that ran to all monitors."""

    def call_when_logged(self, call: Callable[[], None]) -> None:
        """Call a function when the log has all writes so far, as replies wait for that."""


class SettingsFile(Protocol):
    """The configuration file."""

    def read(self) -> bytes:
        """The bytes of the file; none if it doesn't exist."""

    def write(self, data: bytes) -> None:
        """Replace the content atomically and sync it. Raises OSError."""


class UsersFile(Protocol):
    """The file of users, `aclfile`."""

    name: str  # as the setting gives it

    def read(self) -> bytes:
        """The bytes of the file. Raises OSError."""

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

    def private_bytes(self) -> int:
        """The resident set size without pages of files, which the kernel can reclaim."""

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


class Tell(Protocol):
    """Writes to the server's log, at one level."""

    def __call__(self, text: str, /, *values: object) -> None:
        """Log a text with its values filled in as `%` does."""
