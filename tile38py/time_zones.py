"""The rules of time zones, for the hours in which fences are valid."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ZONES_COUNT_MAX: Final = 1_000  # there are about 600


def utc_offset_seconds(zone: bytes, seconds: int) -> int | None:
    """Return the seconds by which a zone is ahead of UTC at a time; None for an unknown zone.

    `seconds` counts from 1970. Years beyond those of datetime have the offset of its last one.
    """
    try:
        rules = _rules_of(zone.decode("ascii"))
    except (ValueError, LookupError, OSError):
        # Names that don't exist, and files and folders that are no zones.
        return None
    try:
        moment = EPOCH + timedelta(seconds=seconds)
        offset = moment.astimezone(rules).utcoffset()
    except OverflowError:
        offset = datetime(9998, 1, 1, tzinfo=UTC).astimezone(rules).utcoffset()
    assert offset is not None, "zones of the database have an offset"
    return offset // timedelta(seconds=1)


@lru_cache(ZONES_COUNT_MAX)
def _rules_of(zone: str) -> ZoneInfo:
    return ZoneInfo(zone)
