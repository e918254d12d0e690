"""A fake of the part that follows a leader, without network and stream."""

from collections.abc import Callable, Generator

from tile38py.errors import CommandError
from tile38py.gates import Gates
from tile38py.interfaces.following import LeaderAddress


class FinishedTask:
    """A task that has ended, with its result."""

    def __init__(self, result: object) -> None:
        self._result = result

    def __await__(self) -> Generator[None, None, object]:
        """Yield once, then return the result."""
        yield
        return self._result

    def result(self) -> object:
        """Return the result."""
        return self._result


class FakeFollowing:
    """Remembers its leader and the state that a test sets."""

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
        """Return the number of one more FOLLOW."""
        self._begun += 1
        return self._begun

    def follow(self, leader: LeaderAddress | None, number: int) -> None:
        """Set the leader."""
        self.leader, self._effective = leader, number
        self._gates.is_following = leader is not None
        self._gates.apply()

    def is_superseded(self, number: int) -> bool:
        """Whether a later FOLLOW took effect."""
        return number < self._effective

    def probe(
        self, leader: LeaderAddress, settle: Callable[[CommandError | None], object]
    ) -> FinishedTask:
        """Settle at once, after calling the function that a test wants called meanwhile."""
        self.probed.append(leader)
        meanwhile, self.while_asking = self.while_asking, None
        if meanwhile is not None:
            meanwhile()
        return FinishedTask(settle(self.error))
