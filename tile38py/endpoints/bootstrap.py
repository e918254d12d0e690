"""The order in which the brokers that a URL names are asked for the rest of their cluster."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

Broker = tuple[str, int]  # host, port
ANSWER_SECONDS_MAX: Final = 2.0  # leaves time to connect to the broker that answers


async def answering_first(
    brokers: Sequence[Broker], probe: Callable[[Broker], Awaitable[object]]
) -> list[Broker]:
    """Return all brokers, the first whose probe succeeds in front.

    Clients try them one after the other, and wait longer for a dead one than a connection may
    take. Raises the first probe's error if all fail, TimeoutError if none ends in time.
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
    return [*answered[:1], *(broker for broker in brokers if broker != answered[0])]
