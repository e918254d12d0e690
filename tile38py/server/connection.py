"""One connection: bytes to the engine, replies back, in order and within bounds.

The first lines of data_received are the path of nearly every request and are kept short. All the
rest happens beside it: the log, long reads, slow readers, HTTP, the end.
"""

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from tile38py import errors
from tile38py._engine import Batch, Close, Engine, Http, split_native
from tile38py.clients import Clients
from tile38py.commands.registry import End
from tile38py.config import Config
from tile38py.dispatch import Dispatcher, Progress, Work
from tile38py.interfaces import LAST, WROTE, Clock, Journal, Listener, Role, Wire
from tile38py.limits import (
    INPUT_BYTES_WAITING_MAX,
    LIVE_BYTES_HIGH,
    LIVE_BYTES_LOW,
    OUTPUT_BYTES_HIGH,
    OUTPUT_BYTES_LOW,
    OUTPUT_BYTES_MAX,
)
from tile38py.protocol.websocket import Answer, Frames
from tile38py.server.logs import Log
from tile38py.server.peers import Doorkeeper, address_of, keep_alive
from tile38py.server.web import Exchange, Run, WebSettings

if TYPE_CHECKING:
    from collections.abc import Callable

# Why a connection's requests wait; the values are combined.
WORKING: Final = 1  # its long read is on another thread
CONGESTED: Final = 2  # it doesn't take its replies
HELD: Final = 4  # many of its replies wait for the log
TURN: Final = 8  # others have their turn
CLOSING: Final = 16  # its last reply is on the way


@dataclass(frozen=True, slots=True)
class Hub:
    """What all connections share."""

    loop: asyncio.AbstractEventLoop
    engine: Engine
    dispatcher: Dispatcher
    journal: Journal
    clients: Clients
    clock: Clock
    config: Config
    pool: Executor
    doorkeeper: Doorkeeper
    web: WebSettings
    log: Log
    output: str = ""  # the initial output, if it isn't the transport's own


