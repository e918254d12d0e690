"""Transports of live connections: WebSocket, HTTP streams, log streams to followers.

They handle what such clients may still send. Messages to them don't pass through here: the
connection's listener sends those.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from tile38py._engine import Batch, Session, split_native
from tile38py.commands.registry import LastReply
from tile38py.dispatch import Dispatcher
from tile38py.interfaces import Client, Wire
from tile38py.protocol.push import Form
from tile38py.protocol.websocket import ControlReply, FrameParser
from tile38py.server.transports import CLOSE, Outcome, Step, Then

# Makes a whole HTTP reply of a command's JSON.
Encode = Callable[[bytes], bytes]
ABORT: Final = Step(then=Then.ABORT)


class WebSocketTransport:
    """Runs each message of the client as a command; each reply is a message."""

    is_plain: ClassVar[bool] = True
    wire = Wire.WEBSOCKET

    def __init__(self, session: Session, dispatcher: Dispatcher, encode: Encode) -> None:
        self.session = session
        self._dispatcher = dispatcher
        self._encode = encode
        self._frames = FrameParser()

    def receive(self, client: Client, data: bytes, now_ns: int) -> Outcome:
        """Run the commands and answer control frames."""
        if not data:
            return b""
        output: list[bytes] = []
        for item in self._frames.receive(data):
            if isinstance(item, ControlReply):
                output.append(item.data)
                if item.is_last:
                    return Step(b"".join(output), then=CLOSE)
                continue
            batch = self.session.run(split_native(item.text), now_ns)
            result = self._dispatcher.drive(client, batch)
            output.append(messages(Wire.WEBSOCKET, result.replies))
            if isinstance(result.stop, LastReply):
                output.append(self._frames.closing().data)
                return Step(b"".join(output), then=CLOSE)
        return b"".join(output)

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of an incomplete message."""
        return self._frames.buffered

    def refusal(self, text: str) -> bytes:
        """A whole HTTP reply: later ones are to commands that change nothing."""
        return self._encode(self.session.fail(text))

    def end_of_input(self) -> Outcome:
        """Nothing to send: the client still gets messages."""
        return b""


class HttpStreamTransport:
    """Sends an HTTP reply without an end. Ignores what the client sends after its request."""

    is_plain: ClassVar[bool] = True

    def __init__(self, session: Session, wire: Wire, encode: Encode) -> None:
        self.session = session
        self.wire = wire
        self._encode = encode

    def receive(self, client: Client, data: bytes, now_ns: int) -> Outcome:
        """Ignore the data, as behind any HTTP request."""
        del client, data, now_ns
        return b""

    @property
    def unfinished_bytes(self) -> int:
        """Nothing: no requests are received."""
        return 0

    def refusal(self, text: str) -> bytes:
        """A whole HTTP reply: nothing of the stream has left yet."""
        return self._encode(self.session.fail(text))

    def end_of_input(self) -> Outcome:
        """Nothing to send: the client still gets messages."""
        return b""


class LogStreamTransport:
    """Sends the log to a follower, which sends nothing but acknowledgements."""

    is_plain: ClassVar[bool] = False
    wire = Wire.RESP

    def __init__(self, session: Session, dispatcher: Dispatcher) -> None:
        self.session = session
        self._dispatcher = dispatcher

    def receive(self, client: Client, data: bytes, now_ns: int) -> Outcome:
        """Take acknowledgements. Cut a follower that sends anything else."""
        received = self.session.receive(data, now_ns)
        if not isinstance(received, Batch):
            return ABORT if received else b""
        result = self._dispatcher.drive(client, received)
        return ABORT if result.stop is not None else b""

    @property
    def unfinished_bytes(self) -> int:
        """Nothing: no requests are received."""
        return 0

    def refusal(self, text: str) -> bytes:
        """An error reply."""
        return self.session.fail(text)

    def end_of_input(self) -> Outcome:
        """Cut the follower: it is gone, and the log would always have more to send."""
        return ABORT


def messages(wire: Wire, replies: Sequence[bytes]) -> bytes:
    """Frame each JSON reply as a message of its own."""
    form = Form(wire, is_json=True)
    texts = (reply.removesuffix(b"\r\n") for reply in replies if reply)
    return b"".join(map(form.reply, texts))
