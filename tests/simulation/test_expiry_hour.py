"""An hour of expiry on a leader and its follower, with different clocks."""

import random

from tests.simulation.expiry_hour import SECONDS, ExpiryHour
from tests.simulation.scenario import run_scenario


def test_a_follower_logs_what_its_leader_logs_and_no_expiry_of_its_own() -> None:
    seed = random.randrange(1_000_000_000)
    print(f"the seed: {seed}")
    made: list[ExpiryHour] = []

    def make(*arguments: object) -> ExpiryHour:
        made.append(ExpiryHour(*arguments))  # type: ignore[arg-type] # passed through
        return made[0]

    result = run_scenario(seed, make)
    assert not result.failure, "\n".join(result.trace[-200:])
    assert not any("no more" in line for line in result.trace), "an audit was wrong"
    leader, follower = made[0].nodes
    log = leader.log_bytes()
    # Without many expiries the test would prove nothing.
    assert made[0].loop.time() >= SECONDS
    assert all(log.count(word) >= 50 for word in (b"\r\ndel\r\n", b"delchan", b"delhook"))
    assert follower.log_bytes() != log  # the promoted follower has logged its own expiries


class SettingsCheck(ExpiryHour):
    """A scenario that only reads a setting of the servers."""

    async def run(self) -> None:
        """Check that automatic rewrites are off: a rewrite also drops expired objects."""
        await self._start_all()
        for node in self.nodes:
            reply = await self._tell(node, b"CONFIG", b"GET", b"aofshrink-min-size")
            assert reply == "['$ aofshrink-min-size', '$ ']"


def test_no_seed_has_a_log_rewritten_by_itself() -> None:
    for seed in range(20):
        result = run_scenario(seed, SettingsCheck)
        assert not result.failure, "\n".join(result.trace)
