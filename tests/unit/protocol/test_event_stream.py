"""Server-Sent Events: who wants them, and their bytes."""

import pytest

from tile38py.interfaces import Wire
from tile38py.interfaces.history import HistorySpan
from tile38py.protocol import event_stream
from tile38py.protocol.push import Form


@pytest.mark.parametrize(
    ("accept", "is_wanted"),
    [
        (b"text/event-stream", True),
        (b"application/json, Text/Event-Stream;q=0.5", True),
        (b"text/event-stream;q=0", False),
        (b"*/*", False),
        (b"", False),
    ],
)
def test_only_who_names_them_gets_them(accept: bytes, *, is_wanted: bool) -> None:
    assert event_stream.is_wanted({b"accept": accept}) is is_wanted
    assert not event_stream.is_wanted({})


def test_a_gap_names_what_there_is() -> None:
    gap = event_stream.gap(2, HistorySpan(3, 7), is_chunked=False)
    assert gap == b'event: gap\ndata: {"wanted": 2, "first": 3, "last": 7}\n\n'


@pytest.mark.parametrize(
    ("wire", "framed"),
    [
        (Wire.EVENT_STREAM, b'id: 7\ndata: {"a": 1}\n\n'),
        (Wire.CHUNKED_EVENT_STREAM, b'16\r\nid: 7\ndata: {"a": 1}\n\n\r\n'),
    ],
)
def test_an_event_has_its_number_as_id(wire: Wire, framed: bytes) -> None:
    form = Form(wire, is_json=True)
    assert form.message(b"c", b'{"a":\n1}', 7) == framed
    assert b"id:" not in form.message(b"c", b'{"a":1}')
    assert b"event: reply\n" in form.reply(b"{}")
    assert b"event:" not in form.framed(b"{}")


def test_a_heartbeat_is_a_comment_that_only_event_streams_have() -> None:
    beats = {wire: Form(wire, is_json=True).heartbeat for wire in Wire}
    assert beats.pop(Wire.EVENT_STREAM) == b":\n\n"
    assert beats.pop(Wire.CHUNKED_EVENT_STREAM) == b"3\r\n:\n\n\r\n"
    assert set(beats.values()) == {b""}


def test_a_chunked_stream_has_an_end() -> None:
    assert Form(Wire.CHUNKED_EVENT_STREAM, is_json=True).end == b"0\r\n\r\n"
    assert Form(Wire.EVENT_STREAM, is_json=True).end == b""
