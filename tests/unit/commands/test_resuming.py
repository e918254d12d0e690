"""SUBSCRIBE that resumes by the id of the last event."""

import pytest

from tile38py.commands import resuming
from tile38py.interfaces.history import HistorySpan


@pytest.mark.parametrize(
    ("line", "last_id", "resumed"),
    [
        (b"subscribe c", b"5", b"subscribe c FROM 6"),
        (b"SUBSCRIBE c from 1", b"5", b"SUBSCRIBE c FROM 6"),
        (b"subscribe c", b"", b"subscribe c"),
        (b"subscribe c", b"x", b"subscribe c"),
        (b"subscribe c", b"-5", b"subscribe c"),
        (b"subscribe c", b"9" * 19, b"subscribe c"),
        (b"subscribe c d", b"5", b"subscribe c d"),
        (b"psubscribe c", b"5", b"psubscribe c"),
    ],
)
def test_a_subscription_resumes_behind_the_last_event(
    line: bytes, last_id: bytes, resumed: bytes
) -> None:
    args = resuming.resumed(line.split(b" "), {b"last-event-id": last_id})
    assert b" ".join(args) == resumed


@pytest.mark.parametrize(("number", "is_gap"), [(2, True), (3, False), (8, False), (9, True)])
def test_a_number_outside_of_the_history_is_a_gap(number: int, *, is_gap: bool) -> None:
    assert resuming.is_gap(number, HistorySpan(3, 7)) is is_gap
    assert not resuming.is_gap(number, None)


def test_only_numbers_are_positions() -> None:
    assert resuming.position([b"Subscribe", b"c", b"From", b"7"]) == (b"c", 7)
    for line in (b"subscribe c from oldest", b"subscribe c", b"psubscribe c from 7"):
        assert resuming.position(line.split(b" ")) is None
