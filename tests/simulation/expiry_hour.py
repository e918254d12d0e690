"""A scenario of an hour in which objects of a leader and its follower expire.

The clock of the follower is ahead, so objects expire there first. The network between the two
stalls now and then, once just after a restart of the follower.
"""

from collections.abc import Sequence

from tests.simulation import oracle
from tests.simulation.loop import SimulatedLoop
from tests.simulation.machine import SimulationContext
from tests.simulation.random_commands import Words
from tests.simulation.scenario import Scenario
from tests.support.resp import encode_command

SECONDS = 3600.0
STEPS_MAX = 4_000_000  # ten times the usual number
WRITE_SECONDS = 4.0  # between two bursts of writes, at most
TTL_SECONDS_MAX = 60
STALL_EVERY_SECONDS = 600.0
STALL_SECONDS = TTL_SECONDS_MAX + 5.0  # all objects that the follower got before expire meanwhile
IDS = 40


class ExpiryHour(Scenario):
    """The scenario. The first machine is the leader, the second the follower."""

    def __init__(self, simulation: SimulationContext, loop: SimulatedLoop) -> None:
        super().__init__(simulation, loop, node_count=2)
        loop.steps.count_max = STEPS_MAX
        # No log is rewritten, not even automatically: the test checks the appended bytes.
        self.followers_shrink, self.size_min = False, 0
        self.follower = self.nodes[1]
        self.follower.clock.ahead_seconds = 2.0
        self._pair = frozenset(node.name for node in self.nodes)

    async def run(self) -> None:
        """Write for an hour and compare; then check a restart and a promotion."""
        await self._start_all()
        stall_at = STALL_EVERY_SECONDS
        while self.loop.time() < SECONDS:
            await self._write(WRITE_SECONDS * self.chance.random())
            if self.loop.time() >= stall_at:
                stall_at += STALL_EVERY_SECONDS
                await self._check_stall(restarts=False)
        await self._check_equal()
        await self._check_stall(restarts=True)
        await self._check_equal()
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

    async def _check_stall(self, *, restarts: bool) -> None:
        """Let all objects expire on the follower while the leader's deletions don't reach it."""
        follower = self.follower
        await self._tell(self.leader, *_timed(b"apart", b"30"))
        await self._check_equal()
        if restarts:
            follower.stop()
            await self._until("the follower stopped", lambda: not follower.process.is_alive)
            await self._until("it caught up again", lambda: self._are_equal())
        self.cluster.network.stalled.add(self._pair)
        before, log = oracle.read_state(follower.engine), follower.log_bytes()
        assert "fleet:timed apart" in before.timed
        await self._write(0.0)
        await self._wait(STALL_SECONDS)
        after = oracle.read_state(follower.engine)
        assert "fleet:timed apart" not in after.timed, "it didn't expire"
        assert after.lasting == before.lasting
        assert follower.log_bytes() == log, "the follower logged what expired"
        assert self.leader.log_bytes() != log, "the leader logged nothing"
        self.cluster.network.heal()

    async def _check_equal(self) -> None:
        """Wait until both states and both logs are equal."""
        await self._until("the follower equals its leader", lambda: self._are_equal())
        sizes = {node.journal.size for node in self.nodes}
        assert sizes == {len(self.leader.log_bytes())}

    def _are_equal(self) -> bool:
        return self._equals_leader(self.follower) and not self.leader.journal.is_dirty

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
        await self._wait(STALL_SECONDS)
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
