"""The limiter admits few tasks in an iteration, all in the end, in order."""

import asyncio

from tile38py.delivery.slice_limiter import SliceLimiter


async def enter_all(limiter: SliceLimiter, count: int) -> list[int]:
    """Return how many had entered after each iteration of the event loop."""
    entered: list[int] = []

    async def enter(number: int) -> None:
        await limiter.enter()
        entered.append(number)

    counts: list[int] = []
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            tasks.create_task(enter(number), name=f"batch {number}")
        while len(entered) < count:
            await asyncio.sleep(0)
            counts.append(len(entered))
    assert entered == list(range(count))
    return counts


async def test_a_thousand_enter_a_few_in_each_iteration() -> None:
    counts = await enter_all(SliceLimiter(32), 1000)
    steps = [after - before for before, after in zip([0, *counts], counts, strict=False)]
    assert max(steps) == 32
    assert len(counts) <= 2 * 1000 // 32


async def test_few_enter_at_once() -> None:
    limiter = SliceLimiter(32)
    for _ in range(3):
        assert await enter_all(limiter, 32) == [32]
        await asyncio.sleep(0)


async def test_a_cancelled_task_takes_no_room() -> None:
    limiter = SliceLimiter(1)
    tasks = [asyncio.ensure_future(limiter.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    assert [task.done() for task in tasks] == [True, False, False]
    tasks[1].cancel()
    async with asyncio.timeout(5):
        await tasks[2]
    assert tasks[1].cancelled()
