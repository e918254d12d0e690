"""Failed logins by address: after some within a minute, further replies are delayed.

All failures of an address share one schedule, so that more connections don't give more attempts.
Nothing waits here: the caller delays the reply of its own connection.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from tile38py.interfaces import Clock
from tile38py.limits import (
    LOGIN_ADDRESSES_COUNT_MAX,
    LOGIN_DELAY_SECONDS,
    LOGIN_DELAY_SECONDS_MAX,
    LOGIN_FAILURES_COUNT_FREE,
    LOGIN_WINDOW_SECONDS,
    SECOND_NS,
)

WINDOW_NS: Final = LOGIN_WINDOW_SECONDS * SECOND_NS
DELAY_NS: Final = int(LOGIN_DELAY_SECONDS * SECOND_NS)
DELAY_NS_MAX: Final = int(LOGIN_DELAY_SECONDS_MAX * SECOND_NS)
UNIX_PREFIX: Final = "@"  # of the address of a client of the unix socket
# Bits of an IPv6 address that name a network; its owner has all addresses in it.
NETWORK_BITS: Final = 64


@dataclass(slots=True)
class AddressFailures:
    """The failed logins of an address."""

    started_ns: int  # of the window; monotonic
    count: int = 0
    free_ns: int = 0  # the time of the latest delayed reply


class FailedLogins:
    """The addresses that failed lately, the one that failed last at the end."""

    __slots__ = ("_by_source", "_clock", "delayed_count")

    def __init__(self, clock: Clock) -> None:
        self.delayed_count = 0
        self._clock = clock
        self._by_source: OrderedDict[str, AddressFailures] = OrderedDict()

    def fail(self, address: str) -> float:
        """Count a failure of a client's address; return the seconds by which to delay the reply."""
        now_ns = self._clock.monotonic_ns()
        source = source_of(address)
        failures = self._by_source.get(source)
        if failures is None or now_ns - failures.started_ns > WINDOW_NS:
            failures = AddressFailures(now_ns, free_ns=failures.free_ns if failures else 0)
            self._by_source[source] = failures
        self._by_source.move_to_end(source)
        if len(self._by_source) > LOGIN_ADDRESSES_COUNT_MAX:
            self._by_source.popitem(last=False)
        failures.count += 1
        is_free = failures.count <= LOGIN_FAILURES_COUNT_FREE and failures.free_ns <= now_ns
        if is_free:
            return 0.0
        self.delayed_count += 1
        failures.free_ns = min(max(failures.free_ns, now_ns) + DELAY_NS, now_ns + DELAY_NS_MAX)
        return (failures.free_ns - now_ns) / SECOND_NS


def source_of(address: str) -> str:
    """Return what an address and its neighbours of the same owner have in common."""
    if address.startswith(UNIX_PREFIX):
        return UNIX_PREFIX
    host = address.rpartition(":")[0].strip("[]")
    try:
        parsed = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(int(parsed) >> (parsed.max_prefixlen - NETWORK_BITS))
