"""The retention of the hook queue: how long events may wait, and how many bytes."""

from dataclasses import dataclass

from tile38py.limits import HOOK_QUEUE_BYTES_MAX, HOOK_QUEUE_BYTES_SLACK, HOOK_TTL_SECONDS


@dataclass(slots=True)
class Retention:
    """Lifetime and total size of waiting events: settings that may change at any time."""

    ttl_ns: int = HOOK_TTL_SECONDS * 10**9  # 0 = until delivered
    bytes_max: int = HOOK_QUEUE_BYTES_MAX  # 0 = no bound; the oldest events go first

    def cutoff_ns(self, now_ns: int) -> int:
        """Return the time before which queued events are expired."""
        return now_ns - self.ttl_ns if self.ttl_ns else 0

    def is_exceeded(self, size: int) -> bool:
        """Whether so many bytes exceed the limit."""
        return 0 < self.bytes_max < size

    def is_far_exceeded(self, size: int) -> bool:
        """Whether so many bytes exceed the limit and the slack: new events are dropped at once."""
        return 0 < self.bytes_max < size - HOOK_QUEUE_BYTES_SLACK
