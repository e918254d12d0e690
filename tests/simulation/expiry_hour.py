"""An hour of a leader and a follower on whose machines things only expire.

The follower's clock is ahead, so it is the first to miss what expires. Now and then nothing
passes between the two, once just after the follower started anew.
"""

from collections.abc import Sequence

from tests.simulation import oracle
from tests.simulation.loop import SimulatedLoop
from tests.simulation.machine import World
from tests.simulation.scenario import Scenario
from tests.simulation.words import Words
from tests.support.resp import encode_command

SECONDS = 3600.0
STEPS_MAX = 4_000_000  # a tenth of them are usual
WRITE_SECONDS = 4.0  # between two bursts of writes, at most
TTL_SECONDS_MAX = 60
APART_EVERY_SECONDS = 600.0
APART_SECONDS = TTL_SECONDS_MAX + 5.0  # what the follower got before is gone by then
IDS = 40


class Hour(Scenario):
    """The leader is the first machine, the follower the second."""

    def __init__(self, world: World, loop: SimulatedLoop) -> None:
        super().__init__(world, loop, machine_count=2)
        loop.steps.count_max = STEPS_MAX
        # Nobody rewrites a log, not even by itself: what is in one has to be what was appended.
        self.followers_shrink, self.size_min = False, 0
        self.follower = self.nodes[1]
        self.follower.clock.ahead_seconds = 2.0
        self._pair = frozenset(node.name for node in self.nodes)

    async def run(self) -> None:
        """Write for an hour and compare; then see what a restart and a promotion change."""
        await self._start_all()
        apart_at = APART_EVERY_SECONDS
        while self.loop.time() < SECONDS:
            await self._write(WRITE_SECONDS * self.chance.random())
            if self.loop.time() >= apart_at:
                apart_at += APART_EVERY_SECONDS
                await self._be_apart(restarts=False)
        await self._check_alike()
        await self._be_apart(restarts=True)
        await self._check_alike()
        await self._check_promotion()

    async def _write(self, pause_seconds: float) -> None:
        await self._wait(pause_seconds)
        words = [self._command() for _ in range(self.chance.randint(1, 5))]
        for command in words:
            await self._tell(self.leader, *command)

    def _command(self) -> Words:
        seconds = b"%d" % self.chance.randint(1, TTL_SECONDS_MAX)
        number = b"%d" % self.chance.randrange(IDS)
        fence = (b"NEARBY", b"fleet", b"FENCE", b"POINT", b"1", b"1", number)
        place = (b"POINT", b"1", number)
        return self.chance.choice((
            (b"SET", b"fleet:timed", number, b"EX", seconds, *place),
            (b"SET", b"fleet:timed", number, b"EX", seconds, *place),
            (b"SET", b"fleet:lasting", number, *place),
            (b"EXPIRE", b"fleet:timed", number, seconds),
            (b"PERSIST", b"fleet:timed", number),
            (b"SETCHAN", b"chan." + number + b".timed", b"EX", seconds, *fence),
            (b"SETHOOK", b"hook." + number + b".timed", b"http://127.0.0.1:1/x",
             b"EX", seconds, *fence),
            (b"DEL", b"fleet:timed", number),
        ))  # fmt: skip

    async def _be_apart(self, *, restarts: bool) -> None:
        """All that the follower has expires while its leader's deletions don't reach it."""
        follower = self.follower
        await self._tell(self.leader, *_timed(b"apart", b"30"))
        await self._check_alike()
        if restarts:
            follower.stop()
            await self._until("the follower stopped", lambda: not follower.process.is_alive)
            await self._until("it caught up again", lambda: self._are_alike())
        self.cluster.network.stalled.add(self._pair)
        before, log = oracle.read_state(follower.engine), follower.log_bytes()
        assert "fleet:timed apart" in before.timed
        await self._write(0.0)
        await self._wait(APART_SECONDS)
        after = oracle.read_state(follower.engine)
        assert "fleet:timed apart" not in after.timed, "it didn't expire"
        assert after.lasting == before.lasting
        assert follower.log_bytes() == log, "the follower logged what expired"
        assert self.leader.log_bytes() != log, "the leader logged nothing"
        self.cluster.network.heal()

    async def _check_alike(self) -> None:
        """Both logs and both states are the same; the logs are what the leader wrote."""
        await self._until("the follower is as its leader", lambda: self._are_alike())
        sizes = {node.journal.size for node in self.nodes}
        assert sizes == {len(self.leader.log_bytes())}

    def _are_alike(self) -> bool:
        return self._is_alike(self.follower) and not self.leader.journal.is_dirty

    async def _check_promotion(self) -> None:
        promoted = self.follower
        log = promoted.log_bytes()
        assert await self._tell(promoted, b"FOLLOW", b"no", b"one") == "+OK"
        await self._tell(promoted, *_timed(b"later", b"2"))
        await self._tell(promoted, b"SETCHAN", b"later.timed", b"EX", b"2", *_fence())
        deletions = (
            encode_command((b"del", b"fleet:timed", b"later")),
            encode_command((b"delchan", b"later.timed")),
        )

        def logs_them() -> bool:
            added = promoted.log_bytes().removeprefix(log)
            return all(added.count(deletion) == 1 for deletion in deletions)

        await self._until("what expires on the promoted follower is logged", logs_them)
        await self._wait(APART_SECONDS)
        state = oracle.read_state(promoted.engine)
        assert promoted.log_bytes().startswith(log)
        replayed = oracle.read_state(oracle.replayed(promoted.log_bytes()))
        oracle.must_equal("the promoted follower: log and data", replayed, state)

    async def _wait(self, seconds: float) -> None:
        end = self.loop.time() + seconds
        await self._until("time passes", lambda: self.loop.time() >= end)


def _timed(name: bytes, seconds: bytes) -> Words:
    return (b"SET", b"fleet:timed", name, b"EX", seconds, b"POINT", b"1", b"1")


def _fence() -> Sequence[bytes]:
    return (b"NEARBY", b"fleet", b"FENCE", b"POINT", b"1", b"1", b"1")
