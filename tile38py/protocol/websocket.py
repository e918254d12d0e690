"""WebSocket: the handshake, a parser of frames, text frames. Knows no command, opens no socket."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, generate_accept_token

from tile38py.limits import WEBSOCKET_MESSAGE_BYTES_MAX

VERSION_MIN: Final = 13


@dataclass(frozen=True, slots=True)
class Message:
    """A complete message of the client."""

    text: bytes


@dataclass(frozen=True, slots=True)
class ControlReply:
    """Frames that the protocol itself requires in return; the connection ends after the last."""

    data: bytes
    is_last: bool = False


class FrameParser:
    """Parses the frames of one connection, from the handshake on."""

    __slots__ = ("_connection", "_parts", "_size")

    def __init__(self) -> None:
        self._connection = Connection(ConnectionType.SERVER)
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def buffered(self) -> int:
        """Bytes of an incomplete message."""
        return self._size

    def receive(self, data: bytes) -> Iterator[Message | ControlReply]:
        """Yield the messages in data, and replies to control frames."""
        if self._connection.state is not ConnectionState.OPEN:
            return
        self._connection.receive_data(data)
        # wsproto reports frames that violate the protocol as CloseConnection, with the reason.
        for event in self._connection.events():
            match event:
                case TextMessage() | BytesMessage():
                    yield from self._message(event)
                case Ping():
                    yield ControlReply(self._connection.send(event.response()))
                case CloseConnection():
                    yield ControlReply(self._connection.send(event.response()), is_last=True)
                    return
                case _:
                    pass  # an unsolicited pong

    def closing(self, code: int = CloseReason.NORMAL_CLOSURE) -> ControlReply:
        """The close frame of our side; no bytes if it was sent before."""
        try:
            return ControlReply(self._connection.send(CloseConnection(code=code)), is_last=True)
        except LocalProtocolError:
            return ControlReply(b"", is_last=True)

    def _message(self, event: TextMessage | BytesMessage) -> Iterator[Message | ControlReply]:
        part = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
        self._size += len(part)
        if self._size > WEBSOCKET_MESSAGE_BYTES_MAX:
            yield self.closing(CloseReason.MESSAGE_TOO_BIG)
            return
        self._parts.append(part)
        if event.message_finished:
            parts, self._parts, self._size = self._parts, [], 0
            yield Message(b"".join(parts))


def key_of(headers: Mapping[bytes, bytes]) -> bytes | None:
    """The key of a request for an upgrade to WebSocket, None for plain HTTP.

    Raises ValueError for a version that isn't a number. The Connection header is ignored, as
    Tile38 does.
    """
    if headers.get(b"upgrade", b"").lower() != b"websocket":
        return None
    version = int(headers.get(b"sec-websocket-version", b"0"))
    key = headers.get(b"sec-websocket-key", b"")
    return key if key and version >= VERSION_MIN else None


def handshake(key: bytes) -> bytes:
    """The reply that completes the upgrade."""
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % generate_accept_token(key)
    )


def text_frame(text: bytes) -> bytes:
    """An unfragmented text frame."""
    message = TextMessage(data=text.decode("utf-8", "replace"))
    return Connection(ConnectionType.SERVER).send(message)
