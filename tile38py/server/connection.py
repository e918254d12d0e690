"""A client's connection: the order of its replies, its bounds, and what waits for the log.

Its transport parses and frames bytes. The first lines of data_received are the path of nearly
every request and are kept short. The other methods handle what is rarer: waiting for the log, work
on other threads, slow readers, the end.
"""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

from tile38py import errors
from tile38py.config.output_limits import CLIENT_OUTPUT_BUFFER_LIMIT
from tile38py.dispatch import WorkKind
from tile38py.interfaces import Listener
from tile38py.interfaces.views import ByteData
from tile38py.limits import (
    INPUT_BYTES_WAITING_MAX,
    LIVE_BYTES_HIGH,
    LIVE_BYTES_LOW,
    OUTPUT_BYTES_HIGH,
    OUTPUT_BYTES_LOW,
    RECEIVED_BYTES_HIGH,
)
from tile38py.server.connection_dependencies import ConnectionDependencies
from tile38py.server.connection_facts import ConnectionFacts
from tile38py.server.connection_state import GONE, HALF_CLOSED, NOT_PAUSED, Pause, State
from tile38py.server.peers import address_of, keep_alive
from tile38py.server.receivers import discard, receive_first, receive_limited
from tile38py.server.transports import Close, Outcome, Step, Then, Transport, Upgrade, Wait
from tile38py.server.transports.resp import RespTransport


