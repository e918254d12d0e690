"""Keeps one session with the leader that FOLLOW named, at most. How it goes: see session."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from tile38py import errors
from tile38py.errors import CommandError
from tile38py.interfaces.following import Target
from tile38py.limits import LINK_PROBE_SECONDS_MAX
from tile38py.replication.dependencies import Surroundings
from tile38py.replication.follower_session import Session, Status
from tile38py.replication.handshake import IneligibleError, probe
from tile38py.replication.link import LinkError

Result = TypeVar("Result")
SECOND_NS = 1_000_000_000


class Follower:
    """The following of a server."""

    def __init__(self, surroundings: Surroundings, target: Target | None) -> None:
        self.target = target
        self._surroundings = surroundings
        self._status = Status()
        self._changed = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._session: asyncio.Task[None] | None = None
        self._begun = 0
        self._effective = 0  # the number of the last FOLLOW that took effect

    @property
    def is_caught_up(self) -> bool:
        """Whether we have what the leader had when the session began."""
        return self._status.is_caught_up

    @property
    def offset(self) -> int:
        """How far we are in the leader's log."""
        return self._status.offset

    @property
    def proven(self) -> int:
        """How many bytes of our log are known to be the leader's."""
        return self._status.proven

    @property
    def stale_seconds(self) -> int:
        """For how long we may lack what the leader has; 0 while caught up, -1 if we never were."""
        if self._status.is_caught_up:
            return 0
        if self._status.left_ns is None:
            return -1
        return (self._surroundings.clock.monotonic_ns() - self._status.left_ns) // SECOND_NS

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Follow whoever is to be followed, from now on. Our own log is loaded."""
        self._tasks = tasks
        tasks.create_task(self._run(tasks), name="following")

    def begin(self) -> int:
        """The number of one more FOLLOW."""
        self._begun += 1
        return self._begun

    def is_outdone(self, number: int) -> bool:
        """Whether a later FOLLOW has taken effect."""
        return number < self._effective

    def change(self, target: Target | None, number: int) -> None:
        """Follow this leader, or nobody, from now on."""
        self._effective = number
        if target == self.target:
            return
        self.target = target
        self._changed.set()
        if self._session is not None:
            # It does nothing more, whatever has just arrived for it.
            self._session.cancel()
        self._status.lose(self._surroundings.clock.monotonic_ns())
        self._status.proven = 0
        gates = self._surroundings.gates
        gates.is_following = target is not None
        gates.apply()

    def probe(
        self, target: Target, settle: Callable[[CommandError | None], Result]
    ) -> asyncio.Task[Result]:
        """Ask whether it can be followed; settle is told why not."""
        assert self._tasks is not None
        return self._tasks.create_task(self._probe(target, settle), name="probe a leader")

    async def _run(self, tasks: asyncio.TaskGroup) -> None:
        disk = self._surroundings.disk
        if disk is not None:
            # A crash may have left a copy that never became the log.
            disk.discard(None)
        while True:
            self._changed.clear()
            if self.target is not None:
                await self._follow(tasks, self.target)
            else:
                await self._changed.wait()

    async def _probe(
        self, target: Target, settle: Callable[[CommandError | None], Result]
    ) -> Result:
        around = self._surroundings
        try:
            await probe(around.dial, target, around.us(), LINK_PROBE_SECONDS_MAX)
        except IneligibleError as error:
            return settle(error.refusal)
        except LinkError as error:
            return settle(errors.cannot_follow(str(error)))
        return settle(None)

    def _turn(self, leader: Target) -> None:
        """Follow whom our leader follows; a FOLLOW that still asks is later than this."""
        around = self._surroundings
        try:
            around.keep_leader(leader)
        except CommandError as error:
            around.complain("follow: %s", error)
            return
        around.inform("following new host '%s' '%s'.", leader.host, leader.port)
        self.change(leader, self._effective)

    async def _follow(self, tasks: asyncio.TaskGroup, target: Target) -> None:
        """Follow until somebody or nobody else is to be followed."""
        session = Session(self._surroundings, target, self._status, tasks=tasks, turn=self._turn)
        self._session = tasks.create_task(session.run(), name=f"follow {target.host}")
        try:
            await self._changed.wait()
        finally:
            self._session.cancel()
            await asyncio.wait([self._session])
            self._session = None
