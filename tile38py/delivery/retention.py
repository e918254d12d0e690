"""The retention of the hook queue: how long events may wait, and how many bytes."""

from dataclasses import dataclass, field

from tile38py.interfaces.delivery import HookRecord
from tile38py.limits import HOOK_QUEUE_BYTES_MAX, HOOK_QUEUE_BYTES_SLACK, HOOK_TTL_SECONDS


@dataclass(frozen=True, slots=True)
class HookRule:
    """The retention of one hook's events, where it isn't that of all hooks."""

    expires: bool  # whether events expire by the lifetime of all hooks' events
    ttl_ns: int = 0  # the hook's own lifetime, instead; 0 = none
    queue_bytes: int = 0  # the bound of the hook's own queue; 0 = none
    resumed_ns: int = 0  # when a pause ended: older events live as long as those of that time


@dataclass(slots=True)
class Retention:
    """Lifetime and total size of waiting events: settings that may change at any time."""

    ttl_ns: int = HOOK_TTL_SECONDS * 10**9  # 0 = until delivered
    bytes_max: int = HOOK_QUEUE_BYTES_MAX  # 0 = no bound; the oldest events go first
    rules: dict[str, HookRule] = field(default_factory=dict)
    generation: int = 0  # changes when events that lasted begin to expire

    def set_rule(self, hook: str, record: HookRecord, now_ns: int) -> None:
        """Follow a hook's options and pauses: numbered events and those of paused hooks last."""
        options = record.options
        size = options.queue_bytes if options is not None else 0
        if options is not None and options.ttl_ns is not None:
            self.rules[hook] = HookRule(expires=False, ttl_ns=options.ttl_ns, queue_bytes=size)
        elif record.is_paused or (options is not None and options.is_numbered):
            self.rules[hook] = HookRule(expires=False, queue_bytes=size)
        elif size or (options is not None and options.dead_letter):
            # Expired events are not dropped by the sweep of the file, which has no texts.
            self.rules[hook] = HookRule(expires=False, ttl_ns=self.ttl_ns, queue_bytes=size)
        elif hook in self.rules and not self.rules[hook].expires:
            self.rules[hook] = HookRule(expires=True, resumed_ns=now_ns)
            self.generation += 1

    def forget(self, hook: str) -> None:
        """Forget a deleted hook."""
        self.rules.pop(hook, None)

    def queue_bytes(self, hook: str) -> int:
        """Return the bound of a hook's own queue; 0 if it has none."""
        rule = self.rules.get(hook) if self.rules else None
        return 0 if rule is None else rule.queue_bytes

    def is_lasting(self, hook: str) -> bool:
        """Whether the lifetime of all hooks' events doesn't hold for a hook's."""
        rule = self.rules.get(hook)
        return rule is not None and not rule.expires

    def cutoff_ns(self, now_ns: int, hook: str | None = None) -> int:
        """Return the time before which queued events, of a hook or of any, are expired."""
        cutoff_ns = now_ns - self.ttl_ns if self.ttl_ns else 0
        rule = self.rules.get(hook) if hook is not None and self.rules else None
        if rule is not None and rule.ttl_ns:
            return now_ns - rule.ttl_ns
        if rule is not None and (not rule.expires or cutoff_ns < rule.resumed_ns):
            return 0
        return cutoff_ns

    def is_exceeded(self, size: int) -> bool:
        """Whether so many bytes exceed the limit."""
        return 0 < self.bytes_max < size

    def is_far_exceeded(self, size: int) -> bool:
        """Whether so many bytes exceed the limit and the slack: new events are dropped at once."""
        return 0 < self.bytes_max < size - HOOK_QUEUE_BYTES_SLACK
