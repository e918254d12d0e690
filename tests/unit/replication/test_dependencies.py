"""Waiting for threads while somebody else may be followed at any moment."""

import asyncio

import pytest

from tests.support.fake_leader import FakeLeader, LoopThreads
from tests.support.fake_time import run_in_fake_time
from tests.support.follower_world import FollowerWorld
from tests.support.following import play, sets
from tile38py.replication.dependencies import wait_until_done


def test_who_is_cancelled_while_a_thread_works_ends_with_it() -> None:
    async def scenario() -> None:
        future = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(wait_until_done(future))
            for _ in range(2):
                await asyncio.sleep(1)
                waiting.cancel()
            await asyncio.sleep(1)
            assert not waiting.done()
            future.set_exception(OSError("nobody wants it"))
        assert waiting.cancelled()

    run_in_fake_time(scenario())


def test_a_follow_no_one_while_a_line_breaks_amid_a_comparison_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario(world: FollowerWorld) -> None:
        working: list[asyncio.Future[object]] = []

        def work_for_ever(*_: object) -> asyncio.Future[object]:
            working.append(world.loop.create_future())
            return working[-1]

        with monkeypatch.context() as patch:
            patch.setattr(LoopThreads, "run", work_for_ever)
            await world.until(lambda: bool(working))
        world.leader.streams[1].send(b"")  # the line breaks; our own sum isn't made yet
        await asyncio.sleep(0.1)
        world.follower.follow(None, world.follower.next_number())
        await asyncio.sleep(0.1)
        working[0].set_result("")
        await asyncio.sleep(20)
        assert len(world.leader.streams) == 2
        assert all(stream.is_closed for stream in world.leader.streams)

    leader = FakeLeader(sets(0, 8))
    leader.replies[b"aofmd5"] = None
    play(scenario, leader, sets(0, 4))
