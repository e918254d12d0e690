"""The leader's side of replication: the log streams of its followers.

A follower is known only by its position in the log: it never reports what it has applied.
"""

from collections.abc import Callable

from tile38py.interfaces import Client, Clock, LogSource, StreamProgress
from tile38py.interfaces.files import InThread
from tile38py.protocol.push import forwarded
from tile38py.replication.log_stream import LogStream, LogStreamDependencies


class StreamStarter:
    """Lets a stream start when the replies before its own have left."""

    __slots__ = ("_stream",)

    def __init__(self, stream: LogStream) -> None:
        self._stream = stream

    def release(self, replies: bytes, is_last: bool) -> None:
        """Let the stream start: the log is written."""
        del replies, is_last
        self._stream.is_ready = True

    def refuse(self, replies: bytes, reason: str) -> None:
        """Let the stream start: a failure of the log concerns those who wrote."""
        del replies, reason
        self._stream.is_ready = True


class Leader:
    """The log streams of a server."""

    def __init__(
        self, log: LogSource, *, in_thread: InThread, clock: Clock, warn: Callable[[str], None]
    ) -> None:
        self._log = log
        self._clock = clock
        self._dependencies = LogStreamDependencies(log, in_thread, self._forget, warn)
        self._streams: dict[int, LogStream] = {}  # by the client's id
        self.dropped_count = 0  # messages that lagging followers didn't get
        log.on_written(self._written)

    @property
    def count(self) -> int:
        """The number of followers."""
        return len(self._streams)

    def attach(self, client: Client, position: int) -> None:
        """Stream the log to a connection, from a position on."""
        stream = LogStream(self._dependencies, client, position, self._clock.monotonic_ns())
        self._streams[client.client_id] = stream
        if self._log.is_dirty:
            self._log.wait(StreamStarter(stream))
        else:
            stream.is_ready = True
        client.listen(stream)

    def lag_seconds_max(self) -> int:
        """The largest lag of a follower; 0 without followers."""
        now_ns = self._clock.monotonic_ns()
        lags = (stream.progress(now_ns).lag_seconds for stream in self._streams.values())
        return max(lags, default=0)

    def progress(self, client: Client) -> StreamProgress | None:
        """The progress of a follower; None if the client isn't one."""
        stream = self._streams.get(client.client_id)
        return None if stream is None else stream.progress(self._clock.monotonic_ns())

    def publish(self, channel: bytes, text: bytes) -> None:
        """Send a channel's message to all followers, behind everything that was logged before."""
        if not self._streams:
            return
        frame, due = forwarded(channel, text), self._log.size
        for stream in list(self._streams.values()):
            self.dropped_count += not stream.publish(due, frame)

    def check(self) -> None:
        """Cut followers whose write buffer doesn't shrink. Called once a second."""
        now_ns = self._clock.monotonic_ns()
        for stream in list(self._streams.values()):
            stream.check(now_ns)

    def cut_all(self) -> None:
        """Cut all followers: the log was replaced, so their positions are invalid, or closed."""
        for stream in list(self._streams.values()):
            stream.cut()

    def _written(self, position: int, data: bytes) -> None:
        for stream in list(self._streams.values()):
            stream.on_written(position, data)

    def _forget(self, stream: LogStream) -> None:
        self._streams.pop(stream.client.client_id, None)
