"""The expiry sweeper: removes expired objects, hooks and channels in time slices, and logs it."""

from collections.abc import Callable
from dataclasses import dataclass

from tile38py._engine import Engine
from tile38py.gates import Gates
from tile38py.interfaces import Clock, Journal, Router
from tile38py.limits import EXPIRE_COUNT_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpirySweeper:
    """Removes expired objects, hooks and channels. It is called every EXPIRE_SECONDS."""

    engine: Engine
    clock: Clock
    journal: Journal
    gates: Gates
    router: Router
    log: Callable[[str], None]

    def sweep(self) -> bool:
        """Remove at most EXPIRE_COUNT_MAX objects. Return whether there may be more."""
        # A removal that can't be logged must wait: a restart would restore the object.
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
