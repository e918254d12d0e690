"""What operators see of each hook's deliveries. Counts; decides nothing."""

from tile38py.interfaces.delivery import HookCounters
from tile38py.limits import HOOK_FATE_COUNT_MAX


class Counters:
    """The counters of all hooks that ever had an event, and their sums."""

    def __init__(self) -> None:
        self.total = HookCounters()
        self._of_hook: dict[str, HookCounters] = {}

    def get(self, hook: str) -> HookCounters:
        """A hook's counters, to be read."""
        return self._of_hook.get(hook) or HookCounters()

    def forget(self, hook: str) -> None:
        """The hook is gone; the sums stay."""
        self._of_hook.pop(hook, None)

    def add_sent(self, hook: str, count: int) -> None:
        """So many events were delivered."""
        self._own(hook).sent += count
        self.total.sent += count

    def add_failed(self, hook: str, *, reason: str, now_ns: int) -> None:
        """No endpoint took the hook's next event, which stays in the queue."""
        for counters in (self._own(hook), self.total):
            counters.failed += 1
            counters.last_error = reason[:HOOK_FATE_COUNT_MAX]
            counters.last_error_ns = now_ns

    def add_retried(self, hook: str) -> None:
        """An event that failed before is tried again."""
        self._own(hook).retried += 1
        self.total.retried += 1

    def add_expired(self, hook: str, count: int = 1) -> None:
        """So many events waited too long."""
        self._own(hook).expired += count
        self.total.expired += count

    def add_dropped(self, hook: str, count: int = 1) -> None:
        """So many events had no room."""
        self._own(hook).dropped += count
        self.total.dropped += count

    def _own(self, hook: str) -> HookCounters:
        counters = self._of_hook.get(hook)
        if counters is None:
            counters = self._of_hook[hook] = HookCounters()
        return counters
