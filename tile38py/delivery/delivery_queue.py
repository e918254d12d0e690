"""Delivery queues: hooks that share their endpoints and the rules for sending."""

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final

from tile38py.interfaces.delivery import SendingRule
from tile38py.limits import (
    HOOK_BATCH_COUNT_MAX,
    HOOK_NARROW_FACTOR,
    HOOK_RETRY_SECONDS,
    HOOK_STEP_COUNT_MAX,
)

if TYPE_CHECKING:
    import asyncio

Urls = tuple[str, ...]
QueueKey = tuple[Urls, SendingRule | None]
DOUBLINGS_MAX: Final = 30


class DeliveryQueue:
    """Hooks with the same endpoints that have waiting events, and the task that sends these."""

    __slots__ = (
        "failures", "is_failing", "ready", "room", "rule", "suspects", "task", "urls",
    )  # fmt: skip

    def __init__(self, urls: Urls, rule: SendingRule | None = None) -> None:
        self.urls = urls
        self.rule = rule
        self.ready: OrderedDict[str, None] = OrderedDict()
        self.task: asyncio.Task[None] | None = None
        self.is_failing = False  # its last error was logged
        self.failures = 0  # in a row
        self.room = HOOK_BATCH_COUNT_MAX  # maximum of events in the next batch
        self.suspects: deque[str] = deque()  # hooks that failed alone since the last delivery

    @property
    def key(self) -> QueueKey:
        """The endpoints and rules that its hooks share."""
        return self.urls, self.rule

    @property
    def step(self) -> int:
        """The number of hooks that are handled in one time slice.

        It is larger while another whole batch waits: writes that are faster than delivery get less
        time then, or the queue would grow without end.
        """
        is_behind = len(self.ready) > HOOK_BATCH_COUNT_MAX
        return HOOK_BATCH_COUNT_MAX if is_behind else HOOK_STEP_COUNT_MAX

    @property
    def has_own_backoff(self) -> bool:
        """Whether RETRY says when a failed attempt is repeated, not the endpoint's backoff."""
        return self.rule is not None and self.rule.retry_seconds_max > 0

    def backoff_seconds(self, failures: int) -> float:
        """Return the seconds before the next attempt, after so many failures in a row."""
        if self.rule is None or not self.has_own_backoff:
            return HOOK_RETRY_SECONDS
        doublings = min(max(failures - 1, 0), DOUBLINGS_MAX)
        return min(self.rule.retry_seconds_min * 2.0**doublings, self.rule.retry_seconds_max)

    def put_back(self, hook: str) -> None:
        """Put a hook at the front of the queue."""
        self.ready[hook] = None
        self.ready.move_to_end(hook, last=False)

    def narrow(self, count: int) -> None:
        """Shrink batches: one of so many events broke its connection, maybe by one of them."""
        self.room = max(1, min(self.room, count) // HOOK_NARROW_FACTOR)

    def widen(self) -> None:
        """Let batches grow again."""
        self.room = min(HOOK_BATCH_COUNT_MAX, self.room * 2)