class Connection(ConnectionFacts):
    """A connection. It is the Client that commands see and the Waiter that the log notifies."""

    __slots__ = (
        "_cancel", "_held_bytes", "_held_count", "_journal", "_now", "_pauses", "_receive",
        "_socket", "_unread", "_write", "dependencies", "listener",
    )  # fmt: skip

    def __init__(self, dependencies: ConnectionDependencies) -> None:
        self.dependencies = dependencies
        self._journal = dependencies.journal
        self._now = dependencies.clock.now_ns
        super().__init__(dependencies.clients.next_id(), self._now())
        self._pauses = NOT_PAUSED
        self._unread = b""  # arrived although reading was paused
        self._held_bytes = self._held_count = 0  # of replies that wait for the log
        self._cancel: Callable[[], None] | None = None  # ends the work that is waited for
        self.listener: Listener | None = None
        engine = dependencies.transports.engine
        session = engine.session(framing="resp", output=dependencies.output)
        self._use(RespTransport(dependencies.transports, session))
        self._receive = receive_first

    def begin(self, data: bytes, now_ns: int) -> Outcome:
        """Receive the first bytes."""
        self._use(self.transport)
        return self._receive(self, data, now_ns)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the client, or refuse it with the reason."""
        # uvloop's transports don't derive from asyncio's.
        self._socket = cast("asyncio.Transport", transport)
        self._write: Callable[[ByteData], None] = self._socket.write
        dependencies = self.dependencies
        self.address = address_of(self._socket, self.client_id)
        refusal = dependencies.connection_filter.refusal(self.address)
        if refusal:
            self._write(refusal)
            self._close()
            return
        dependencies.clients.add(self)
        self._socket.set_write_buffer_limits(OUTPUT_BYTES_HIGH, OUTPUT_BYTES_LOW)
        keep_alive(transport, dependencies.config)
        dependencies.log.debug("Opened connection: %s", self.address)

    def data_received(self, data: bytes) -> None:
        """Run the requests in data."""
        self.active_ns = now_ns = self._now()
        if self._pauses:
            self._keep(data)
            return
        outcome = self._receive(self, data, now_ns)
        if isinstance(outcome, bytes) and not self._journal.is_dirty:
            if outcome:
                self._write(outcome)
            elif len(data) >= RECEIVED_BYTES_HIGH:
                self._yield()
        elif isinstance(outcome, tuple):
            self._commit(*outcome)
        else:
            self._take(outcome)

    def eof_received(self) -> bool:
        """The client has closed its sending side. Stay open while replies are still to come."""
        if self._is_open:
            self._state = HALF_CLOSED
            self._take(self.transport.end_of_input())
        return bool(self._pauses or self._held_count) or self._state is State.CLOSING

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the client."""
        del exc
        self._leave(GONE)
        if self._cancel is not None:
            self._cancel()
        self.dependencies.clients.remove(self)
        if self.listener is not None:
            self.listener.close()
            self.dependencies.log.info("not live %s", self.address)
        self.dependencies.log.debug("Closed connection: %s", self.address)

    def pause_writing(self) -> None:
        """The write buffer is above its high-water mark: run no more requests."""
        self._pause(Pause.WRITE_BUFFER)
        if self.listener is not None:
            self.listener.pause()

    def resume_writing(self) -> None:
        """The write buffer is below its low-water mark."""
        if self.listener is not None:
            self.listener.resume()
            if self._socket.get_write_buffer_size() > LIVE_BYTES_HIGH:
                return
        self._resume(Pause.WRITE_BUFFER)

    def release(self, replies: ByteData, is_last: bool) -> None:
        """Send replies: the log is written."""
        self._held_bytes -= len(replies)
        self._held_count -= 1
        if self._state is GONE or self._socket.is_closing():
            return
        self._emit(replies, is_last=is_last)
        if self._held_count:
            return
        if self._pauses:
            self._resume(Pause.LOG)
        elif self._state is HALF_CLOSED:
            self._close()

    def refuse(self, replies: ByteData, reason: str) -> None:
        """Send an error in place of the replies and close: the log could not be written."""
        self._held_bytes -= len(replies)
        self._held_count -= 1
        if self.is_gone or self._socket.is_closing():
            return
        self._socket.write(self.transport.refusal(str(errors.not_logged(reason))))
        self._close()

    def limit(self) -> None:
        """Note that a rate limit was set or removed."""
        if self._is_open and self._receive is not receive_first:
            self._use(self.transport)

    def hold(self, data: bytes, seconds: float) -> None:
        """Run data later, because of the rate limit."""
        if self._is_open:
            self._unread = data + self._unread
            self._pause(Pause.RATE)
            self.dependencies.loop.call_later(seconds, self._resume, Pause.RATE)

    @property
    def is_busy(self) -> bool:
        """Whether requests wait for the server: for work, the log, its own slow reading."""
        return bool(self._pauses or self._held_count) or not self._is_open

    def time_out(self) -> None:
        """Close with an error: a request takes too long to arrive."""
        self._send(self.transport.refusal(str(errors.request_timed_out())), is_last=True)

    @property
    def unsent(self) -> int:
        """Bytes in the write buffer."""
        return self._socket.get_write_buffer_size()

    def listen(self, listener: Listener) -> None:
        """Become live: the listener sends replies from now on, in order with its messages."""
        self.session.live = listener.is_exclusive
        if self.listener is listener:
            return
        self.listener = listener
        self._write = lambda data: listener.send(bytes(data), is_last=False)
        # Many connections share the bytes of a message while it waits outside the write buffer.
        self._socket.set_write_buffer_limits(LIVE_BYTES_HIGH, LIVE_BYTES_LOW)
        if Pause.WRITE_BUFFER in self._pauses:
            listener.pause()
        self.dependencies.log.info("live %s", self.address)

    def leave(self) -> None:
        """Become ordinary again. The listener stays where something is queued before replies."""
        self.session.live = False
        listener = self.listener
        if listener is not None and listener.is_idle:
            listener.close()
            self.listener = None
            self._write = self._socket.write
            self._socket.set_write_buffer_limits(OUTPUT_BYTES_HIGH, OUTPUT_BYTES_LOW)
            self.dependencies.log.info("not live %s", self.address)

    def write(self, data: bytes) -> None:
        """Write to the socket now; only for the listener."""
        if not self._socket.is_closing():
            self._socket.write(data)

    def shut(self) -> None:
        """Close when the write buffer is sent; only for the listener."""
        self._socket.close()

    def kill(self) -> None:
        """Close at once. What is not sent is lost."""
        self._leave(GONE)
        self._socket.abort()

    def finish(self) -> None:
        """Close after the replies that are due, at a clean stop."""
        self._send(b"", is_last=True)

    def _use(self, transport: Transport) -> None:
        """Use a transport from now on."""
        self.transport = transport
        self._receive = transport.receive
        if self.dependencies.limiter.rate:
            self._receive = receive_limited
        self.session = transport.session
        self.is_plain = transport.is_plain

    def _leave(self, state: State) -> None:
        """Enter a state in which received data is discarded."""
        self._state = state
        self._receive = discard

    def _keep(self, data: bytes) -> None:
        """Buffer data that arrives during a pause: some event loops deliver what they had read."""
        if self._is_open:
            self._unread += data
            if len(self._unread) > INPUT_BYTES_WAITING_MAX:
                self.kill()
            elif len(self._unread) > INPUT_BYTES_WAITING_MAX // 2:
                self._socket.pause_reading()

    def _take(self, outcome: Outcome) -> None:
        """Carry out a transport's step."""
        if isinstance(outcome, tuple):
            self._commit(*outcome)
            return
        if isinstance(outcome, bytes):
            if outcome:
                self._send(outcome)
            return
        then = outcome.then
        self._send(outcome.output, wrote=outcome.wrote, is_last=isinstance(then, Close))
        if then is not None:
            self._go_on(then)

    def _go_on(self, then: Wait | Close | Upgrade | Then) -> None:
        match then:
            case Wait():
                self._start(then)
            case Close(reason):
                if reason:
                    self.dependencies.log.error("%s", reason)
            case Upgrade(transport, data):
                if self._is_open:
                    self._use(transport)
                    self._take(self._receive(self, data, self._now()))
            case Then.CONTINUE:
                self._yield()
            case Then.ABORT:
                self.kill()

    def _yield(self) -> None:
        """Let other connections run before this one goes on."""
        self._pause(Pause.TIME_SLICE)
        self.dependencies.loop.call_soon(self._resume, Pause.TIME_SLICE)

    def _commit(self, replies: bytes, log: bytes) -> None:
        """Append to the log, and send the replies once that is written."""
        if self._journal.commit(self, replies, log):
            self._write(replies)
            return
        self._held_bytes += len(replies)
        self._held_count += 1
        if self._held_bytes > OUTPUT_BYTES_HIGH:
            self._pause(Pause.LOG)

    def _send(self, replies: ByteData, *, wrote: bool = False, is_last: bool = False) -> None:
        """Send now, or when everything that was logged before is written."""
        if self._state is GONE:
            return
        if is_last:
            self._begin_close()
        journal = self._journal
        if journal.is_dirty and (wrote or self._held_count or journal.holds_reads):
            self._held_bytes += len(replies)
            self._held_count += 1
            self._journal.wait(self, replies, wrote=wrote, is_last=is_last)
            if self._held_bytes > OUTPUT_BYTES_HIGH:
                self._pause(Pause.LOG)
            return
        self._emit(replies, is_last=is_last)
        if self._pauses and Pause.WRITE_BUFFER in self._pauses:
            self._cut_if_flooded()

    def _emit(self, replies: ByteData, *, is_last: bool) -> None:
        if self.listener is not None:
            self.listener.send(bytes(replies), is_last=is_last)
            return
        if replies:
            self._write(replies)
        if is_last:
            self._socket.close()

    def _cut_if_flooded(self) -> None:
        limit = self.dependencies.config.get(CLIENT_OUTPUT_BUFFER_LIMIT).normal.hard_bytes
        if self._socket.get_write_buffer_size() > limit:
            self.dependencies.clients.counts.flooded += 1
            self.dependencies.log.warning("%s takes no replies, connection cut", self.address)
            self.kill()

    def _pause(self, reason: Pause) -> None:
        """Run no more requests until _resume for the same reason."""
        if self._is_open and not self._pauses and not self._socket.is_closing():
            self._socket.pause_reading()
        self._pauses |= {reason}

    def _resume(self, reason: Pause) -> None:
        self._pauses -= {reason}
        if not self._is_running():
            return
        data, self._unread = self._unread, b""
        self._take(self._receive(self, data, self._now()))
        if not self._is_running():
            return
        if self._state is HALF_CLOSED and not self._held_count:
            self._close()
        elif not self._socket.is_closing():
            self._socket.resume_reading()

    def _is_running(self) -> bool:
        return not self._pauses and self._is_open

    def _begin_close(self) -> None:
        if self._is_running() and not self._socket.is_closing():
            self._socket.pause_reading()
        self._leave(State.CLOSING)

    def _close(self) -> None:
        self._begin_close()
        self._socket.close()

    def _start(self, wait: Wait) -> None:
        """Run work off the event loop. Other connections go on."""
        self._pause(Pause.WORK)
        work = wait.work
        if work.kind is WorkKind.TIME_SLICES:
            self._step(wait, cast("Iterator[None]", work.run()))
            return
        self._cancel = work.cancel
        # It may take long: a client that leaves meanwhile has to be seen.
        if self._is_open and not self._socket.is_closing():
            self._socket.resume_reading()
        self.dependencies.start(work, partial(self._worked, wait))

    def _step(self, wait: Wait, slices: Iterator[None]) -> None:
        """Run a time slice of work, then let other connections run. It goes on without us."""
        is_over = next(slices, slices) is slices
        # An error in place of the reply, if the log doesn't take the changes.
        self._send(b"", wrote=True)
        if not is_over:
            self.dependencies.loop.call_soon(self._step, wait, slices)
        elif not self.is_gone:
            self._take(wait.finish(None))
            self._resume(Pause.WORK)

    def _worked(self, wait: Wait, result: object, error: BaseException | None) -> None:
        """Send the replies of work that is done, and run the requests after it."""
        self._cancel = None
        if self.is_gone:
            return
        if error is not None:
            self.dependencies.log.error("A reply could not be made: %r", error)
            self.kill()
            return
        outcome = wait.finish(result)
        self._take(outcome)
        if not (isinstance(outcome, Step) and isinstance(outcome.then, Wait)):
            self._resume(Pause.WORK)
