"""Requests a second of each user: token buckets that hold a second's worth. Knows no connection."""

from tile38py.limits import RATE_USERS_COUNT_MAX, SECOND_NS


class RateLimiter:
    """Says how long a user's next request has to wait. Without a rate nothing waits."""

    __slots__ = ("_full_ns", "rate")

    def __init__(self) -> None:
        self.rate = 0  # requests a second; 0 = no limit
        # When each user's bucket is full again. It is empty a second before, and owes before that.
        self._full_ns: dict[bytes, int] = {}

    def wait_ns(self, user: bytes, now_ns: int) -> int:
        """The time until a user may send a request; 0 = now."""
        if not self.rate:
            return 0
        return max(self._full_ns.get(user, 0) - now_ns - SECOND_NS + self._share_ns, 0)

    def charge(self, user: bytes, count: int, now_ns: int) -> None:
        """Count a user's requests."""
        if not (self.rate and count):
            return
        if len(self._full_ns) > RATE_USERS_COUNT_MAX:
            self._full_ns = {name: full for name, full in self._full_ns.items() if full > now_ns}
        full_ns = max(self._full_ns.get(user, 0), now_ns)
        self._full_ns[user] = full_ns + count * self._share_ns

    @property
    def _share_ns(self) -> int:
        """The time in which the bucket gets one request's worth."""
        return SECOND_NS // self.rate
