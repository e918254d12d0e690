"""The log of a follower is compared with its leader's again and again while it follows."""

from tests.support.fake_disk import LOG
from tests.support.fake_leader import FakeLeader
from tests.support.follower_world import FollowerWorld
from tests.support.following import play, sets
from tile38py.limits import FOLLOW_AUDIT_AGAIN_SECONDS, FOLLOW_AUDIT_SECONDS

DIFFERENCE = "follow: our log is the leader's no more"


async def later(world: FollowerWorld, seconds: float) -> None:
    end = world.loop.time() + seconds
    await world.until(lambda: world.loop.time() >= end)


def test_what_came_is_compared_once() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        assert world.follower.proven == 0
        await later(world, FOLLOW_AUDIT_SECONDS + 1)
        first = len(world.log)
        assert world.follower.proven == first
        world.leader.append(sets(3, 5))
        await later(world, FOLLOW_AUDIT_SECONDS)
        assert world.follower.proven == len(world.log)
        await later(world, FOLLOW_AUDIT_SECONDS)
        ranges = [(0, first), (first, len(world.log) - first)]
        audits = [[b"aofmd5 %d %d" % asked, b"quit"] for asked in ranges]
        assert world.requests()[1:] == audits
        assert not world.errors

    play(scenario, FakeLeader(sets(0, 3)))


def test_a_log_that_differs_is_replaced() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        content = world.disk.names[LOG]
        content.data = content.data.replace(b"POINT", b"pOINT", 1)
        await world.until(lambda: bool(world.errors))
        assert world.errors == [DIFFERENCE]
        await world.caught_up()

    play(scenario, FakeLeader(sets(0, 3)))


def test_a_leader_that_rewrote_its_log_differs_for_a_moment() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        whole, world.leader.log = world.leader.log, sets(7, 9)
        await later(world, FOLLOW_AUDIT_SECONDS + FOLLOW_AUDIT_AGAIN_SECONDS / 2)
        assert len(world.leader.streams) == 2
        world.leader.log = sets(7, 9) + whole
        world.leader.cut()
        await world.caught_up()
        assert not world.errors

    play(scenario, FakeLeader(sets(0, 3)))


def test_a_log_that_was_rewritten_here_is_audited_no_more() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        file = world.disk.open()
        file.inode.data = sets(7, 8)
        world.aof.pause(lambda: None)
        world.aof.replace(file, file.size(), sync_name=None).close()
        world.aof.resume()
        await later(world, FOLLOW_AUDIT_SECONDS + FOLLOW_AUDIT_AGAIN_SECONDS)
        assert len(world.leader.streams) == 1
        assert world.follower.is_caught_up

    play(scenario, FakeLeader(sets(0, 3)))
