"""Expiry on a leader and its follower for an hour, on their own clocks."""

import random

from tests.simulation.hour import SECONDS, Hour
from tests.simulation.scenario import run_scenario


def test_a_follower_logs_what_its_leader_logs_and_no_expiry_of_its_own() -> None:
    seed = random.randrange(1_000_000_000)
    print(f"the seed: {seed}")
    made: list[Hour] = []

    def make(*arguments: object) -> Hour:
        made.append(Hour(*arguments))  # type: ignore[arg-type] # what a scenario is made of
        return made[0]

    result = run_scenario(seed, make)
    assert not result.failure, "\n".join(result.trail[-200:])
    assert not any("no more" in line for line in result.trail), "an audit was wrong"
    leader, follower = made[0].nodes
    log = leader.log_bytes()
    # The test means something only if much did expire.
    assert made[0].loop.time() >= SECONDS
    assert all(log.count(word) >= 50 for word in (b"\r\ndel\r\n", b"delchan", b"delhook"))
    assert follower.log_bytes() != log  # it has its own history since it was promoted


class Started(Hour):
    """Only asks the servers of an hour for a setting."""

    async def run(self) -> None:
        """None of them may rewrite its log by itself, which would pass for an expiry in it."""
        await self._start_all()
        for node in self.nodes:
            reply = await self._tell(node, b"CONFIG", b"GET", b"aofshrink-min-size")
            assert reply == "['$ aofshrink-min-size', '$ ']"


def test_no_seed_has_a_log_rewritten_by_itself() -> None:
    for seed in range(20):
        result = run_scenario(seed, Started)
        assert not result.failure, "\n".join(result.trail)
