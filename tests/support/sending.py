"""Endpoint pools and deliveries with the real clock, for tests with real brokers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.deliveries import Hook, Hooks
from tests.support.events import hook_event, queued
from tile38py.clock import SystemClock, new_server_id
from tile38py.delivery.deliveries import Deliveries
from tile38py.endpoints.names import Names
from tile38py.endpoints.pool import Pool
from tile38py.endpoints.registry import EndpointDependencies, Registry
from tile38py.interfaces import Clock
from tile38py.interfaces.delivery import Batch


def event(number: int, object_id: str = "a", size: int = 0) -> bytes:
    """An event's message as a fence makes it."""
    padding = b"x" * size
    return (
        b'{"command":"set","group":"6","detect":"inside","hook":"h","key":"f",'
        b'"time":"2026-11-23T14:09:28.91239043Z","id":"%s","n":%d,"p":"%s"}'
        % (object_id.encode(), number, padding)
    )


def batch_of(*bodies: bytes, hook: str = "h") -> Batch:
    """Return a batch of one hook."""
    return Batch([queued(number, hook, body) for number, body in enumerate(bodies, 1)])


def enqueue(deliveries: Deliveries, events: Sequence[tuple[str, bytes]]) -> None:
    """Queue messages for delivery, each with the name of its hook."""
    deliveries.take([hook_event(hook, body) for hook, body in events])


def new_pool(
    published: list[tuple[bytes, bytes]] | None = None,
    environment: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    names: Names | None = None,
) -> Pool:
    """Create a pool of endpoints."""

    def publish(channel: bytes, message: bytes) -> int:
        assert published is not None
        published.append((channel, message))
        return 1

    dependencies = EndpointDependencies(environment or {}, new_server_id, publish, names or Names())
    return Pool(Registry(), dependencies, clock=clock or SystemClock(), log=tell)


def tell(text: str, /, *values: object) -> None:
    """Print a log line, which pytest shows if the test fails."""
    print(text % values)


@asynccontextmanager
async def delivering(
    folder: Path, hooks: Mapping[str, Sequence[str]], pool: Pool | None = None
) -> AsyncIterator[Deliveries]:
    """Run deliveries for hooks with these URLs, for the length of a block."""
    pool = pool or new_pool()
    records = Hooks({name: Hook(urls) for name, urls in hooks.items()})
    deliveries = Deliveries(folder / "queue.db", pool, clock=SystemClock(), hooks=records, log=tell)
    deliveries.open()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(deliveries.run())
        await asyncio.sleep(0)
        try:
            yield deliveries
        finally:
            await deliveries.stop()


async def until(condition: Callable[[], bool], seconds_max: float = 20.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds_max):
        while not condition():  # noqa: ASYNC110 - a condition has no asyncio.Event
            await asyncio.sleep(0.01)
