"""A follower counts as caught up while it has the leader's data, and during a clean reconnect."""

from tests.support.fake_leader import FakeLeader
from tests.support.follower_world import LEADER, FollowerWorld
from tests.support.following import play, sets
from tile38py.limits import FOLLOW_BACKOFF_SECONDS, FOLLOW_RESUME_SECONDS_MAX, SECOND_NS
from tile38py.replication.follower_status import FollowerStatus
from tile38py.replication.leader_connection import LeaderError


def test_a_follower_reconnects_at_once_after_a_rewrite_and_stays_caught_up() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        before = world.loop.time()
        world.leader.log = sets(0, 2)
        world.leader.cut()

        def has_all() -> bool:
            assert world.follower.is_caught_up
            assert world.follower.stale_seconds == 0
            assert world.follower.offset > 0
            return world.log == world.leader.log

        await world.until(has_all)
        assert world.leader.tries[-1] == before
        assert world.loop.time() - before < FOLLOW_BACKOFF_SECONDS / 2
        assert world.bench.engine.statistics()["num_objects"] == 2
        assert not world.errors

    play(scenario, FakeLeader(sets(0, 9)))


def test_a_follower_is_not_caught_up_as_soon_as_a_reconnect_fails() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        before = world.loop.time()
        world.leader.error = LeaderError("nobody listens")
        world.leader.cut()
        await world.until(lambda: not world.follower.is_caught_up)
        assert world.loop.time() - before < FOLLOW_BACKOFF_SECONDS / 2
        assert world.follower.offset == 0

    play(scenario, FakeLeader(sets(0, 1)))


def test_a_leader_that_ends_every_session_is_connected_to_once_a_second() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        before = world.loop.time()
        world.leader.tries.clear()
        for _ in range(5):
            world.bench.log_lines.clear()
            world.leader.cut()
            await world.until(lambda: "caught up" in world.bench.log_lines)
        # Each session has a second connection, on which the logs are compared.
        seconds = [round(at - before) for at in world.leader.tries]
        assert seconds == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]

    play(scenario, FakeLeader(sets(0, 1)))


def test_a_follower_is_not_caught_up_when_a_reconnect_takes_too_long() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        before = world.loop.time()
        # It says that it has more than it sends.
        world.leader.facts[b"aof_size"] = b"1000000"
        world.leader.cut()
        await world.until(lambda: not world.follower.is_caught_up)
        assert round(world.loop.time() - before) == FOLLOW_RESUME_SECONDS_MAX
        assert world.follower.stale_seconds == FOLLOW_RESUME_SECONDS_MAX

    play(scenario, FakeLeader(sets(0, 1)))


def test_a_follower_of_another_leader_is_not_caught_up() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        world.leader.cut()
        await world.until(lambda: world.leader.streams[0].is_closed)
        world.follower.follow(None, world.follower.next_number())
        world.follower.follow(LEADER, world.follower.next_number())
        assert not world.follower.is_caught_up

    play(scenario, FakeLeader(sets(0, 1)))


def test_a_clean_end_does_not_make_a_follower_caught_up() -> None:
    status = FollowerStatus()
    status.end_session(5, resumes=True)
    assert not status.is_caught_up(5)
    assert status.stale_seconds(5) == -1
    status.catch_up()
    status.end_session(10 * SECOND_NS)
    assert status.stale_seconds(17 * SECOND_NS) == 7
