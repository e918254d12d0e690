"""The edges between parts: what one may ask of another. No implementation lives here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tile38py._engine import Events
from tile38py.interfaces.connection import Client as Client
from tile38py.interfaces.connection import Listener as Listener
from tile38py.interfaces.connection import Role as Role
from tile38py.interfaces.connection import Wire as Wire


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


class Broadcaster(Protocol):
    """Live connections as commands see them."""

    cut_count: int  # connections that were cut because they took no messages
    sent_count: int  # messages, each as often as somebody gets it

    def attach(self, client: Client, role: Role) -> Listener:
        """Make a connection live."""

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


class Tell(Protocol):
    """The server's log, at one level."""

    def __call__(self, text: str, /, *values: object) -> None:
        """Log a text with its values filled in as `%` does."""
