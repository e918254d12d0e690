"""The entrance: few at a time, all in the end, in order."""

import asyncio

from tile38py.delivery.entrance import Entrance


async def enter_all(entrance: Entrance, count: int) -> list[int]:
    """How many had entered after each turn of the event loop."""
    entered: list[int] = []

    async def enter(number: int) -> None:
        await entrance.enter()
        entered.append(number)

    counts: list[int] = []
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            tasks.create_task(enter(number), name=f"lane {number}")
        while len(entered) < count:
            await asyncio.sleep(0)
            counts.append(len(entered))
    assert entered == list(range(count))
    return counts


async def test_a_thousand_enter_a_few_in_each_turn() -> None:
    counts = await enter_all(Entrance(32), 1000)
    steps = [after - before for before, after in zip([0, *counts], counts, strict=False)]
    assert max(steps) == 32
    assert len(counts) <= 2 * 1000 // 32


async def test_few_enter_at_once() -> None:
    entrance = Entrance(32)
    for _ in range(3):
        assert await enter_all(entrance, 32) == [32]
        await asyncio.sleep(0)


async def test_who_gives_up_leaves_the_line_to_others() -> None:
    entrance = Entrance(1)
    lanes = [asyncio.ensure_future(entrance.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    assert [lane.done() for lane in lanes] == [True, False, False]
    lanes[1].cancel()
    async with asyncio.timeout(5):
        await lanes[2]
    assert lanes[1].cancelled()
