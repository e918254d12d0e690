"""Plays what befalls a follower and its scripted leader."""

from collections.abc import Awaitable, Callable

from tests.support.fake_leader import FakeLeader
from tests.support.fake_time import run_in_fake_time
from tests.support.fakes import command
from tests.support.follower_world import FollowerWorld

Scenario = Callable[[FollowerWorld], Awaitable[None]]


def sets(first: int, last: int, key: bytes = b"k") -> bytes:
    """Commands of a log, all of the same length up to the tenth."""
    return b"".join(
        command(b"SET", key, b"%d" % number, b"POINT", b"1", b"2") for number in range(first, last)
    )


def play(scenario: Scenario, leader: FakeLeader, log: bytes = b"", *, follows: bool = True) -> None:
    """Let it happen."""

    async def run() -> None:
        world = FollowerWorld(leader, log)
        async with world.running(follows=follows):
            await scenario(world)

    run_in_fake_time(run())
