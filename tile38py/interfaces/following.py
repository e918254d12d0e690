"""Interface of the follower, as FOLLOW, INFO and ROLE use it. No implementation lives here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from tile38py.errors import CommandError


@dataclass(frozen=True, slots=True)
class LeaderAddress:
    """The host and port of a leader."""

    host: str
    port: int


class Following(Protocol):
    """Follows a leader. FOLLOW commands are numbered in the order in which they arrived."""

    leader: LeaderAddress | None

    @property
    def is_caught_up(self) -> bool:
        """Whether the data has everything that the leader had when the session began."""

    @property
    def offset(self) -> int:
        """The replication offset: the position in the leader's log."""

    @property
    def proven(self) -> int:
        """Bytes of our log that were compared with the leader's and are equal."""

    @property
    def stale_seconds(self) -> int:
        """Seconds since the data was last caught up; 0 while it is, -1 if it never was."""

    def next_number(self) -> int:
        """The number of one more FOLLOW."""

    def follow(self, leader: LeaderAddress | None, number: int) -> None:
        """Follow this leader from now on; None: follow no one."""

    def is_superseded(self, number: int) -> bool:
        """Whether a later FOLLOW has taken effect."""

    def probe(
        self, leader: LeaderAddress, settle: Callable[[CommandError | None], object]
    ) -> Awaitable[object]:
        """Start a task that asks whether a server can be followed.

        settle is called with the reason why it can't, None if it can; its result is the task's.
        """
