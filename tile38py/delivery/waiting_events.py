"""The waiting events of all hooks, as readers see them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tile38py.delivery.backlog import Backlog


class WaitingEvents:
    """The backlogs of all hooks that have waiting events."""

    def __init__(self) -> None:
        self._backlogs: dict[str, Backlog] = {}

    def hooks(self) -> list[str]:
        """Return the hooks with waiting events."""
        return list(self._backlogs)

    def has(self, hook: str) -> bool:
        """Whether events of a hook wait."""
        return hook in self._backlogs

    def needs_load(self, hook: str) -> bool:
        """Whether load() is needed before take() finds events."""
        backlog = self._backlogs.get(hook)
        return backlog is not None and backlog.needs_load

    def waiting(self, hook: str) -> int:
        """Return the number of waiting events of a hook."""
        backlog = self._backlogs.get(hook)
        return 0 if backlog is None else backlog.waiting

    def waiting_bytes(self, hook: str) -> int:
        """Return the bytes of a hook's waiting messages."""
        backlog = self._backlogs.get(hook)
        return 0 if backlog is None else backlog.size

    def oldest_ns(self, hook: str) -> int:
        """Return when the oldest event of a hook was queued; 0 if none waits."""
        backlog = self._backlogs.get(hook)
        return 0 if backlog is None else backlog.oldest_ns

    def oldest_of_all_ns(self) -> int:
        """Return when the oldest event was queued; 0 if none waits. Linear in waiting hooks."""
        times = (backlog.oldest_ns for backlog in self._backlogs.values())
        return min((time_ns for time_ns in times if time_ns), default=0)
