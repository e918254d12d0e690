"""Transports of connections that hear more than replies, where what they may say is another matter
than before. Messages don't pass through here: the listener of the connection sends them.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from tile38py._engine import Session, split_native
from tile38py.commands.registry import End
from tile38py.dispatch import Dispatcher
from tile38py.interfaces import Client, Wire
from tile38py.protocol.push import Form
from tile38py.protocol.websocket import Answer, Frames
from tile38py.server.transports import CLOSE, Outcome, Step, Then

# Frames JSON as the reply to the HTTP request with which the connection began.
Encode = Callable[[bytes], bytes]
ABORT: Final = Step(then=Then.ABORT)


class WebSocketTransport:
    """Each message of the client is a command, and each reply a message."""

    is_plain: ClassVar[bool] = True
    wire = Wire.WEBSOCKET

    def __init__(self, session: Session, dispatcher: Dispatcher, encode: Encode) -> None:
        self.session = session
        self._dispatcher = dispatcher
        self._encode = encode
        self._frames = Frames()

    def receive(self, client: Client, data: bytes, now_ns: int) -> Outcome:
        """Run the commands, and answer what the protocol itself asks."""
        if not data:
            return b""
        output: list[bytes] = []
        for item in self._frames.receive(data):
            if isinstance(item, Answer):
                output.append(item.data)
                if item.is_last:
                    return Step(b"".join(output), then=CLOSE)
                continue
            batch = self.session.run(split_native(item.text), now_ns)
            progress = self._dispatcher.drive(client, batch)
            output.append(messages(Wire.WEBSOCKET, progress.replies))
            if isinstance(progress.stop, End):
                output.append(self._frames.closing().data)
                return Step(b"".join(output), then=CLOSE)
        return b"".join(output)

    def refusal(self, text: str) -> bytes:
        """Only the first reply can be refused: later ones are to commands that change nothing."""
        return self._encode(self.session.fail(text))

    def end_of_input(self) -> Outcome:
        """The client may listen on."""
        return b""


class HttpStreamTransport:
    """An HTTP reply without an end: the client has nothing more to say."""

    is_plain: ClassVar[bool] = True

    def __init__(self, session: Session, wire: Wire, encode: Encode) -> None:
        self.session = session
        self.wire = wire
        self._encode = encode

    def receive(self, client: Client, data: bytes, now_ns: int) -> Outcome:
        """Ignore it, as it would have been ignored behind a request without a stream."""
        del client, data, now_ns
        return b""

    def refusal(self, text: str) -> bytes:
        """A whole reply, since nothing of the stream has left."""
        return self._encode(self.session.fail(text))

    def end_of_input(self) -> Outcome:
        """The client may listen on."""
        return b""


class LogStreamTransport:
    """The log on its way to a follower."""

    is_plain: ClassVar[bool] = False
    wire = Wire.RESP

    def __init__(self, session: Session) -> None:
        self.session = session

    def receive(self, client: Client, data: bytes, now_ns: int) -> Outcome:
        """Whatever a follower says is its last word."""
        del client, now_ns
        return ABORT if data else b""

    def refusal(self, text: str) -> bytes:
        """An error reply."""
        return self.session.fail(text)

    def end_of_input(self) -> Outcome:
        """A follower that says no more is gone, though the log may always have more to send."""
        return ABORT


def messages(wire: Wire, replies: Sequence[bytes]) -> bytes:
    """Each JSON reply as a message of its own."""
    form = Form(wire, is_json=True)
    texts = (reply.removesuffix(b"\r\n") for reply in replies if reply)
    return b"".join(map(form.framed, texts))
