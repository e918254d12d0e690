"""The sweeper: removes what has expired and sends what fences owe to time, and logs it."""

from collections.abc import Callable
from dataclasses import dataclass

from tile38py._engine import Engine
from tile38py.gates import Gates
from tile38py.interfaces import Clock, Journal, Router
from tile38py.limits import EXPIRE_COUNT_MAX, FENCE_UPKEEP_COUNT_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpirySweeper:
    """Removes expired objects, hooks and channels, and lets fences send what is due.

    It is called every EXPIRE_SECONDS and works in time slices.
    """

    engine: Engine
    clock: Clock
    journal: Journal
    gates: Gates
    router: Router
    log: Callable[[str], None]

    def sweep(self) -> bool:
        """Do one time slice. Return whether there may be more."""
        # A removal that can't be logged must wait: a restart would restore the object.
        if self.gates.is_loading or self.gates.log_error is not None:
            return False
        now_ns = self.clock.now_ns()
        log, count = self.engine.expire(now_ns, EXPIRE_COUNT_MAX)
        fence_log, visitors = self.engine.run_fence_upkeep(now_ns, FENCE_UPKEEP_COUNT_MAX)
        if log or fence_log:
            self.journal.append(log + fence_log)
        events = self.engine.take_events()
        if events is not None:
            self.router.route(events)
        if count:
            self.log(f"Expired {count} objects")
        return count >= EXPIRE_COUNT_MAX or visitors >= FENCE_UPKEEP_COUNT_MAX
