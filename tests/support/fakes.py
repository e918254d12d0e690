"""Fakes of the server's surroundings: clock, files, event loop, sockets, client.

The engine is always the real one: it has no clock, files or threads of its own.
"""

import asyncio
from collections.abc import Callable, Sequence

from tests.support.fake_following import FinishedTask
from tests.support.fake_log_file import FakeLogFile
from tile38py._engine import ChannelEvent, HookChange, HookEvent, HookProgress, Session
from tile38py.interfaces import Listener, Waiter, Wire
from tile38py.interfaces.delivery import HookCounters, HookReport
from tile38py.interfaces.views import ByteData

SECOND = 1_000_000_000


class FakeClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now_ns: int = 1_700_000_000 * SECOND) -> None:
        self.time_ns = now_ns
        self.slept = 0.0

    def now_ns(self) -> int:
        """Return the fake time."""
        return self.time_ns

    def monotonic_ns(self) -> int:
        """Return the same time."""
        return self.time_ns

    def sleep(self, seconds: float) -> None:
        """Advance the time."""
        self.slept += seconds
        self.time_ns += round(seconds * SECOND)


class ManualLoop:
    """An event loop and threads that run only when a test calls turn() and end_threads()."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []
        self.threads: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Schedule a callback for the next iteration."""
        self.soon.append(callback)

    def in_thread(self, run: Callable[[], None], done: Callable[[OSError | None], None]) -> None:
        """Schedule work for end_threads()."""

        def end() -> None:
            try:
                run()
            except OSError as error:
                done(error)
            else:
                done(None)

        self.threads.append(end)

    def turn(self) -> None:
        """Run one iteration of the loop."""
        now, self.soon = self.soon, []
        for callback in now:
            callback()

    def end_threads(self) -> None:
        """Run the work of all threads, and call back."""
        now, self.threads = self.threads, []
        for end in now:
            end()


class FakeClient:
    """A Client and Waiter without a connection: records what it is sent."""

    def __init__(self, session: Session, client_id: int = 1) -> None:
        self.client_id = client_id
        self.address = f"127.0.0.1:{5000 + client_id}"
        self.name = b""
        self.library: dict[str, bytes] = {}
        self.session = session
        self.created_ns = self.active_ns = 1_700_000_000 * SECOND
        self.replica_port = 0
        self.replica_ip = ""
        self.is_plain = False
        self.is_gone = False
        self.listener: Listener | None = None
        self.wire = Wire.RESP
        self.unsent = 0
        self.pushed: list[bytes] = []  # bytes that the listener wrote
        self.sent: list[bytes] = []
        self.refusals: list[str] = []
        self.is_busy = self.is_closing = False
        self.unfinished_bytes = 0
        self.is_timed_out = False

    def time_out(self) -> None:
        """Close with an error."""
        self.is_timed_out = self.is_gone = True

    def limit(self) -> None:
        """Ignore the limit: requests don't pass through here."""

    @property
    def is_input_ended(self) -> bool:
        """Whether the client is gone."""
        return self.is_gone

    def listen(self, listener: Listener) -> None:
        """Become a live connection."""
        self.listener = listener
        self.session.live = listener.is_exclusive

    def leave(self) -> None:
        """Be ordinary again."""
        self.session.live = False
        if self.listener is not None and self.listener.is_idle:
            self.listener.close()
            self.listener = None

    def write(self, data: bytes) -> None:
        """Record bytes."""
        self.pushed.append(data)

    def shut(self) -> None:
        """Close."""
        self.is_gone = True

    def taken(self) -> bytes:
        """Return the bytes that were pushed since the last call."""
        pushed, self.pushed = self.pushed, []
        return b"".join(pushed)

    def kill(self) -> None:
        """Close."""
        self.is_gone = True

    def finish(self) -> None:
        """Close."""
        self.is_gone = True

    def release(self, replies: ByteData, is_last: bool) -> None:
        """Record replies that were released."""
        del is_last
        self.sent.append(bytes(replies))

    def refuse(self, replies: ByteData, reason: str) -> None:
        """Record the reason of replies that were refused."""
        del replies
        self.refusals.append(reason)


