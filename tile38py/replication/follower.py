"""The follower of a server: FOLLOW commands in their order, at most one session at a time.

See follower_session for what happens in a session.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from tile38py import errors
from tile38py.errors import CommandError
from tile38py.interfaces.following import LeaderAddress
from tile38py.limits import LEADER_PROBE_SECONDS_MAX
from tile38py.replication.dependencies import FollowerDependencies
from tile38py.replication.follower_session import FollowerSession
from tile38py.replication.follower_status import FollowerStatus
from tile38py.replication.handshake import IneligibleError, probe
from tile38py.replication.leader_connection import LeaderError

Result = TypeVar("Result")


class Follower:
    """Follows the leader that the last FOLLOW named."""

    def __init__(self, dependencies: FollowerDependencies, leader: LeaderAddress | None) -> None:
        self.leader = leader
        self._dependencies = dependencies
        self._status = FollowerStatus()
        self._changed = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._session: asyncio.Task[None] | None = None
        self._last_number = 0  # of FOLLOW commands
        self._effective_number = 0  # of the last FOLLOW that took effect

    @property
    def is_caught_up(self) -> bool:
        """Whether the data counts as having everything that the leader has."""
        return self._status.is_caught_up(self._dependencies.clock.monotonic_ns())

    @property
    def offset(self) -> int:
        """The replication offset: the position in the leader's log."""
        return self._status.offset

    @property
    def proven(self) -> int:
        """Bytes of our log that were compared with the leader's and are equal."""
        return self._status.proven

    @property
    def stale_seconds(self) -> int:
        """Seconds since the data was last caught up; 0 while it is, -1 if it never was."""
        return self._status.stale_seconds(self._dependencies.clock.monotonic_ns())

    def open(self, tasks: asyncio.TaskGroup) -> None:
        """Accept FOLLOW. No leader is followed before start()."""
        self._tasks = tasks

    def start(self) -> None:
        """Start to follow, once our own log is loaded."""
        assert self._tasks is not None
        self._tasks.create_task(self._run(self._tasks), name="following")

    def next_number(self) -> int:
        """The number of one more FOLLOW."""
        self._last_number += 1
        return self._last_number

    def is_superseded(self, number: int) -> bool:
        """Whether a later FOLLOW has taken effect."""
        return number < self._effective_number

    def follow(self, leader: LeaderAddress | None, number: int) -> None:
        """Follow this leader from now on; None: follow no one."""
        self._effective_number = number
        if leader == self.leader:
            return
        self.leader = leader
        self._changed.set()
        if self._session is not None:
            # It does nothing more, whatever has just arrived for it.
            self._session.cancel()
        self._status.end_session(self._dependencies.clock.monotonic_ns())
        self._status.proven = 0
        gates = self._dependencies.gates
        gates.is_following = leader is not None
        gates.apply()
        self._dependencies.numbered.follow_changed()

    def probe(
        self, leader: LeaderAddress, settle: Callable[[CommandError | None], Result]
    ) -> asyncio.Task[Result]:
        """Start a task that asks whether a server can be followed; settle gets the error."""
        assert self._tasks is not None
        return self._tasks.create_task(self._probe(leader, settle), name="probe a leader")

    async def _run(self, tasks: asyncio.TaskGroup) -> None:
        disk = self._dependencies.disk
        if disk is not None:
            # A crash may have left a copy that never became the log.
            disk.discard(None)
        while True:
            self._changed.clear()
            if self.leader is not None:
                await self._follow(tasks, self.leader)
            else:
                await self._changed.wait()

    async def _probe(
        self, leader: LeaderAddress, settle: Callable[[CommandError | None], Result]
    ) -> Result:
        connector, identity = self._dependencies.connector, self._dependencies.identity()
        try:
            await probe(connector, leader, identity, LEADER_PROBE_SECONDS_MAX)
        except IneligibleError as error:
            return settle(error.refusal)
        except LeaderError as error:
            return settle(errors.cannot_follow(str(error)))
        return settle(None)

    def _redirect(self, leader: LeaderAddress) -> None:
        """Follow our leader's leader. A FOLLOW that still probes counts as later than this."""
        dependencies = self._dependencies
        try:
            dependencies.keep_leader(leader)
        except CommandError as error:
            dependencies.log_error("follow: %s", error)
            return
        dependencies.log_info("following new host '%s' '%s'.", leader.host, leader.port)
        self.follow(leader, self._effective_number)

    async def _follow(self, tasks: asyncio.TaskGroup, leader: LeaderAddress) -> None:
        """Follow a leader until FOLLOW names another or no one."""
        session = FollowerSession(
            self._dependencies, leader, self._status, tasks=tasks, redirect=self._redirect
        )
        self._session = tasks.create_task(session.run(), name=f"follow {leader.host}")
        try:
            await self._changed.wait()
        finally:
            self._session.cancel()
            await asyncio.wait([self._session])
            self._session = None
