"""The list of refused requests and logins, which ACL LOG shows: bounded, equal ones counted."""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

from tile38py.limits import ACL_LOG_COUNT_MAX, ACL_LOG_SAME_SECONDS

SAME_NS: Final = ACL_LOG_SAME_SECONDS * 10**9
LOGIN: Final = "auth"  # the reason of a refused login
REASONS: Final = (LOGIN, "command", "key", "channel")


@dataclass(frozen=True, slots=True)
class AccessRefusal:
    """A refused request or login."""

    reason: str  # one of REASONS
    context: str  # toplevel, multi, or lua
    object: bytes  # the command, key or channel
    user: bytes


@dataclass(slots=True)
class RefusalEntry:
    """Equal refusals within a minute."""

    number: int  # from 0 on, unique
    refusal: AccessRefusal
    count: int
    created_ns: int  # since 1970
    updated_ns: int
    client: bytes  # a description of the latest client


class Refusals:
    """The latest refusals, the newest first, and counters of all."""

    __slots__ = ("_number", "counts", "entries")

    def __init__(self) -> None:
        self.entries: deque[RefusalEntry] = deque(maxlen=ACL_LOG_COUNT_MAX)
        self.counts: Counter[str] = Counter()  # by reason
        self._number = 0

    def add(self, refusal: AccessRefusal, client: bytes, now_ns: int) -> None:
        """Add a refusal. The oldest entry is dropped if the list is full."""
        self.counts[refusal.reason] += 1
        for entry in self.entries:
            if entry.refusal == refusal and now_ns - entry.created_ns <= SAME_NS:
                entry.count += 1
                entry.updated_ns = now_ns
                entry.client = client
                self.entries.remove(entry)
                self.entries.appendleft(entry)
                return
        number, self._number = self._number, self._number + 1
        self.entries.appendleft(RefusalEntry(number, refusal, 1, now_ns, now_ns, client))
