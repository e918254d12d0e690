"""REPLAYHOOK: a hook's past events, out of its history, go to its endpoints again.

While a replay runs, the hook's new events are only in its history, from which they come in turn.
"""

import asyncio
from collections.abc import Callable
from itertools import islice

from tile38py._engine import HookEvent
from tile38py.delivery.history import Histories
from tile38py.delivery.hook_queue import HookQueue
from tile38py.interfaces.history import PastEvent
from tile38py.limits import (
    HISTORY_PAGE_COUNT_MAX,
    REPLAY_AHEAD_COUNT_MAX,
    REPLAY_PAUSE_SECONDS,
)


class Replays:
    """The replays that run."""

    def __init__(
        self,
        queue: HookQueue,
        histories: Histories,
        *,
        wake: Callable[[str], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._queue = queue
        self._histories = histories
        self._wake = wake
        self._now_ns = now_ns
        self._runs: dict[str, object] = {}  # hook -> the identity of its replay
        self._waiting: list[tuple[str, int]] = []  # replays that begin with the delivery

    def is_running(self, hook: str) -> bool:
        """Whether a hook's events come from its history."""
        return hook in self._runs

    def begin(self, hook: str, position: int) -> None:
        """Send a hook's events from a number on, instead of those that wait."""
        stored = self._histories.stored(hook)
        if stored is None:
            return
        self._queue.rewind(hook, began_ns=stored.began_ns, stored=position - 1)
        self.resume(hook, position)

    def resume(self, hook: str, position: int) -> None:
        """Go on with a replay that a restart has interrupted, behind the events that wait."""
        run = self._runs[hook] = object()
        if not self._histories.start(self._run(hook, position, run), f"replay {hook}"):
            self._waiting.append((hook, position))

    def start(self) -> None:
        """Begin the replays that a restart has interrupted."""
        waiting, self._waiting = self._waiting, []
        for hook, position in waiting:
            self.resume(hook, position)

    def forget(self, hook: str) -> None:
        """End the replay of a hook that was deleted."""
        self._runs.pop(hook, None)

    async def _run(self, hook: str, position: int, run: object) -> None:
        while self._runs.get(hook) is run:
            if self._queue.waiting(hook) > REPLAY_AHEAD_COUNT_MAX:
                await asyncio.sleep(REPLAY_PAUSE_SECONDS)
                continue
            span = self._histories.span(hook)
            if span is None:
                break
            position = max(position, span.first)
            recent = self._histories.recent(hook, position)
            if recent is None:
                try:
                    page = await self._histories.read(hook, position)
                except OSError:
                    await asyncio.sleep(REPLAY_PAUSE_SECONDS)
                    continue
            else:
                page = list(islice(recent, HISTORY_PAGE_COUNT_MAX))
            if self._runs.get(hook) is not run:
                return
            self._append(hook, page)
            if page:
                position = page[-1].sequence + 1
            if recent is not None and len(page) == len(recent):
                break
            await asyncio.sleep(0)
        if self._runs.get(hook) is run:
            del self._runs[hook]

    def _append(self, hook: str, events: list[PastEvent]) -> None:
        stored = self._histories.stored(hook)
        if stored is None:
            return
        for event in events:
            numbering = (event.sequence, stored.began_ns, event.made_ns)
            subject = (event.key, event.object_id, event.detect, event.body)
            again = HookEvent(hook, *subject, numbering=numbering)
            self._queue.append(again, self._now_ns())
        if events:
            self._wake(hook)
