"""The reader of replies: every type, at any split, and bytes that aren't RESP."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tile38py.protocol.resp import (
    NESTING_MAX,
    ErrorReply,
    ProtocolError,
    ReplyReader,
    ReplyValue,
    encode_request,
)

STREAM = (
    b"+OK\r\n-ERR no\r\n:-5\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n*0\r\n*2\r\n:0\r\n*1\r\n$1\r\nx\r\n"
    b"_\r\n#t\r\n,1.5\r\n%1\r\n+a\r\n:1\r\n>2\r\n+message\r\n$0\r\n\r\n"
)
VALUES: list[ReplyValue] = [
    "OK", ErrorReply("ERR no"), -5, b"a\r\n", None, None, [], [0, [b"x"]],
    None, True, 1.5, ["a", 1], ["message", b""],
]  # fmt: skip


def read(*pieces: bytes, reply_bytes_max: int = 1000) -> list[ReplyValue]:
    reader = ReplyReader(reply_bytes_max=reply_bytes_max)
    found: list[ReplyValue] = []
    for piece in pieces:
        reader.feed(piece)
        found += reader.replies()
    return found


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_replies_are_read_wherever_the_pieces_end(cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in itertools.pairwise(ends)]
    assert read(*pieces) == VALUES


def test_replies_are_read_byte_by_byte() -> None:
    assert read(*(STREAM[index : index + 1] for index in range(len(STREAM)))) == VALUES


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200\r\n",
        b":x\r\n",
        b"$1x\r\n",
        b":" + b"1" * 20 + b"\r\n",
        b",x\r\n",
        b"+" * 70_000,
    ],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(data)


def test_a_reply_has_bounds() -> None:
    with pytest.raises(ProtocolError, match="too large"):
        read(b"$2000\r\n")
    with pytest.raises(ProtocolError, match="too large"):
        read(b"*1000\r\n" + b"+a\r\n" * 1000)
    with pytest.raises(ProtocolError, match="nested"):
        read(b"*1\r\n" * (NESTING_MAX + 1))


def test_the_bound_is_that_of_one_reply() -> None:
    assert read(b"$600\r\n%b\r\n" % (b"x" * 600) * 5) == [b"x" * 600] * 5


def test_a_reader_tells_whether_a_reply_is_under_way() -> None:
    reader = ReplyReader(reply_bytes_max=1000)
    reader.feed(b"+OK\r\n+O")
    assert list(reader.replies()) == ["OK"]
    assert not reader.is_between_replies
    reader.feed(b"K\r\n")
    assert list(reader.replies()) == ["OK"]
    assert reader.is_between_replies


def test_a_request_is_an_array_of_bulk_strings() -> None:
    assert encode_request([b"GET", b"\xff\r\n"]) == b"*2\r\n$3\r\nGET\r\n$3\r\n\xff\r\n\r\n"
