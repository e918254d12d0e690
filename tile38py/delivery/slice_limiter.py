"""A limiter: few delivery queues start a batch in one iteration of the event loop."""

import asyncio
from collections import deque


class SliceLimiter:
    """Admits at most so many tasks in one iteration of the event loop; the others queue."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._count = 0  # tasks admitted in this iteration
        self._queue: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Return at once if this iteration has room, otherwise in a later one, in order."""
        if not self._count:
            asyncio.get_running_loop().call_soon(self._begin_iteration)
        if self._count < self._count_max and not self._queue:
            self._count += 1
            return
        admitted = asyncio.get_running_loop().create_future()
        self._queue.append(admitted)
        await admitted

    def _begin_iteration(self) -> None:
        self._count = 0
        while self._queue and self._count < self._count_max:
            admitted = self._queue.popleft()
            if not admitted.done():  # cancelled tasks take no room
                admitted.set_result(None)
                self._count += 1
        if self._count:
            asyncio.get_running_loop().call_soon(self._begin_iteration)
