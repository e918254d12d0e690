"""The router: sends events, published messages and MONITOR lines to their receivers.

Nothing is sent before the log has the writes that caused it. The receivers are those at the time of
the event: a connection that subscribes before the sending doesn't get the message, nor does one
that unsubscribes before it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tile38py._engine import Events
from tile38py.interfaces import Journal, LiveConnections
from tile38py.interfaces.delivery import HookDelivery
from tile38py.interfaces.views import ByteData

Send = Callable[[], None]
Forward = Callable[[bytes, bytes], None]


@dataclass(frozen=True, slots=True)
class PendingSend:
    """A Waiter that sends when the log has the writes that caused the message."""

    send: Send
    postpone: Callable[[Send], None]

    def release(self, replies: ByteData, is_last: bool) -> None:
        """Send: the log is written."""
        del replies, is_last
        self.send()

    def refuse(self, replies: ByteData, reason: str) -> None:
        """Postpone: the log can't be written now. It will be before it accepts other writes."""
        del replies, reason
        self.postpone(self.send)


class EventRouter:
    """The router of a server."""

    def __init__(
        self,
        *,
        journal: Journal,
        connections: LiveConnections,
        hooks: HookDelivery,
        forward: Forward,
    ) -> None:
        self._journal = journal
        self._connections = connections
        self._hooks = hooks
        self._forward = forward  # to followers, which have subscribers of their own
        self._postponed: list[Send] = []

    def route(self, events: Events) -> None:
        """Send the events of fences to hooks, channels and live connections."""
        for event in events.channels:
            # Followers have numbered events from the log.
            if not event.sequence:
                self._forward(event.channel, event.body)
        send, hooks = self._connections.prepare_events(events), events.hooks
        has_numbered = any(event.sequence for event in events.channels)

        def deliver() -> None:
            if has_numbered:
                self._hooks.keep(events.channels)
            if send is not None:
                send()
            if hooks:
                self._hooks.take(hooks)

        self._when_logged(deliver, wrote=True)

    def publish(self, channel: bytes, text: bytes) -> int:
        """Send a message to the subscribers of a channel; return how many get it."""
        self._forward(channel, text)
        count, send = self._connections.prepare_message(channel, text)
        if count:
            self._when_logged(send, wrote=False)
        return count

    def show(self, address: str, commands: Sequence[bytes], now_ns: int) -> None:
        """Send executed commands to all monitors."""
        seconds, microseconds = divmod(now_ns // 1000, 1_000_000)
        head = b"+%d.%06d [0 %b] " % (seconds, microseconds, address.encode())
        send = self._connections.prepare_lines([head + shown for shown in commands])
        self._when_logged(send, wrote=False)

    def call_when_logged(self, call: Send) -> None:
        """Call a function when the log has all writes so far, as replies wait for that."""
        self._when_logged(call, wrote=False)

    def recovered(self) -> None:
        """Send the postponed messages: the log has been written."""
        postponed, self._postponed = self._postponed, []
        for send in postponed:
            send()

    def _when_logged(self, send: Send, *, wrote: bool) -> None:
        if self._journal.is_dirty:
            self._journal.wait(PendingSend(send, self._postponed.append), wrote=wrote)
        else:
            send()
