"""The WebSocket handshake and frames."""

import pytest

from tile38py.protocol.websocket import handshake, key_of, text_frame

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
