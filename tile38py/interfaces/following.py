"""What a server asks of whoever makes it a follower. No implementation lives here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from tile38py.errors import CommandError


@dataclass(frozen=True, slots=True)
class Target:
    """A leader's place."""

    host: str
    port: int


class Following(Protocol):
    """Whoever makes us the follower of a leader. FOLLOW commands are numbered in their order."""

    target: Target | None

    @property
    def is_caught_up(self) -> bool:
        """Whether we have what the leader had when the session began."""

    @property
    def offset(self) -> int:
        """How far we are in the leader's log."""

    @property
    def proven(self) -> int:
        """How many bytes of our log are known to be the leader's."""

    @property
    def stale_seconds(self) -> int:
        """For how long we may lack what the leader has; 0 while caught up, -1 if we never were."""

    def begin(self) -> int:
        """The number of one more FOLLOW."""

    def change(self, target: Target | None, number: int) -> None:
        """Follow this leader, or nobody, from now on."""

    def is_outdone(self, number: int) -> bool:
        """Whether a later FOLLOW has taken effect."""

    def probe(
        self, target: Target, settle: Callable[[CommandError | None], object]
    ) -> Awaitable[object]:
        """Ask whether it can be followed; a task that ends with what settle makes of the error."""
