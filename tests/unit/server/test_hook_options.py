"""The words of a hook's options, as delivery reads them."""

import pytest

from tile38py.interfaces.delivery import HookOptions, SendingRule
from tile38py.interfaces.history import HistoryBounds
from tile38py.limits import HISTORY_BYTES_MAX, HOOK_BATCH_COUNT_MAX
from tile38py.server.hook_options import bounds_of, options_of

SECOND_NS = 10**9


def options(line: str) -> HookOptions:
    """Return the options of a line of words."""
    return options_of(line.encode().split(b" "))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("SEQUENCE yes", HookOptions(is_numbered=True)),
        ("HISTORY 5", HookOptions(is_numbered=True)),
        ("TTL 0s", HookOptions(ttl_ns=0)),
        ("TTL 2h", HookOptions(ttl_ns=7200 * SECOND_NS)),
        ("QUEUE 64mb", HookOptions(queue_bytes=64 << 20)),
        ("DEADLETTER redis://h/c", HookOptions(dead_letter="redis://h/c")),
        ("FORMAT cloudevents", HookOptions(is_cloud_event=True)),
        ("TIMEOUT 250ms", HookOptions(rule=SendingRule(timeout_seconds=0.25))),
        (
            "RETRY 500ms..1m",
            HookOptions(rule=SendingRule(retry_seconds_min=0.5, retry_seconds_max=60.0)),
        ),
        (
            "FORMAT ndjson BATCH 20ms|100",
            HookOptions(
                rule=SendingRule(
                    has_batches=True, batch_count=100, batch_seconds=0.02, is_lines=True
                )
            ),
        ),
        (
            "BATCH 1s",
            HookOptions(
                rule=SendingRule(
                    has_batches=True, batch_count=HOOK_BATCH_COUNT_MAX, batch_seconds=1.0
                )
            ),
        ),
    ],
)
def test_options(line: str, expected: HookOptions) -> None:
    assert options(line) == expected


@pytest.mark.parametrize(
    ("word", "bounds"),
    [
        (b"100000|1h|64mb", HistoryBounds(100_000, 3600 * SECOND_NS, 64 << 20)),
        (b"7d", HistoryBounds(0, 7 * 86400 * SECOND_NS, HISTORY_BYTES_MAX)),
        (b"1kb", HistoryBounds(0, 0, 1024)),
    ],
)
def test_bounds_of_a_history(word: bytes, bounds: HistoryBounds) -> None:
    assert bounds_of(word) == bounds
