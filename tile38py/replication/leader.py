"""The followers that read this server's log as it grows. Doesn't read or write the log itself.

Knows each follower only as a stream from a position; what a follower has applied it never tells.
"""

from collections.abc import Callable

from tile38py.interfaces import Client, Clock, LogSource, StreamProgress
from tile38py.protocol.push import forwarded
from tile38py.replication.log_stream import InThread, Source, Stream


class Ready:
    """Waits until the replies before a stream's own have left."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def release(self, replies: bytes, is_last: bool) -> None:
        """They have."""
        del replies, is_last
        self._stream.is_ready = True

    def refuse(self, replies: bytes, reason: str) -> None:
        """The log wasn't written; that is for those who wrote."""
        del replies, reason
        self._stream.is_ready = True


class Leader:
    """All streams of a server."""

    def __init__(
        self, log: LogSource, *, in_thread: InThread, clock: Clock, warn: Callable[[str], None]
    ) -> None:
        self._log = log
        self._clock = clock
        self._source = Source(log, in_thread, self._forget, warn)
        self._streams: dict[int, Stream] = {}  # by the client's id
        self.dropped_count = 0  # messages that lagging followers didn't get
        log.on_written(self._written)

    @property
    def count(self) -> int:
        """How many followers there are."""
        return len(self._streams)

    def attach(self, client: Client, position: int) -> None:
        """Make a connection a follower, from a position of the log on."""
        stream = Stream(self._source, client, position, self._clock.monotonic_ns())
        self._streams[client.client_id] = stream
        if self._log.is_dirty:
            self._log.wait(Ready(stream))
        else:
            stream.is_ready = True
        client.listen(stream)

    def lag_seconds_max(self) -> int:
        """The lag of the one that lags most; 0 if there is none."""
        now_ns = self._clock.monotonic_ns()
        lags = (stream.progress(now_ns).lag_seconds for stream in self._streams.values())
        return max(lags, default=0)

    def progress(self, client: Client) -> StreamProgress | None:
        """How far a follower is; None if it isn't one."""
        stream = self._streams.get(client.client_id)
        return None if stream is None else stream.progress(self._clock.monotonic_ns())

    def publish(self, channel: bytes, text: bytes) -> None:
        """Send a message of a channel to all, behind everything that is in the log by now."""
        if not self._streams:
            return
        frame, due = forwarded(channel, text), self._log.size
        for stream in list(self._streams.values()):
            self.dropped_count += not stream.publish(due, frame)

    def check(self) -> None:
        """From time to time: cut those who take nothing."""
        now_ns = self._clock.monotonic_ns()
        for stream in list(self._streams.values()):
            stream.check(now_ns)

    def cut_all(self) -> None:
        """Cut all: the log is another one, where positions mean nothing any more, or closed."""
        for stream in list(self._streams.values()):
            stream.cut()

    def _written(self, position: int, data: bytes) -> None:
        for stream in list(self._streams.values()):
            stream.written(position, data)

    def _forget(self, stream: Stream) -> None:
        self._streams.pop(stream.client.client_id, None)
