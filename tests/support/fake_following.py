"""A stand-in for what follows a leader: no network, no stream. No test is here."""

from collections.abc import Callable, Generator

from tile38py.errors import CommandError
from tile38py.gates import Gates
from tile38py.interfaces.following import LeaderAddress


class Answered:
    """A task that has ended."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def __await__(self) -> Generator[None, None, object]:
        """The answer."""
        yield
        return self._answer

    def result(self) -> object:
        """The answer."""
        return self._answer


class FakeFollowing:
    """Follows whom it is told."""

    def __init__(self, gates: Gates) -> None:
        self.leader: LeaderAddress | None = None
        self.is_caught_up = False
        self.offset = 0
        self.proven = 0
        self.stale_seconds = -1
        self.error: CommandError | None = None  # of the next probe
        self.while_asking: Callable[[], object] | None = None
        self.probed: list[LeaderAddress] = []
        self._gates = gates
        self._begun = self._effective = 0

    def next_number(self) -> int:
        """Count."""
        self._begun += 1
        return self._begun

    def follow(self, leader: LeaderAddress | None, number: int) -> None:
        """Follow."""
        self.leader, self._effective = leader, number
        self._gates.is_following = leader is not None
        self._gates.apply()

    def is_superseded(self, number: int) -> bool:
        """Whether a later one took effect."""
        return number < self._effective

    def probe(
        self, leader: LeaderAddress, settle: Callable[[CommandError | None], object]
    ) -> Answered:
        """Ask at once; others may do something meanwhile."""
        self.probed.append(leader)
        meanwhile, self.while_asking = self.while_asking, None
        if meanwhile is not None:
            meanwhile()
        return Answered(settle(self.error))
