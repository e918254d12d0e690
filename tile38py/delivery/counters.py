"""Counters of each hook's deliveries, for operators."""

from tile38py.interfaces.delivery import HookCounters
from tile38py.limits import HOOK_FATE_COUNT_MAX


class Counters:
    """The counters of all hooks that ever had an event, and their sums."""

    def __init__(self) -> None:
        self.total = HookCounters()
        self._of_hook: dict[str, HookCounters] = {}

    def get(self, hook: str) -> HookCounters:
        """Return a hook's counters. Read only."""
        return self._of_hook.get(hook) or HookCounters()

    def forget(self, hook: str) -> None:
        """Drop a deleted hook's counters; the sums stay."""
        self._of_hook.pop(hook, None)

    def add_sent(self, hook: str, count: int) -> None:
        """Count delivered events."""
        self._own(hook).sent += count
        self.total.sent += count

    def add_failed(self, hook: str, *, reason: str, now_ns: int) -> None:
        """Count a failed attempt to deliver the hook's next event."""
        for counters in (self._own(hook), self.total):
            counters.failed += 1
            counters.last_error = reason[:HOOK_FATE_COUNT_MAX]
            counters.last_error_ns = now_ns

    def add_retried(self, hook: str) -> None:
        """Count a repeated attempt."""
        self._own(hook).retried += 1
        self.total.retried += 1

    def add_expired(self, hook: str, count: int = 1) -> None:
        """Count events that expired in the queue."""
        self._own(hook).expired += count
        self.total.expired += count

    def add_dropped(self, hook: str, count: int = 1) -> None:
        """Count events that were dropped for lack of room."""
        self._own(hook).dropped += count
        self.total.dropped += count

    def add_dead(self, hook: str, count: int) -> None:
        """Count events that went to the URL of DEADLETTER."""
        self._own(hook).dead += count
        self.total.dead += count

    def _own(self, hook: str) -> HookCounters:
        counters = self._of_hook.get(hook)
        if counters is None:
            counters = self._of_hook[hook] = HookCounters()
        return counters
