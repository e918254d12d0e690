"""Lets only so many lanes do something in one turn of the event loop; the others wait in line."""

import asyncio
from collections import deque


class Entrance:
    """One door for all lanes."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._count = 0  # who entered in this turn
        self._line: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Go on, in this turn if others leave room in it."""
        if not self._count:
            asyncio.get_running_loop().call_soon(self._next_turn)
        if self._count < self._count_max and not self._line:
            self._count += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        await turn

    def _next_turn(self) -> None:
        self._count = 0
        while self._line and self._count < self._count_max:
            turn = self._line.popleft()
            if not turn.done():  # or its lane has been cancelled
                turn.set_result(None)
                self._count += 1
        if self._count:
            asyncio.get_running_loop().call_soon(self._next_turn)
