"""Publishing of a batch to brokers that take events one by one: all in flight together."""

import asyncio
from collections.abc import Awaitable, Callable

from tile38py.interfaces.delivery import Batch


async def publish_each(
    batch: Batch,
    publish: Callable[[bytes], Awaitable[object]],
    *,
    publish_cloud_event: Callable[[bytes], Awaitable[object]] | None = None,
    refusals: tuple[type[Exception], ...] = (),
) -> None:
    """Publish all waiting events at the same time and mark those that were delivered.

    Envelopes of CloudEvents have a content type of their own where the protocol has one.

    Exceptions of the types in refusals mark their event as refused. The first other exception is
    raised once no event is in flight any more.
    """

    async def send_one(index: int) -> None:
        send = publish
        if publish_cloud_event is not None and batch.is_cloud_event(index):
            send = publish_cloud_event
        await send(batch.events[index].body)
        # Marked at once, so that it stays marked if the wait for the others is cancelled.
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
