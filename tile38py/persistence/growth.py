"""Whether the log has grown enough to be rewritten by itself: a pure decision."""

from dataclasses import dataclass

from tile38py.limits import SHRINK_PAUSE_SECONDS_MAX, SHRINK_PAUSE_SECONDS_MIN

SECOND_NS = 1_000_000_000
PERCENT = 100
DOUBLINGS_MAX = 10  # more than lead from the shortest pause to the longest


@dataclass(frozen=True, slots=True)
class Rule:
    """What the settings ask for."""

    size_min: int  # bytes; 0 = never
    growth_percentage: int = 0  # over the size at the last rewrite, or else at the load


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What is known of the log."""

    size: int  # bytes
    size_base: int  # when it was last rewritten, or else loaded
    is_rewritten: bool = False  # since this server started: size_base is of a rewrite
    is_running: bool = False  # a rewrite
    failed_count: int = 0  # of rewrites in a row that were the last ones
    since_start_ns: int | None = None  # of the last one that started by itself


def should_shrink(rule: Rule, growth: Growth) -> bool:
    """Whether a rewrite is to start."""
    if growth.is_running or rule.size_min <= 0 or growth.size <= rule.size_min:
        return False
    if growth.is_rewritten and growth.size <= growth.size_base:
        return False  # nothing was appended since
    if growth.since_start_ns is not None and growth.since_start_ns < pause_ns(growth.failed_count):
        return False
    grown = growth.size - growth.size_base
    return grown * PERCENT >= rule.growth_percentage * growth.size_base


def pause_ns(failed_count: int) -> int:
    """What has to lie between two starts; a full disk need not be filled every minute."""
    seconds = SHRINK_PAUSE_SECONDS_MIN * 2 ** min(failed_count, DOUBLINGS_MAX)
    return int(min(seconds, SHRINK_PAUSE_SECONDS_MAX) * SECOND_NS)
