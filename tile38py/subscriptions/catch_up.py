"""A subscriber's way from a number in a channel's history to the present: no event is missing and
none comes twice.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from tile38py.interfaces.history import EventHistory, PastEvent
from tile38py.limits import HISTORY_PAGE_COUNT_MAX
from tile38py.subscriptions.listener import Subscription


@dataclass(frozen=True, slots=True)
class CatchUpDependencies:
    """Dependencies of all subscribers that catch up."""

    history: EventHistory
    is_queue_sent: Callable[[], Callable[[], bool]]  # a check: what is queued now was sent
    # Give the subscriber the channel's messages, from a number on.
    join: Callable[[Subscription, bytes, int], None]
    cut: Callable[[Subscription], None]


class CatchUp:
    """One subscriber that catches up with one channel."""

    def __init__(
        self,
        dependencies: CatchUpDependencies,
        subscription: Subscription,
        channel: bytes,
        position: int,
    ) -> None:
        self._dependencies = dependencies
        self._subscription = subscription
        self._channel = channel
        self._name = channel.decode("utf-8", "surrogateescape")
        self._position = position
        self._changed = asyncio.Event()
        self._is_over = False

    def end(self) -> None:
        """Send nothing more."""
        self._is_over = True
        self._changed.set()

    def resume(self) -> None:
        """Go on: the connection takes more."""
        self._changed.set()

    def start(self) -> None:
        """Begin, once the reply to SUBSCRIBE has left."""
        if not self._is_over:
            self._dependencies.history.start(self._run(), f"catch up with {self._name}")

    async def _run(self) -> None:
        is_reply_sent = self._dependencies.is_queue_sent()
        while not is_reply_sent():  # noqa: ASYNC110  # the queue is sent by the loop itself
            await asyncio.sleep(0)
        try:
            while not self._is_over:
                if not await self._send_next():
                    return
                await self._drained()
        except OSError:
            self._dependencies.cut(self._subscription)

    async def _send_next(self) -> bool:
        """Send the next events; return whether there are more before the present."""
        history, name = self._dependencies.history, self._name
        span = history.span(name)
        if span is None or self._position < span.first:
            # The history has gone on: a reader that is too slow is cut, as every subscriber is.
            self._dependencies.cut(self._subscription)
            return False
        events = history.recent(name, self._position)
        if events is None:
            self._send(await history.read(name, self._position))
            return True
        if len(events) > HISTORY_PAGE_COUNT_MAX:
            self._send(list(islice(events, HISTORY_PAGE_COUNT_MAX)))
            return True
        # Nothing may come between the last past event and the first present one.
        self._send(events)
        if not self._is_over:
            self._dependencies.join(self._subscription, self._channel, self._position)
        return False

    def _send(self, events: list[PastEvent]) -> None:
        if self._is_over or not events:
            return
        form = self._subscription.form
        pieces = [form.message(self._channel, event.body, event.sequence) for event in events]
        self._position = events[-1].sequence + 1
        self._subscription.serve(b"".join(pieces))

    async def _drained(self) -> None:
        """Wait until the connection takes more."""
        await asyncio.sleep(0)
        while self._subscription.is_behind and not self._is_over:
            self._changed.clear()
            await self._changed.wait()
