"""Runs scenarios of a follower and its fake leader in fake time."""

from collections.abc import Awaitable, Callable

from tests.support.fake_leader import FakeLeader
from tests.support.fake_time import run_in_fake_time
from tests.support.fakes import command
from tests.support.follower_world import FollowerWorld

Scenario = Callable[[FollowerWorld], Awaitable[None]]


def sets(first: int, last: int, key: bytes = b"k") -> bytes:
    """Return SETs for a log, all of the same length for numbers below 10."""
    return b"".join(
        command(b"SET", key, b"%d" % number, b"POINT", b"1", b"2") for number in range(first, last)
    )


def play(scenario: Scenario, leader: FakeLeader, log: bytes = b"", *, follows: bool = True) -> None:
    """Run a scenario in fake time."""

    async def run() -> None:
        world = FollowerWorld(leader, log)
        async with world.running(follows=follows):
            await scenario(world)

    run_in_fake_time(run())
