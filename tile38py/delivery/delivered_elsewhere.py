"""Events that another server has delivered: a follower drops them from its queue.

The queue knows the numbers of the events that it has in memory. Those in the file are read first.
"""

from tile38py.delivery.hook_queue import HookQueue


class DeliveredElsewhere:
    """The hooks whose delivered events are still to be dropped."""

    def __init__(self, queue: HookQueue) -> None:
        self._queue = queue
        self._delivered: dict[str, int] = {}  # hook -> the number of the last delivered event

    def note(self, hook: str, sequence: int) -> None:
        """Drop a hook's events up to a number from memory."""
        self._queue.drop_sequences(hook, sequence)
        if self._queue.needs_load(hook):
            self._delivered[hook] = sequence

    async def finish(self) -> None:
        """Drop the events that are only in the file."""
        while self._delivered:
            hook, sequence = self._delivered.popitem()
            while self._queue.needs_load(hook):
                await self._queue.load([hook])
                if not self._queue.drop_sequences(hook, sequence):
                    break
