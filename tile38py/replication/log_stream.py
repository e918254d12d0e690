"""The log stream to one follower: its position in the log, and what is sent from there.

The log's file is the buffer. While a follower is behind, pieces are read for it on a thread, one
at a time and only while its write buffer has room. At the end of the log it gets what was just
written without another read. So a follower that reads nothing costs one piece of memory, however
much is written. Messages are sent between commands only, each at the position that was the end of
the log when it was published.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tile38py.errors import reason_of
from tile38py.interfaces import Client, LogSource, Role, StreamProgress
from tile38py.interfaces.files import InThread
from tile38py.interfaces.views import ByteData
from tile38py.limits import (
    FOLLOWER_MESSAGE_BYTES,
    FOLLOWER_MESSAGES_BYTES_MAX,
    FOLLOWER_PIECE_BYTES,
    FOLLOWER_STUCK_SECONDS_MAX,
    SECOND_NS,
)


@dataclass(frozen=True, slots=True)
class LogStreamDependencies:
    """Dependencies of all log streams of a server."""

    log: LogSource
    in_thread: InThread
    forget: Callable[["LogStream"], None]
    warn: Callable[[str], None]


class LogStream:
    """The stream to one follower. It is the Listener of the follower's connection."""

    __slots__ = (
        "_dependencies", "_is_ending", "_is_paused", "_is_reading", "_is_running", "_level_ns",
        "_messages", "_taken", "_taken_ns", "_written", "acknowledged", "client", "dropped_count",
        "is_ready", "position", "role", "waiting_bytes",
    )  # fmt: skip

    def __init__(
        self, dependencies: LogStreamDependencies, client: Client, position: int, now_ns: int
    ) -> None:
        self._dependencies = dependencies
        self._is_running = False
        self._is_paused = False
        self._is_reading = False
        self._is_ending = False
        self._messages: deque[tuple[int, bytes]] = deque()  # each with its position in the log
        self.waiting_bytes = 0
        self._written = 0  # bytes written to the socket
        self._taken = 0  # bytes of them that had left the write buffer at the last check
        self._level_ns = now_ns  # monotonic time of the last check at which it did not lag
        self._taken_ns = now_ns  # monotonic time at which _taken last changed
        self.client = client
        self.acknowledged: int | None = None  # position in the log; None for a Tile38
        self.dropped_count = 0  # messages
        self.is_ready = False  # the next replies contain the one to its AOF
        self.position = position  # of the next byte of the log to send
        self.role = Role.FOLLOWER

    @property
    def is_exclusive(self) -> bool:
        """A follower may send nothing but acknowledgements."""
        return True

    @property
    def is_idle(self) -> bool:
        """The stream never ends."""
        return False

    def progress(self, now_ns: int) -> StreamProgress:
        """The progress of the follower."""
        # Messages in the write buffer are counted as the log's bytes: they delay the offset.
        offset = max(self.position - self.client.unsent, 0)
        if self.acknowledged is not None:
            offset = self.acknowledged
        if offset >= self._dependencies.log.size_written:
            self._level_ns = now_ns
        lag_seconds = (now_ns - self._level_ns) // SECOND_NS
        return StreamProgress(offset, lag_seconds, self.dropped_count)

    def acknowledge(self, position: int) -> None:
        """Note that the follower has run and logged everything before a position."""
        self.acknowledged = min(max(position, self.acknowledged or 0), self.position)

    def send(self, replies: bytes, *, is_last: bool) -> None:
        """Send replies. The one to AOF starts the stream; is_last closes it behind the log."""
        if replies:
            self._write(replies)
        self._is_ending |= is_last
        self._is_running |= self.is_ready
        if self._is_running:
            self._go_on()
        elif is_last:
            self.client.shut()

    def pause(self) -> None:
        """The write buffer is above its high-water mark: send nothing more."""
        self._is_paused = True

    def resume(self) -> None:
        """The write buffer is below its low-water mark: go on."""
        self._is_paused = False
        self._go_on()

    def close(self) -> None:
        """End the stream: the connection is gone."""
        self._is_running = False
        self._messages.clear()
        self.waiting_bytes = 0
        self._dependencies.forget(self)

    def on_written(self, position: int, data: ByteData) -> None:
        """Send data that was written to the log at a position."""
        if not self._is_idle:
            return  # it will be read from the file
        if self.position < position or len(data) > FOLLOWER_PIECE_BYTES:
            self._go_on()
        else:
            # After a failed sync the same bytes are written again, and some may be sent already.
            self._advance(bytes(data[self.position - position :]))

    def publish(self, due: int, frame: bytes) -> bool:
        """Send a message behind a position of the log. Returns whether it wasn't dropped."""
        if self._is_idle and due <= self.position:
            self._write(frame)
            return True
        size = len(frame) + FOLLOWER_MESSAGE_BYTES
        if self.waiting_bytes + size > FOLLOWER_MESSAGES_BYTES_MAX:
            if not self.dropped_count:
                self._dependencies.warn(f"{self.client.address} lags, messages to it are dropped")
            self.dropped_count += 1
            return False
        self._messages.append((due, frame))
        self.waiting_bytes += size
        return True

    def check(self, now_ns: int) -> None:
        """Cut the follower if its write buffer hasn't shrunk for FOLLOWER_STUCK_SECONDS_MAX."""
        self.progress(now_ns)
        taken = self._written - self.client.unsent
        if taken != self._taken or not self.client.unsent:
            self._taken, self._taken_ns = taken, now_ns
        elif now_ns - self._taken_ns >= FOLLOWER_STUCK_SECONDS_MAX * SECOND_NS:
            seconds = FOLLOWER_STUCK_SECONDS_MAX
            self._cut(f"takes nothing of the log for {seconds:.0f} s")

    def cut(self) -> None:
        """Cut the follower's connection."""
        self._is_running = False
        self.client.kill()

    @property
    def _is_idle(self) -> bool:
        """Whether something may be sent now."""
        return self._is_running and not self._is_paused and not self._is_reading

    def _go_on(self) -> None:
        """Send messages that are due, then read on if the log has more."""
        if self._is_idle and self._messages:
            self._advance(b"")
        if not self._is_idle:
            return
        size = self._dependencies.log.size_written - self.position
        if size > 0:
            self._read(min(size, FOLLOWER_PIECE_BYTES))
        elif self._is_ending:
            self._is_running = False
            self.client.shut()

    def _read(self, size: int) -> None:
        log, position = self._dependencies.log, self.position
        pieces: list[bytes] = []

        def read() -> None:
            pieces.append(log.read(position, size))

        def done(error: OSError | None) -> None:
            self._is_reading = False
            if self.client.is_gone:
                return
            if error is not None:
                self._cut(f"can't be sent the log: {reason_of(error)}")
            elif not pieces[0] and self.position < log.size_written:
                self._cut(f"can't be sent the log: it ends before {log.size_written}")
            else:
                self._advance(pieces[0])
                self._go_on()

        self._is_reading = True
        self._dependencies.in_thread(read, done)

    def _advance(self, data: bytes) -> None:
        """Send bytes of the log with the messages between them."""
        end = self.position + len(data)
        if self._messages and self._messages[0][0] <= end:
            data = self._mixed(data)
        self.position = end
        if data:
            self._write(data)

    def _mixed(self, data: bytes) -> bytes:
        end = self.position + len(data)
        parts: list[bytes] = []
        start = 0
        while self._messages and self._messages[0][0] <= end:
            due, frame = self._messages.popleft()
            self.waiting_bytes -= len(frame) + FOLLOWER_MESSAGE_BYTES
            stop = max(due - self.position, start)
            parts += (data[start:stop], frame)
            start = stop
        return b"".join((*parts, data[start:]))

    def _write(self, data: bytes) -> None:
        self._written += len(data)
        self.client.write(data)

    def _cut(self, reason: str) -> None:
        self._dependencies.warn(f"Follower {self.client.address} {reason}, connection cut")
        self.cut()
