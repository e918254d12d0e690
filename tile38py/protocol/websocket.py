"""WebSocket: the handshake's answer and text frames. Knows no command, opens no socket."""

from collections.abc import Mapping

from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage
from wsproto.utilities import generate_accept_token

VERSION_MIN = 13


def key_of(headers: Mapping[bytes, bytes]) -> bytes | None:
    """The key of a request that asks for WebSocket, None for plain HTTP.

    Raises ValueError for a version that isn't a number. The Connection header isn't looked at.
    """
    if headers.get(b"upgrade", b"").lower() != b"websocket":
        return None
    version = int(headers.get(b"sec-websocket-version", b"0"))
    key = headers.get(b"sec-websocket-key", b"")
    return key if key and version >= VERSION_MIN else None


def handshake(key: bytes) -> bytes:
    """The answer that makes the connection a WebSocket."""
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % generate_accept_token(key)
    )


def text_frame(text: bytes) -> bytes:
    """One message."""
    message = TextMessage(data=text.decode("utf-8", "replace"))
    return Connection(ConnectionType.SERVER).send(message)
