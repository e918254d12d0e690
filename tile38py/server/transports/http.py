"""One HTTP or WebSocket request on a connection: from its bytes to a command, from the command's
JSON to the bytes of the reply. Doesn't run the command, see connection.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from tile38py._engine import Session, split_native
from tile38py.commands.connection import is_password
from tile38py.config import Config
from tile38py.config.properties import REQUIREPASS
from tile38py.errors import CommandError, shown, unknown_command
from tile38py.interfaces import Wire
from tile38py.protocol import http, tiles, websocket
from tile38py.protocol.push import Form


@dataclass(frozen=True, slots=True)
class Run:
    """A command to run; its JSON becomes the reply, or the first message of a live connection."""

    args: list[bytes]
    encode: Callable[[bytes], bytes]
    wire: Wire  # how the client hears more than one message
    head: bytes  # what comes before the first of them

    def framed(self, replies: Sequence[bytes]) -> bytes:
        """Each reply as a message of its own."""
        form = Form(self.wire, is_json=True)
        texts = (reply.removesuffix(b"\r\n") for reply in replies if reply)
        return b"".join(map(form.framed, texts))


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes to send; nothing is left to run if they are the last."""

    data: bytes
    is_last: bool


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How this server treats HTTP."""

    config: Config
    is_enabled: bool = True
    fails_with_500: bool = False  # T38HTTP500ERRORS


class Exchange:
    """One request."""

    def __init__(self, session: Session, settings: WebSettings) -> None:
        self._session = session
        self._settings = settings
        self._parser = http.Parser()
        self._has_continued = False

    def receive(self, data: bytes) -> Run | Send | None:
        """What is to be done, once enough has arrived."""
        match self._parser.receive(data):
            case None if self._parser.wants_continue and not self._has_continued:
                self._has_continued = True
                return Send(http.CONTINUE, is_last=False)
            case None:
                return None
            case http.Refusal(status, text):
                return self._refused(status, text)
            case http.Request(method=b"OPTIONS"):
                return Send(http.PREFLIGHT, is_last=True)
            case request:
                return self._started(request)

    def _started(self, request: http.Request) -> Run | Send:
        if not self._settings.is_enabled:
            return Send(b"", is_last=True)
        try:
            key = websocket.key_of(request.headers)
        except ValueError:
            return self._refused(HTTPStatus.BAD_REQUEST, "invalid WebSocket version")
        tile = tiles.tile_command(request.text) if key is None else None
        args = tile or split_native(request.text)
        if not args:
            return self._refused(HTTPStatus.BAD_REQUEST, "invalid HTTP request")
        encode = self._encoder(key=key, is_tile=tile is not None)
        if not self._authenticate(request.password):
            return Send(encode(self._session.fail("invalid password")), is_last=True)
        unknown = self._unknown(args)
        if unknown:
            return Send(encode(self._session.fail(str(unknown))), is_last=True)
        return Run(args, encode, *_stream_of(key, is_chunked=request.takes_chunks))

    def _unknown(self, args: list[bytes]) -> CommandError | None:
        """The error for a command with a query behind it, which Tile38 doesn't know over HTTP."""
        name, query, _ = args[0].partition(b"?")
        needs_password = self._settings.config.get(REQUIREPASS) and not self._session.authenticated
        if query and len(args) == 1 and not needs_password:
            return unknown_command(shown(name))
        return None

    def _authenticate(self, password: bytes | None) -> bool:
        # Without a required password the header means nothing; without the header the engine
        # knows which commands may still run.
        if password is None or not self._settings.config.get(REQUIREPASS):
            return True
        self._session.authenticated = is_password(self._settings.config, password)
        return self._session.authenticated

    def _encoder(self, *, key: bytes | None, is_tile: bool) -> Callable[[bytes], bytes]:
        if key is not None:
            head = websocket.handshake(key)
            return lambda body: head + websocket.text_frame(body.removesuffix(b"\r\n"))
        if is_tile:
            return tiles.tile_reply
        return lambda body: http.reply(self._status(body), body)

    def _status(self, body: bytes) -> HTTPStatus:
        if not (self._settings.fails_with_500 or self._session.fails_by_status):
            return HTTPStatus.OK
        # How the engine begins every JSON error.
        failed = self._session.fail("").partition(b",")[0]
        return HTTPStatus.INTERNAL_SERVER_ERROR if body.startswith(failed) else HTTPStatus.OK

    def _refused(self, status: HTTPStatus, text: str) -> Send:
        return Send(http.reply(status, self._session.fail(text)), is_last=True)


def _stream_of(key: bytes | None, *, is_chunked: bool) -> tuple[Wire, bytes]:
    """How a command that goes live is heard, and what comes first."""
    if key is not None:
        return Wire.WEBSOCKET, websocket.handshake(key)
    wire = Wire.CHUNKED_HTTP if is_chunked else Wire.HTTP
    return wire, http.stream_head(is_chunked=is_chunked)