class FakeJournal:
    """A log that is written only when a test calls flush()."""

    is_enabled = True

    def __init__(self) -> None:
        self.is_dirty = self.lets_reads_pass = False
        self.error: str | None = None
        self.data = b""
        self.held: list[tuple[Waiter, ByteData, bool]] = []
        self.is_readable = True
        self.size_written = 0
        self.listeners: list[Callable[[int, ByteData], None]] = []

    @property
    def holds_reads(self) -> bool:
        """Whether replies to reads wait for the pending bytes, too."""
        return self.is_dirty and not self.lets_reads_pass

    @property
    def size(self) -> int:
        """Bytes of the log, pending ones included."""
        return len(self.data)

    def read(self, position: int, size: int) -> bytes:
        """Return a range of the written bytes."""
        return self.data[: self.size_written][position : position + size]

    def on_written(self, listener: Callable[[int, ByteData], None]) -> None:
        """Call a listener after each flush."""
        self.listeners.append(listener)

    def append(self, data: ByteData) -> None:
        """Append pending bytes."""
        self.data += data
        self.is_dirty = True

    def commit(self, waiter: Waiter, replies: bytes, log: bytes) -> bool:
        """Append pending bytes and hold their replies until the next flush."""
        self.append(log)
        self.wait(waiter, replies, wrote=True)
        return False

    def wait(
        self, waiter: Waiter, replies: ByteData = b"", *, wrote: bool = False, is_last: bool = False
    ) -> None:
        """Hold replies until the next flush."""
        del wrote
        self.held.append((waiter, replies, is_last))

    def digest(self, position: int, size: int) -> str | None:
        """Return the MD5 of a range, None if it can't be read."""
        return FakeLogFile(self.data).digest(position, size) if self.is_readable else None

    def flush(self, error: str = "") -> None:
        """Write pending bytes and release all replies; with an error, refuse them."""
        self.is_dirty = False
        if not error:
            position, self.size_written = self.size_written, len(self.data)
            for listener in self.listeners:
                listener(position, self.data[position:])
        held, self.held = self.held, []
        for waiter, replies, is_last in held:
            if error:
                waiter.refuse(replies, error)
            else:
                waiter.release(replies, is_last)


class FakeHookDelivery:
    """A HookDelivery that only records the events."""

    def __init__(self, keep: Callable[[Sequence[ChannelEvent]], None]) -> None:
        self.taken: list[HookEvent | HookChange | HookProgress] = []
        self._keep = keep

    def take(self, events: Sequence[HookEvent | HookChange | HookProgress]) -> None:
        """Record events."""
        self.taken += events

    def keep(self, events: Sequence[ChannelEvent]) -> None:
        """Pass the events of channels to their histories."""
        self._keep(events)


class FakeOutbox:
    """Delivery statistics, as a test sets them."""

    def __init__(self) -> None:
        self.replays: list[tuple[str, int]] = []
        self.waiting_count = 0
        self.waiting_bytes = self.memory_bytes = 0
        self.connection_count = 0
        self.oldest_ns = 0
        self.total = HookCounters()
        self.reports: dict[str, HookReport] = {}

    def replay(
        self, hook: str, position: int, settle: Callable[[OSError | None], object]
    ) -> FinishedTask:
        """Record a replay."""
        self.replays.append((hook, position))
        return FinishedTask(settle(None))

    def report(self, hook: str) -> HookReport:
        """Return the report that a test set, or an empty one."""
        return self.reports.get(hook) or HookReport(HookCounters(), 0, 0)


class FakeMemory:
    """Memory with fixed figures."""

    def __init__(self) -> None:
        self.collections = 0

    def used(self) -> int:
        """Return a fixed number."""
        return 1000

    def released(self) -> int:
        """Return a fixed number."""
        return 10

    def check(self) -> None:
        """Do nothing."""

    def collect(self) -> None:
        """Count the call."""
        self.collections += 1


class FakeProcess:
    """A process with fixed figures."""

    pid = 77
    cpus = 4
    resident = 50_000

    def threads(self) -> int:
        """Return a fixed number."""
        return 3

    def resident_bytes(self) -> int:
        """Return the number that the test has set."""
        return self.resident

    def private_bytes(self) -> int:
        """Return the same number, as if no page were a file's."""
        return self.resident

    def cpu_seconds(self) -> tuple[float, float, float, float]:
        """Return fixed numbers."""
        return 1.0, 2.0, 0.0, 0.0


class FakeSettingsFile:
    """A configuration file in memory."""

    def __init__(self) -> None:
        self.data = b""
        self.error: OSError | None = None

    def read(self) -> bytes:
        """Return the content."""
        return self.data

    def write(self, data: bytes) -> None:
        """Replace the content. Raises the error that a test sets."""
        if self.error is not None:
            raise self.error
        self.data = data


class FakeTransport(asyncio.Transport):
    """A socket transport that records what is sent."""

    def __init__(self, address: tuple[str, int] = ("127.0.0.1", 5000)) -> None:
        super().__init__({"peername": address})
        self.sent = b""
        self.unsent = 0  # size of the write buffer, as a test sets it
        self.reads = True
        self.is_closed = False
        self.is_aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Record bytes."""
        assert not self.is_closed
        self.sent += data

    def taken(self) -> bytes:
        """Return the bytes that were sent since the last call."""
        sent, self.sent = self.sent, b""
        return sent

    def is_reading(self) -> bool:
        """Whether reading isn't paused."""
        return self.reads

    def pause_reading(self) -> None:
        """Record the pause."""
        self.reads = False

    def resume_reading(self) -> None:
        """Record the end of a pause."""
        self.reads = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Ignore the limits."""

    def get_write_buffer_size(self) -> int:
        """Return the size that a test sets."""
        return self.unsent

    def is_closing(self) -> bool:
        """Whether the transport was closed."""
        return self.is_closed

    def close(self) -> None:
        """Record the close."""
        self.is_closed = True

    def abort(self) -> None:
        """Record the abort."""
        self.is_closed = self.is_aborted = True


def command(*words: bytes) -> bytes:
    """Encode a command as a RESP array."""
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"".join(parts)
