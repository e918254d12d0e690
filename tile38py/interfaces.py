"""The edges between parts: what one may ask of another. No implementation lives here."""

from typing import Final, Protocol

from tile38py._engine import Session

# What is special about replies that wait for the log; the values are combined.
WROTE: Final = 1  # their commands changed data: without a log they must not be sent
LAST: Final = 2  # the connection closes after them


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

    def release(self, replies: bytes, flags: int) -> None:
        """The log is written: the replies may leave."""

    def refuse(self, replies: bytes, flags: int, reason: str) -> None:
        """The log could not be written."""


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

    def wait(self, waiter: Waiter, replies: bytes, flags: int) -> None:
        """Hold replies until all that was appended so far is written. Only while is_dirty."""

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range as hexadecimal text, None if it isn't all there. Any thread."""


class Client(Protocol):
    """A connection as commands see it."""

    client_id: int
    address: str
    name: bytes
    session: Session
    created_ns: int
    active_ns: int  # when it last sent something
    replica_port: int  # what REPLCONF announced; 0 = this isn't a replica
    replica_ip: str
    is_plain: bool  # it speaks HTTP or WebSocket: one command, one reply
    is_gone: bool

    def kill(self) -> None:
        """Cut the connection at once; replies that wait are lost."""

    def finish(self) -> None:
        """Close the connection after the replies that are on the way."""


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
