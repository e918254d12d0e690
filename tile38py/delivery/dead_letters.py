"""Dead letters: events that expired or were dropped go to the URL that DEADLETTER names.

They wait in a queue of their own, as if a hook of another name had them: the URL may be down for a
while, too. Also the bound of a hook's queue, beyond which events are dropped.
"""

from collections.abc import Callable, Sequence
from typing import Final

from tile38py._engine import HookEvent, QueuedEvent
from tile38py.delivery.counters import Counters
from tile38py.delivery.hook_queue import HookQueue
from tile38py.interfaces.delivery import HookRecord

PREFIX: Final = "\0dead\0"  # of the name under which a hook's dead letters wait


def dead_name(hook: str) -> str:
    """Return the name under which a hook's dead letters wait."""
    return PREFIX + hook


class DeadLetters:
    """Takes the events that the queue gives up."""

    def __init__(
        self,
        queue: HookQueue,
        counters: Counters,
        *,
        find: Callable[[str], HookRecord | None],
        wake: Callable[[str], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._queue = queue
        self._counters = counters
        self._find = find
        self._wake = wake
        self._now_ns = now_ns
        queue.on_gone = self.take

    def take(self, hook: str, events: Sequence[QueuedEvent]) -> None:
        """Send events that expired or were dropped to the hook's URL for that, if it has one."""
        record = self._find(hook)
        if record is None or record.options is None or not record.options.dead_letter:
            return
        name = dead_name(hook)
        for event in events:
            letter = HookEvent(name, event.key, event.object_id, event.detect, event.body)
            self._queue.append(letter, self._now_ns())
        self._counters.add_dead(hook, len(events))
        self._wake(name)

    async def enforce_bounds(self) -> None:
        """Drop the oldest events of hooks that have more than their bound."""
        crowded, self._queue.crowded = self._queue.crowded, set()
        for hook in crowded:
            while self._queue.excess_bytes(hook) > 0:
                await self._queue.load([hook])
                if not self._queue.drop_excess(hook):
                    self._queue.crowded.add(hook)  # they are being sent: at the next time
                    break
