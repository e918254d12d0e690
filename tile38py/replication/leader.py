"""The leader's side of replication: the log streams of its followers.

Followers that are tile38py acknowledge what they have run and logged. A Tile38 never does: of it
only the position is known up to which the log was sent.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from tile38py.interfaces import Client, Clock, LogSource, StreamProgress
from tile38py.interfaces.files import InThread
from tile38py.interfaces.views import ByteData
from tile38py.protocol.push import forwarded
from tile38py.replication.acknowledgements import AcknowledgementWait, AcknowledgementWaits
from tile38py.replication.log_stream import LogStream, LogStreamDependencies

Result = TypeVar("Result")


class StreamStarter:
    """Lets a stream start when the replies before its own have left."""

    __slots__ = ("_stream",)

    def __init__(self, stream: LogStream) -> None:
        self._stream = stream

    def release(self, replies: ByteData, is_last: bool) -> None:
        """Let the stream start: the log is written."""
        del replies, is_last
        self._stream.is_ready = True

    def refuse(self, replies: ByteData, reason: str) -> None:
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
        self._waits = AcknowledgementWaits(self._acknowledged)
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

    def acknowledge(self, client: Client, position: int) -> None:
        """Note that a follower has run and logged everything before a position."""
        stream = self._streams.get(client.client_id)
        if stream is not None:
            stream.acknowledge(position)
            self._waits.settle()

    def count_with_log(self) -> int:
        """The number of followers that have acknowledged all that is logged by now."""
        return self._waits.count(self._log.size)

    def wait_for_followers(
        self,
        client: Client,
        count_min: int,
        seconds_max: float | None,
        settle: Callable[[int], Result],
    ) -> asyncio.Future[Result]:
        """Wait until so many followers have all that is logged by now.

        None waits for as long as the client stays connected. settle gets the number of followers
        that have it; its result is that of the wait.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()
        wait = AcknowledgementWait(
            client, self._log.size, count_min, lambda count: done.set_result(settle(count))
        )
        self._waits.start(wait, seconds_max)
        return done

    def publish(self, channel: bytes, text: bytes) -> None:
        """Send a channel's message to all followers, behind everything that was logged before."""
        if not self._streams:
            return
        frame, due = forwarded(channel, text), self._log.size
        for stream in list(self._streams.values()):
            self.dropped_count += not stream.publish(due, frame)

    def check(self) -> None:
        """Cut followers whose write buffer doesn't shrink. Called once a second."""
        self._waits.end_abandoned()
        now_ns = self._clock.monotonic_ns()
        for stream in list(self._streams.values()):
            stream.check(now_ns)

    def cut_all(self) -> None:
        """Cut all followers: the log was replaced, so their positions are invalid, or closed."""
        for stream in list(self._streams.values()):
            stream.cut()

    def _acknowledged(self) -> list[int]:
        positions = (stream.acknowledged for stream in self._streams.values())
        return [position for position in positions if position is not None]

    def _written(self, position: int, data: ByteData) -> None:
        for stream in list(self._streams.values()):
            stream.on_written(position, data)

    def _forget(self, stream: LogStream) -> None:
        self._streams.pop(stream.client.client_id, None)
