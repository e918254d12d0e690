"""The only reader of clocks and random numbers. All other modules get them passed in."""

import secrets
import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clocks."""

    __slots__ = ()

    # Nanoseconds since 1970, like the deadlines of objects. Every request reads it: a function of
    # our own around it would cost more than the clock.
    now_ns = staticmethod(time.time_ns)

    # Nanoseconds of a clock that never jumps, to measure durations.
    monotonic_ns = staticmethod(time.monotonic_ns)

    def sleep(self, seconds: float) -> None:
        """Block the calling thread, which must not be the event loop's."""
        time.sleep(seconds)


def stamp_text(now_ns: int) -> str:
    """Return a time as file names have it: 20260131T235959.999Z."""
    moment = datetime.fromtimestamp(now_ns / 1e9, UTC)
    return f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03d}Z"


def new_server_id() -> str:
    """Return a random server id: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def new_password(bits: int) -> str:
    """Return a random password of so many bits, rounded up to hexadecimal digits."""
    digits = (bits + 3) // 4
    return secrets.token_hex((digits + 1) // 2)[:digits]


def zone_offset_seconds() -> int:
    """Return the present offset of the local time zone from UTC."""
    return time.localtime().tm_gmtoff
