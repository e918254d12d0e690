"""The TTL sweeper: removes what is overdue, in slices, and logs it."""

from collections.abc import Callable

from tile38py._engine import Engine
from tile38py.gates import Gates
from tile38py.interfaces import Clock, Journal
from tile38py.limits import EXPIRE_COUNT_MAX


class Sweeper:
    """Called ten times a second."""

    __slots__ = ("_clock", "_engine", "_gates", "_journal", "_log")

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Clock,
        journal: Journal,
        gates: Gates,
        log: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._journal = journal
        self._gates = gates
        self._log = log

    def sweep(self) -> bool:
        """Remove one slice. Whether there may be more, after others had their turn."""
        # What can't be logged mustn't happen: the log would bring it back at the next start.
        if self._gates.is_loading or self._gates.log_error is not None:
            return False
        log, count = self._engine.expire(self._clock.now_ns(), EXPIRE_COUNT_MAX)
        if log:
            self._journal.append(log)
        if count:
            self._log(f"Expired {count} objects")
        return count >= EXPIRE_COUNT_MAX
