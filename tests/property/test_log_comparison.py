"""The common prefix of two logs is found exactly, with few questions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tile38py.replication import log_comparison
from tile38py.replication.log_comparison import ByteRange, common_prefix

HEAD_BYTES = 16
# Few different bytes, so that ranges are often equal by chance.
LOGS = st.lists(st.sampled_from([b"a", b"b", b"ab"]), max_size=60).map(b"".join)


@pytest.fixture(autouse=True, scope="module")
def small_head() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_comparison, "HEAD_BYTES", HEAD_BYTES)
        yield patch


def found(ours: bytes, theirs: bytes) -> tuple[int, list[ByteRange]]:
    asked: list[ByteRange] = []
    search = common_prefix(len(ours), len(theirs))
    try:
        question = next(search)
        while True:
            asked.append(question)
            span = slice(question.start, question.end)
            question = search.send(ours[span] == theirs[span])
    except StopIteration as end:
        return end.value, asked


def by_hand(ours: bytes, theirs: bytes) -> int:
    size = min(len(ours), len(theirs))
    return next((place for place in range(size) if ours[place] != theirs[place]), size)


@given(LOGS, LOGS, LOGS)
def test_it_is_the_same_as_byte_by_byte(start: bytes, mine: bytes, others: bytes) -> None:
    ours, theirs = start + mine, start + others
    assert found(ours, theirs)[0] == by_hand(ours, theirs)


@given(LOGS, st.data())
def test_a_single_changed_byte_is_found(log: bytes, data: st.DataObject) -> None:
    if not log:
        return
    place = data.draw(st.integers(0, len(log) - 1))
    other = log[:place] + b"x" + log[place + 1 :]
    size, asked = found(log, other)
    assert size == place
    assert len(asked) <= 2 + len(log).bit_length()
    assert all(question.size > 0 for question in asked)


@given(LOGS, LOGS)
def test_an_intact_log_takes_two_questions(log: bytes, more: bytes) -> None:
    size, asked = found(log, log + more)
    assert size == len(log)
    assert len(asked) == (0 if not log else 1 if len(log) <= HEAD_BYTES else 2)


@given(LOGS)
def test_an_unrelated_log_is_found_out_in_its_head(log: bytes) -> None:
    size, asked = found(b"x" + log, b"y" + log)
    assert size == 0
    assert all(question.end <= max(HEAD_BYTES, 1) or len(log) < HEAD_BYTES for question in asked)
