"""Sending a batch where a broker takes its events one by one, all under way at a time."""

import asyncio
from collections.abc import Awaitable, Callable

from tile38py.interfaces.delivery import Batch


async def send_each(
    batch: Batch,
    publish: Callable[[bytes], Awaitable[object]],
    *,
    refusals: tuple[type[Exception], ...] = (),
) -> None:
    """Publish all that wait and mark what was taken; raise the first failure after the last.

    What is refused for a reason of its own is marked; it doesn't keep back what is under way.
    """

    async def send_one(index: int) -> None:
        await publish(batch.events[index].body)
        # Marked at once: what ends the wait for the others doesn't undo it.
        batch.delivered.add(index)

    waiting = batch.waiting()
    outcomes = await asyncio.gather(*map(send_one, waiting), return_exceptions=True)
    down: list[BaseException] = []
    for index, outcome in zip(waiting, outcomes, strict=True):
        if isinstance(outcome, refusals):
            batch.refused[index] = str(outcome) or type(outcome).__name__
        elif isinstance(outcome, BaseException):
            down.append(outcome)
    if down:
        raise down[0]
