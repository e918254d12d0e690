"""When a log is rewritten by itself."""

from dataclasses import replace

import pytest

from tile38py.persistence.shrink import Growth, Rule, pause_ns, should_shrink

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
LARGE = Growth(size=300, size_base=200)


@pytest.mark.parametrize(
    ("rule", "growth", "expected"),
    [
        (Rule(0), LARGE, False),
        (Rule(299), LARGE, True),
        (Rule(300), LARGE, False),
        (Rule(100), replace(LARGE, is_running=True), False),
        # Between two starts lies a minute, more after failures.
        (Rule(100), replace(LARGE, since_start_ns=MINUTE - 1), False),
        (Rule(100), replace(LARGE, since_start_ns=MINUTE), True),
        (Rule(100), replace(LARGE, since_start_ns=MINUTE, failed_count=1), False),
        (Rule(100), replace(LARGE, since_start_ns=2 * MINUTE, failed_count=1), True),
        # Nothing was appended since the last rewrite, or since the load, before which we know none.
        (Rule(100), Growth(size=200, size_base=200, is_rewritten=True), False),
        (Rule(100), Growth(size=201, size_base=200, is_rewritten=True), True),
        (Rule(100), Growth(size=200, size_base=200), True),
        # Growth.
        (Rule(100, 50), LARGE, True),
        (Rule(100, 51), LARGE, False),
        (Rule(100, 100), Growth(size=101, size_base=0), True),
        (Rule(100, 1), Growth(size=200, size_base=200), False),
        (Rule(100, 10**18), LARGE, False),
        # A log that shrank otherwise, as by a full resync, counts as not grown.
        (Rule(100, 1), Growth(size=150, size_base=200), False),
    ],
)
def test_the_decision(rule: Rule, growth: Growth, expected: bool) -> None:
    assert should_shrink(rule, growth) is expected


def test_the_pause_grows_up_to_an_hour() -> None:
    assert [pause_ns(count) // SECOND for count in (0, 1, 3, 6, 10_000)] == [
        60,
        120,
        480,
        3600,
        3600,
    ]
