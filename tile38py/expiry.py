"""The TTL sweeper: removes what is overdue, in slices, and logs it."""

from collections.abc import Callable
from dataclasses import dataclass

from tile38py._engine import Engine
from tile38py.gates import Gates
from tile38py.interfaces import Clock, Journal, Router
from tile38py.limits import EXPIRE_COUNT_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """Called ten times a second."""

    engine: Engine
    clock: Clock
    journal: Journal
    gates: Gates
    router: Router
    log: Callable[[str], None]

    def sweep(self) -> bool:
        """Remove one slice. Whether there may be more, after others had their turn."""
        # What can't be logged mustn't happen: the log would bring it back at the next start.
        if self.gates.is_loading or self.gates.log_error is not None:
            return False
        log, count = self.engine.expire(self.clock.now_ns(), EXPIRE_COUNT_MAX)
        if log:
            self.journal.append(log)
        events = self.engine.take_events()
        if events is not None:
            self.router.route(events)
        if count:
            self.log(f"Expired {count} objects")
        return count >= EXPIRE_COUNT_MAX
