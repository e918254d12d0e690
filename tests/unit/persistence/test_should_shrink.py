"""When a log is rewritten by itself."""

from dataclasses import replace

import pytest

from tile38py.persistence.shrink import LogGrowth, ShrinkRule, backoff_ns, should_shrink

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
LARGE = LogGrowth(size=300, size_base=200)


@pytest.mark.parametrize(
    ("rule", "growth", "expected"),
    [
        (ShrinkRule(0), LARGE, False),
        (ShrinkRule(299), LARGE, True),
        (ShrinkRule(300), LARGE, False),
        (ShrinkRule(100), replace(LARGE, is_running=True), False),
        # Between two starts lies a minute, more after failures.
        (ShrinkRule(100), replace(LARGE, since_start_ns=MINUTE - 1), False),
        (ShrinkRule(100), replace(LARGE, since_start_ns=MINUTE), True),
        (ShrinkRule(100), replace(LARGE, since_start_ns=MINUTE, failed_count=1), False),
        (ShrinkRule(100), replace(LARGE, since_start_ns=2 * MINUTE, failed_count=1), True),
        # Nothing was appended since the last rewrite, or since the load, before which we know none.
        (ShrinkRule(100), LogGrowth(size=200, size_base=200, is_rewritten=True), False),
        (ShrinkRule(100), LogGrowth(size=201, size_base=200, is_rewritten=True), True),
        (ShrinkRule(100), LogGrowth(size=200, size_base=200), True),
        # The growth since the last rewrite, in percent.
        (ShrinkRule(100, 50), LARGE, True),
        (ShrinkRule(100, 51), LARGE, False),
        (ShrinkRule(100, 100), LogGrowth(size=101, size_base=0), True),
        (ShrinkRule(100, 1), LogGrowth(size=200, size_base=200), False),
        (ShrinkRule(100, 10**18), LARGE, False),
        # A log that shrank otherwise, as by a full resync, counts as not grown.
        (ShrinkRule(100, 1), LogGrowth(size=150, size_base=200), False),
    ],
)
def test_the_decision(rule: ShrinkRule, growth: LogGrowth, expected: bool) -> None:
    assert should_shrink(rule, growth) is expected


def test_the_pause_grows_up_to_an_hour() -> None:
    assert [backoff_ns(count) // SECOND for count in (0, 1, 3, 6, 10_000)] == [
        60,
        120,
        480,
        3600,
        3600,
    ]
