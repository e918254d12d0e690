"""RESP, inline and Tile38's native requests, which the engine's session parses and frames."""

from typing import ClassVar

from tile38py._engine import Close as SessionClose
from tile38py._engine import Http, Session
from tile38py.commands.registry import LastReply
from tile38py.dispatch import BackgroundWork, WorkKind
from tile38py.interfaces import Client, Role, Wire
from tile38py.server.transports import (
    CLOSE,
    Close,
    Outcome,
    Step,
    Then,
    TransportDependencies,
    Upgrade,
    Wait,
)
from tile38py.server.transports.http import HttpTransport
from tile38py.server.transports.live import LogStreamTransport


class RespTransport:
    """The transport with which every connection begins."""

    __slots__ = ("_dependencies", "_receive", "session")

    is_plain: ClassVar[bool] = False

    def __init__(self, dependencies: TransportDependencies, session: Session) -> None:
        self._dependencies = dependencies
        self._receive = session.receive
        self.session = session

    @property
    def wire(self) -> Wire:
        """The framing of the present request."""
        return Wire.NATIVE if self.session.framing == "native" else Wire.RESP

    def receive(self, client: Client, data: bytes, now_ns: int) -> Outcome:
        """Run the requests that are complete."""
        received = self._receive(data, now_ns)
        if isinstance(received, bytes | tuple):
            return received
        result = self._dependencies.dispatcher.drive(client, received)
        output = b"".join(result.replies)
        if result.stop is not None:
            return Step(output, result.wrote, self._after(client, result.stop))
        if client.listener is not None and client.listener.role is Role.FOLLOWER:
            return Step(output, result.wrote, Upgrade(self._log_stream()))
        return Step(output, result.wrote, Then.CONTINUE if result.has_more else None)

    def _log_stream(self) -> LogStreamTransport:
        return LogStreamTransport(self.session, self._dependencies.dispatcher)

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of an incomplete request."""
        return self.session.buffered

    def refusal(self, text: str) -> bytes:
        """An error reply."""
        return self.session.fail(text)

    def end_of_input(self) -> Outcome:
        """Nothing to send: replies that are due leave first."""
        return b""

    def _after(
        self, client: Client, stop: BackgroundWork | Http | SessionClose | LastReply
    ) -> Wait | Close | Upgrade:
        match stop:
            case Http() if client.listener is not None:
                return CLOSE
            case Http(data=data):
                return Upgrade(HttpTransport(self._dependencies), data)
            case SessionClose(message=message) | LastReply(message=message):
                return Close(message)
            case BackgroundWork(kind=kind, frame=frame):
                wrote = kind is WorkKind.WRITE
                return Wait(stop, lambda result: Step(frame(result), wrote=wrote))
