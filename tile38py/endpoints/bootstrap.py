"""The choice of the broker that is asked for the rest of its cluster."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

Broker = tuple[str, int]  # host, port
ANSWER_SECONDS_MAX: Final = 2.0  # leaves time to connect to the broker that answers


async def first_to_answer(
    brokers: Sequence[Broker], probe: Callable[[Broker], Awaitable[object]]
) -> Broker:
    """Return the first broker whose probe succeeds; all are probed at the same time.

    Clients try brokers one after the other, in any order, and wait longer for a dead one than a
    connection may take. Raises the first probe's error if all fail, TimeoutError if none succeeds
    in time.
    """
    answered: list[Broker] = []
    errors: list[Exception] = []
    is_decided = asyncio.Event()

    async def ask(broker: Broker) -> None:
        try:
            await probe(broker)
        except Exception as error:  # noqa: BLE001 - clients of brokers raise what they like
            errors.append(error)
        else:
            answered.append(broker)
        if answered or len(errors) == len(brokers):
            is_decided.set()

    async with asyncio.timeout(ANSWER_SECONDS_MAX), asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(ask(broker)) for broker in brokers]
        await is_decided.wait()
        for task in asking:
            task.cancel()
    if not answered:
        raise errors[0]
    return answered[0]
