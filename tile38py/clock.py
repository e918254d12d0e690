"""The only reader of time and chance. Everything else is given what it needs of them."""

import secrets
import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clocks."""

    __slots__ = ()

    # Nanoseconds since 1970, as deadlines of objects count them. Every request reads it, so there
    # is no function of ours around it.
    now_ns = staticmethod(time.time_ns)

    # Nanoseconds on a clock that never jumps, to measure what something took.
    monotonic_ns = staticmethod(time.monotonic_ns)

    def sleep(self, seconds: float) -> None:
        """Hold up the calling thread; never called on the event loop's."""
        time.sleep(seconds)


def stamp_text(now_ns: int) -> str:
    """A time as it appears in file names: 20260131T235959.999Z."""
    moment = datetime.fromtimestamp(now_ns / 1e9, UTC)
    return f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03d}Z"


def new_server_id() -> str:
    """A name that no other server has: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def zone_offset_seconds() -> int:
    """How far the local zone is ahead of UTC at present."""
    return time.localtime().tm_gmtoff