class Connection(asyncio.Protocol):
    """Is also the Client that commands see and the Waiter that the log knows."""

    __slots__ = (
        "_exchange", "_feed", "_frames", "_held_bytes", "_hub", "_is_ending", "_job",
        "_journal", "_now", "_receive", "_transport", "_unread", "_waits", "_write", "active_ns",
        "address", "client_id", "created_ns", "is_gone", "is_plain", "listener", "name",
        "replica_ip", "replica_port", "session",
    )  # fmt: skip

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._journal = hub.journal
        self._now = hub.clock.now_ns
        self._waits = 0
        self._held_bytes = 0
        self._unread = b""  # what arrived although reading was paused
        self._exchange: Exchange | None = None
        self._frames: Frames | None = None
        self._receive: Callable[[bytes], None] | None = None  # what takes bytes, if not RESP
        self._job: Run | None = None
        self._is_ending = False  # the client sends no more
        self.client_id = hub.clients.next_id()
        self.address = ""
        self.name = b""
        self.session = hub.engine.session(framing="resp", output=hub.output)
        self._feed = self.session.feed
        self.created_ns = self.active_ns = self._now()
        self.replica_port = 0
        self.replica_ip = ""
        self.is_plain = False
        self.is_gone = False
        self.listener: Listener | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the client in or tell why not."""
        # uvloop's transports don't derive from asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._write = self._transport.write
        hub = self._hub
        self.address = address_of(self._transport, self.client_id)
        refusal = hub.doorkeeper.refusal(self.address)
        if refusal:
            self._write(refusal)
            self._end()
            return
        hub.clients.add(self)
        self._transport.set_write_buffer_limits(OUTPUT_BYTES_HIGH, OUTPUT_BYTES_LOW)
        keep_alive(transport, hub.config)
        hub.log.debug("Opened connection: %s", self.address)

    def data_received(self, data: bytes) -> None:
        """Run what arrived."""
        self.active_ns = now_ns = self._now()
        if self._waits or self._receive is not None:
            self._receive_otherwise(data)
            return
        batch = self._feed(data, now_ns)
        if batch.stop is None and not batch.log and not self._journal.is_dirty:
            if batch.replies:
                self._write(batch.replies)
        else:
            self._proceed(batch)

    def eof_received(self) -> bool:
        """Keep the connection while replies are still to come."""
        self._is_ending = True
        if self.listener is not None and self.listener.role is Role.FOLLOWER:
            self.kill()
        return bool(self._waits or self._held_bytes)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        del exc
        self.is_gone = True
        self._waits |= CLOSING
        self._hub.clients.remove(self)
        if self.listener is not None:
            self.listener.close()
            self._hub.log.info("not live %s", self.address)
        self._hub.log.debug("Closed connection: %s", self.address)

    def pause_writing(self) -> None:
        """The client doesn't take its replies: nothing more is run for it."""
        self._hold(CONGESTED)
        if self.listener is not None:
            self.listener.pause()

    def resume_writing(self) -> None:
        """The client took them."""
        if self.listener is not None:
            self.listener.resume()
            if self._transport.get_write_buffer_size() > LIVE_BYTES_HIGH:
                return
        self._go_on(CONGESTED)

    def release(self, replies: bytes, flags: int) -> None:
        """The log is written."""
        self._held_bytes -= len(replies)
        if self.is_gone or self._transport.is_closing():
            return
        self._emit(replies, flags)
        if flags & LAST:
            return
        if self._waits & HELD and not self._held_bytes:
            self._go_on(HELD)
        elif self._is_ending and not self._waits and not self._held_bytes:
            self._end()

    def refuse(self, replies: bytes, flags: int, reason: str) -> None:
        """The log couldn't be written: none of these replies is true."""
        del flags
        self._held_bytes -= len(replies)
        if self.is_gone or self._transport.is_closing():
            return
        text = self.session.fail(str(errors.not_logged(reason)))
        self._write(self._job.encode(text) if self._job else text)
        self._end()

    @property
    def wire(self) -> Wire:
        """How the present request was framed."""
        if self._job is not None:
            return self._job.wire
        return Wire.NATIVE if self.session.framing == "native" else Wire.RESP

    @property
    def unsent(self) -> int:
        """Bytes that the socket didn't take yet."""
        return self._transport.get_write_buffer_size()

    def listen(self, listener: Listener) -> None:
        """Become live."""
        self.listener = listener
        self.session.live = True
        # Messages are the same for many: those that wait are better kept outside the socket.
        self._transport.set_write_buffer_limits(LIVE_BYTES_HIGH, LIVE_BYTES_LOW)
        if self._waits & CONGESTED:
            listener.pause()
        if listener.role is Role.FOLLOWER:
            self._receive = lambda _data: self.kill()  # whatever it says is its last word
        self._hub.log.info("live %s", self.address)

    def write(self, data: bytes) -> None:
        """Hand bytes to the socket, for the listener."""
        if not self._transport.is_closing():
            self._write(data)

    def shut(self) -> None:
        """Close after what the socket has, for the listener."""
        self._transport.close()

    def kill(self) -> None:
        """Cut the connection."""
        self.is_gone = True
        self._transport.abort()

    def finish(self) -> None:
        """Close after what is on the way, at a clean stop."""
        self._send(b"", LAST)

    def _receive_otherwise(self, data: bytes) -> None:
        if self._waits & CLOSING:
            return
        if self._waits:
            self._unread += data
            if len(self._unread) > INPUT_BYTES_WAITING_MAX:
                self.kill()
        else:
            assert self._receive is not None
            self._receive(data)

    def _proceed(self, batch: Batch) -> None:
        """Go on with a batch that has more to it than replies."""
        progress = self._hub.dispatcher.drive(self, batch)
        replies = b"".join(progress.replies)
        stop = progress.stop
        flags = WROTE if progress.wrote else 0
        self._send(replies, flags | LAST if isinstance(stop, Close | End) else flags)
        if isinstance(stop, Work):
            self._start(stop)
        elif isinstance(stop, Http):
            self._begin_web(stop.data)
        elif isinstance(stop, Close | End):
            if stop.message:
                self._hub.log.error("%s", stop.message)
        elif progress.has_more:
            self._hold(TURN)
            self._hub.loop.call_soon(self._go_on, TURN)

    def _send(self, replies: bytes, flags: int) -> None:
        """Send now, or as soon as everything logged before is written."""
        if self.is_gone:
            return
        if flags & LAST:
            self._hold(CLOSING)
        if self._journal.is_dirty:
            self._held_bytes += len(replies)
            self._journal.wait(self, replies, flags)
            if self._held_bytes > OUTPUT_BYTES_HIGH:
                self._hold(HELD)
            return
        self._emit(replies, flags)
        if self._waits & CONGESTED:
            self._cut_if_flooded()

    def _emit(self, replies: bytes, flags: int) -> None:
        if self.listener is not None:
            self.listener.send(replies, is_last=bool(flags & LAST))
            return
        if replies:
            self._write(replies)
        if flags & LAST:
            self._transport.close()

    def _cut_if_flooded(self) -> None:
        if self._transport.get_write_buffer_size() > OUTPUT_BYTES_MAX:
            self._hub.log.warning("%s takes no replies, connection cut", self.address)
            self.kill()

    def _hold(self, wait: int) -> None:
        """Run nothing more for this client until _go_on for the same reason."""
        if not self._waits and not self._transport.is_closing():
            self._transport.pause_reading()
        self._waits |= wait

    def _go_on(self, wait: int) -> None:
        self._waits &= ~wait
        if not self._is_free():
            return
        data, self._unread = self._unread, b""
        if self._receive is not None:
            if data:
                self._receive(data)
        else:
            self._proceed(self._feed(data, self._now()))
        if not self._is_free():
            return
        if self._is_ending and not self._held_bytes:
            self._end()
        elif not self._transport.is_closing():
            self._transport.resume_reading()

    def _is_free(self) -> bool:
        return not self._waits and not self.is_gone

    def _end(self) -> None:
        self._hold(CLOSING)
        self._transport.close()

    def _start(self, work: Work) -> None:
        """Run work on another thread; the client waits, others go on."""
        self._hold(WORKING)
        if work.is_task:
            future = cast("asyncio.Future[object]", work.run())
        else:
            future = self._hub.loop.run_in_executor(self._hub.pool, work.run)
        future.add_done_callback(lambda done: self._worked(work, done))

    def _worked(self, work: Work, done: asyncio.Future[object]) -> None:
        error = None if done.cancelled() else done.exception()
        if self.is_gone or done.cancelled():
            return
        if error is not None:
            self._hub.log.error("A reply could not be made: %r", error)
            self.kill()
            return
        self._reply(work.frame(done.result()), 0)
        self._go_on(WORKING)

    def _reply(self, data: bytes, flags: int) -> None:
        if self._job is None:
            self._send(data, flags)
        else:
            self._send(self._job.encode(data), flags | LAST)

    def _begin_web(self, data: bytes) -> None:
        """From here on the connection speaks HTTP."""
        if self.listener is not None:
            self._send(b"", LAST)
            return
        self.is_plain = True
        self.session = self._hub.engine.session(framing="plain")
        self._exchange = Exchange(self.session, self._hub.web)
        self._receive = self._receive_web
        self._receive_web(data)

    def _receive_web(self, data: bytes) -> None:
        assert self._exchange is not None
        action = self._exchange.receive(data)
        if action is None:
            return
        if not isinstance(action, Run):
            self._send(action.data, LAST if action.is_last else 0)
            return
        self._job = action
        batch = self.session.run(action.args, self._now())
        self._finish_web(self._hub.dispatcher.drive(self, batch))

    def _finish_web(self, progress: Progress) -> None:
        if isinstance(progress.stop, Work):
            self._start(progress.stop)
        elif isinstance(progress.stop, Close):
            self._send(b"", LAST)  # QUIT has no reply over HTTP
        elif self.listener is not None:
            self._begin_live(progress)
        else:
            self._reply(b"".join(progress.replies), WROTE if progress.wrote else 0)

    def _begin_live(self, progress: Progress) -> None:
        """The connection is live and stays."""
        assert self._job is not None
        if self._job.wire is Wire.WEBSOCKET:
            self._frames = Frames()
            self._receive = self._receive_frames
        else:
            self._receive = lambda _data: None  # over HTTP a client has nothing more to say
        replies = self._job.head + self._job.framed(progress.replies)
        self._send(replies, WROTE if progress.wrote else 0)

    def _receive_frames(self, data: bytes) -> None:
        assert self._frames is not None
        assert self._job is not None
        for item in self._frames.receive(data):
            if isinstance(item, Answer):
                self._send(item.data, LAST if item.is_last else 0)
                if item.is_last:
                    return
                continue
            progress = self._run_text(item.text)
            if isinstance(progress.stop, End):
                replies = self._job.framed(progress.replies)
                self._send(replies + self._frames.closing().data, LAST)
                return
            self._send(self._job.framed(progress.replies), 0)

    def _run_text(self, text: bytes) -> Progress:
        batch = self.session.run(split_native(text), self._now())
        return self._hub.dispatcher.drive(self, batch)
