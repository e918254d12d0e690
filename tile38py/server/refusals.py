"""Counts and logs refused connections. The log has at most one line about them a second."""

from tile38py.clients import LimitCounts
from tile38py.interfaces import Clock
from tile38py.limits import REFUSAL_LOG_SECONDS, SECOND_NS
from tile38py.server.logs import Log


class RefusalLog:
    """Logs a refusal, with the number of those since the last line that were not logged."""

    def __init__(self, counts: LimitCounts, clock: Clock, log: Log) -> None:
        self._counts = counts
        self._clock = clock
        self._log = log
        self._skipped_count = 0
        self._logged_ns: int | None = None

    def __call__(self, host: str, reason: str) -> None:
        """Count a refused connection, and log it unless a line was logged just before."""
        self._counts.refused += 1
        now_ns = self._clock.monotonic_ns()
        is_soon = self._logged_ns is not None
        if self._logged_ns is not None:
            is_soon = now_ns - self._logged_ns < REFUSAL_LOG_SECONDS * SECOND_NS
        if is_soon:
            self._skipped_count += 1
            return
        more = f" (and {self._skipped_count} others)" if self._skipped_count else ""
        self._log.info("Refused a connection from %s: %s%s", host, reason, more)
        self._logged_ns, self._skipped_count = now_ns, 0
