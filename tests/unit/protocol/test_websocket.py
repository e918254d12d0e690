"""The WebSocket handshake and frames."""

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage

from tile38py.limits import WEBSOCKET_MESSAGE_BYTES_MAX
from tile38py.protocol.websocket import (
    ControlReply,
    FrameParser,
    Message,
    handshake,
    key_of,
    text_frame,
)

HEADERS = {
    b"upgrade": b"WebSocket",
    b"sec-websocket-version": b"13",
    b"sec-websocket-key": b"dGhlIHNhbXBsZSBub25jZQ==",
}


def test_a_request_for_websocket_is_known() -> None:
    assert key_of(HEADERS) == b"dGhlIHNhbXBsZSBub25jZQ=="
    assert key_of(HEADERS | {b"sec-websocket-version": b"14"}) is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [("upgrade", b"h2c"), ("sec-websocket-version", b"12"), ("sec-websocket-key", b"")],
)
def test_others_are_plain_http(name: str, value: bytes) -> None:
    assert key_of(HEADERS | {name.encode(): value}) is None


def test_a_version_that_is_no_number_is_an_error() -> None:
    with pytest.raises(ValueError, match="x"):
        key_of(HEADERS | {b"sec-websocket-version": b"x"})


def test_the_handshake_is_that_of_the_standard() -> None:
    assert handshake(HEADERS[b"sec-websocket-key"]) == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("size", "head"), [(5, b"\x81\x05"), (300, b"\x81\x7e\x01\x2c"), (70_000, b"\x81\x7f")]
)
def test_a_message_is_one_unmasked_text_frame(size: int, head: bytes) -> None:
    frame = text_frame(b"x" * size)
    assert frame.startswith(head)
    assert frame.endswith(b"x" * size)


def frames_of(*events: Event) -> bytes:
    """What a client sends."""
    client = Connection(ConnectionType.CLIENT)
    return b"".join(map(client.send, events))


def test_messages_come_whole_at_every_split() -> None:
    parts = (TextMessage(data="SUBSCRIBE é", message_finished=False), TextMessage(data=" b"))
    data = frames_of(*parts, BytesMessage(data=b"PING"))
    for split in range(len(data)):
        frames = FrameParser()
        items = [*frames.receive(data[:split]), *frames.receive(data[split:])]
        assert items == [Message("SUBSCRIBE é b".encode()), Message(b"PING")]


def test_a_ping_is_answered() -> None:
    assert list(FrameParser().receive(frames_of(Ping(payload=b"x")))) == [
        ControlReply(b"\x8a\x01x")
    ]


def test_a_close_is_answered_and_ends() -> None:
    frames = FrameParser()
    data = frames_of(CloseConnection(code=1000))
    assert list(frames.receive(data)) == [ControlReply(b"\x88\x02\x03\xe8", is_last=True)]
    assert list(frames.receive(frames_of(TextMessage(data="PING")))) == []
    assert frames.closing() == ControlReply(b"", is_last=True)


@pytest.mark.parametrize("data", [b"quit\r\n", b"\x81\x04PING", b"\x83\x80\x00\x00\x00\x00"])
def test_bytes_that_are_no_frame_end_it_with_the_reason(data: bytes) -> None:
    (answer,) = FrameParser().receive(data)
    assert isinstance(answer, ControlReply)
    assert answer.is_last
    assert answer.data[2:4] == b"\x03\xea"


def test_a_message_has_a_greatest_size() -> None:
    frames = FrameParser()
    data = frames_of(TextMessage(data="x" * (WEBSOCKET_MESSAGE_BYTES_MAX + 1)))
    answer = next(frames.receive(data))
    assert isinstance(answer, ControlReply)
    assert answer.data[2:4] == b"\x03\xf1"


MASK = b"\0\0\0\0"  # leaves the payload as it is


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x04PING", 1002),  # unmasked
        (b"\xc1\x84" + MASK + b"PING", 1002),  # RSV1, without an extension
        (b"\xa1\x84" + MASK + b"PING", 1002),  # RSV2
        (b"\x83\x84" + MASK + b"PING", 1002),  # a reserved opcode
        (b"\x8b\x84" + MASK + b"PING", 1002),  # a reserved control opcode
        (b"\x09\x84" + MASK + b"PING", 1002),  # a fragmented ping
        (b"\x89\xfe\x00\x7e" + MASK, 1002),  # a ping above 125 bytes
        (b"\x80\x84" + MASK + b"PING", 1002),  # a continuation of nothing
        (b"\x01\x84" + MASK + b"PING" + b"\x81\x84" + MASK + b"PING", 1002),  # not continued
        (b"\x81\xff\xff" + b"\xff" * 7 + MASK, 1002),  # a length above 63 bits
        (b"\x81\x84" + MASK + b"\xff\xfe\xfd\xfc", 1007),  # a text that isn't UTF-8
        (b"\x88\x81" + MASK + b"x", 1002),  # half a close code
        (b"\x88\x82" + MASK + b"\x03\xe7", 1002),  # close code 999
        (b"\x88\x82" + MASK + b"\x03\xed", 1002),  # close code 1005, which is never sent
        (b"\x88\x84" + MASK + b"\x03\xe8\xff\xfe", 1007),  # a close reason that isn't UTF-8
    ],
)
def test_a_frame_against_the_standard_ends_it_with_the_standards_code(
    data: bytes, code: int
) -> None:
    (reply,) = FrameParser().receive(data)
    assert isinstance(reply, ControlReply)
    assert reply.is_last
    assert reply.data[:1] == b"\x88"
    assert int.from_bytes(reply.data[2:4]) == code
