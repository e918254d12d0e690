"""The router: takes events, published messages and MONITOR lines to those that get them.

Nothing leaves before the log has the writes that caused it. Receivers are chosen when something
happens, not when it is sent: who subscribes in between doesn't get it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tile38py._engine import Events
from tile38py.interfaces import Journal, LiveConnections
from tile38py.interfaces.delivery import HookDelivery

Send = Callable[[], None]
Forward = Callable[[bytes, bytes], None]


@dataclass(frozen=True, slots=True)
class PendingSend:
    """A Waiter: something to be sent once the log has the writes that caused it."""

    send: Send
    postpone: Callable[[Send], None]

    def release(self, replies: bytes, is_last: bool) -> None:
        """Send: the log is written."""
        del replies, is_last
        self.send()

    def refuse(self, replies: bytes, reason: str) -> None:
        """Postpone: the log couldn't be written, but it will be before it takes anything else."""
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
        """Send what fences found to hooks, channels and live fences."""
        for event in events.channels:
            self._forward(event.channel, event.body)
        send, hooks = self._connections.prepare_events(events), events.hooks

        def deliver() -> None:
            if send is not None:
                send()
            if hooks:
                self._hooks.take(hooks)

        self._when_logged(deliver, wrote=True)

    def publish(self, channel: bytes, text: bytes) -> int:
        """Send a message to the subscribers of a channel; the number of messages that are sent."""
        self._forward(channel, text)
        count, send = self._connections.prepare_message(channel, text)
        if count:
            self._when_logged(send, wrote=False)
        return count

    def show(self, address: str, commands: Sequence[bytes], now_ns: int) -> None:
        """Send commands that ran to all monitors."""
        seconds, microseconds = divmod(now_ns // 1000, 1_000_000)
        head = b"+%d.%06d [0 %b] " % (seconds, microseconds, address.encode())
        send = self._connections.prepare_lines([head + shown for shown in commands])
        self._when_logged(send, wrote=False)

    def recovered(self) -> None:
        """Send what was postponed: the log has taken what it couldn't before."""
        postponed, self._postponed = self._postponed, []
        for send in postponed:
            send()

    def _when_logged(self, send: Send, *, wrote: bool) -> None:
        if self._journal.is_dirty:
            self._journal.wait(PendingSend(send, self._postponed.append), wrote=wrote)
        else:
            send()
