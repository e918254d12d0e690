"""HTTP: one request a connection. The JSON of its command is the reply, or begins a stream."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import ClassVar, Final

from tile38py import errors
from tile38py._engine import Close as SessionClose
from tile38py._engine import Session, split_native
from tile38py.commands import resuming
from tile38py.commands.login import attempt_any
from tile38py.dispatch import BackgroundWork, WorkKind
from tile38py.errors import CommandError, shown, unknown_command
from tile38py.interfaces import Client, Wire
from tile38py.limits import TILE_BYTES_ON_LOOP_MAX
from tile38py.protocol import event_stream, http, tiles, websocket
from tile38py.protocol.negotiation import takes_gzip
from tile38py.protocol.push import EVENT_STREAMS
from tile38py.server.transports import (
    CLOSE,
    Outcome,
    Step,
    TransportDependencies,
    Upgrade,
    Wait,
)
from tile38py.server.transports.http_batch import HttpBatchTransport, is_batch, refusal_of
from tile38py.server.transports.live import (
    Encode,
    HttpStreamTransport,
    WebSocketTransport,
    messages,
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Framing of what is sent in response to a request."""

    encode: Encode  # makes the reply of its command's JSON
    wire: Wire  # of a stream of messages
    head: bytes = b""  # of such a stream
    is_tile: bool = False  # encoding takes long for large replies


# Before the request is complete nothing says how a reply is framed.
NO_EXCHANGE: Final = Exchange(lambda body: body, Wire.HTTP)


class HttpTransport:
    """Receives a request, runs its command and sends the reply."""

    is_plain: ClassVar[bool] = True

    def __init__(self, dependencies: TransportDependencies) -> None:
        self._dependencies = dependencies
        self._services = dependencies.dispatcher.services
        self._settings = dependencies.web
        self.session = dependencies.engine.session(framing="plain")
        self._parser = http.Parser()
        self._has_continued = False
        self._exchange = NO_EXCHANGE

    @property
    def wire(self) -> Wire:
        """The framing of messages if the command is one that starts a stream."""
        return self._exchange.wire

    def receive(self, client: Client, data: bytes, now_ns: int) -> Outcome:
        """Run the request's command once it is complete."""
        if not data:
            return b""
        match self._parser.receive(data):
            case None if self._parser.wants_continue and not self._has_continued:
                self._has_continued = True
                return http.CONTINUE
            case None:
                return b""
            case http.Refusal(status, text, has_body):
                return self._refused(status, text, has_body=has_body)
            case http.Request(method=b"OPTIONS"):
                return Step(http.PREFLIGHT, then=CLOSE)
            case request:
                return self._begin(client, request, now_ns)

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of an incomplete request."""
        return self._parser.buffered

    def refusal(self, text: str) -> bytes:
        """An error as the reply to the request, or in place of one that takes too long."""
        if self._exchange is NO_EXCHANGE:
            return http.reply(HTTPStatus.REQUEST_TIMEOUT, self.session.fail(text))
        return self._exchange.encode(self.session.fail(text))

    def end_of_input(self) -> Outcome:
        """Nothing to send: a reply that is due leaves first."""
        return b""

    def _begin(self, client: Client, request: http.Request, now_ns: int) -> Outcome:
        if not self._settings.is_enabled:
            return Step(then=CLOSE)
        if is_batch(request):
            return self._begin_batch(client, request)
        return self._begin_command(client, request, now_ns)

    def _begin_command(self, client: Client, request: http.Request, now_ns: int) -> Outcome:
        try:
            key = websocket.key_of(request.headers)
        except ValueError:
            return self._refused(HTTPStatus.BAD_REQUEST, "invalid WebSocket version")
        version = self._dependencies.engine.version
        tile = tiles.tile_request(request.target, version) if key is None else None
        args = tile.words if tile else split_native(request.text)
        if not args:
            return self._refused(HTTPStatus.BAD_REQUEST, "invalid HTTP request")
        encode = self._encoder(key, tile, request.headers)
        wire, head = _stream_of(key, request)
        self._exchange = Exchange(encode, wire, head, is_tile=tile is not None)
        refusal = self._login_refusal(client, request)
        if refusal is not None:
            return refusal
        unknown = self._unknown(args)
        if unknown:
            return self._reply(self.session.fail(str(unknown)))
        if tile is not None and self._has_tile(tile, request.headers):
            return Step(tiles.not_modified(self._entity_tag(tile)), then=CLOSE)
        if wire in EVENT_STREAMS:
            args = self._resume(args, request)
        return self._run(client, args, now_ns)

    def _resume(self, args: list[bytes], request: http.Request) -> list[bytes]:
        """Return the command with the number from which Server-Sent Events go on."""
        resumed = resuming.resumed(args, request.headers)
        position = resuming.position(resumed)
        if position is None:
            return args
        channel, wanted = position
        span = self._services.history.span(channel.decode("utf-8", "surrogateescape"))
        if span is None:
            return args  # without a history, the stream goes on with what comes
        if not resuming.is_gap(wanted, span):
            return resumed
        gap = event_stream.gap(wanted, span, is_chunked=request.takes_chunks)
        self._exchange = replace(self._exchange, head=self._exchange.head + gap)
        return [*resumed[:3], b"oldest"]

    def _begin_batch(self, client: Client, request: http.Request) -> Outcome:
        self._exchange = Exchange(self._encoder(None, None, request.headers), Wire.HTTP)
        refusal = self._login_refusal(client, request)
        if refusal is not None:
            return refusal
        if reason := refusal_of(request):
            return self._refused(*reason)
        dispatcher = self._dependencies.dispatcher
        return Step(then=Upgrade(HttpBatchTransport(self.session, dispatcher, request)))

    def _run(self, client: Client, args: list[bytes], now_ns: int) -> Step:
        exchange, dispatcher = self._exchange, self._dependencies.dispatcher
        result = dispatcher.drive(client, self.session.run(args, now_ns))
        if isinstance(result.stop, BackgroundWork):
            work = result.stop
            return Step(then=Wait(work, lambda result: self._reply(bytes(work.frame(result)))))
        if isinstance(result.stop, SessionClose):
            return Step(then=CLOSE)  # QUIT has no reply over HTTP
        if client.listener is None:
            return self._reply(b"".join(result.replies), wrote=result.wrote)
        output = exchange.head + messages(exchange.wire, result.replies)
        return Step(output, result.wrote, Upgrade(self._stream()))

    def _reply(self, body: bytes, *, wrote: bool = False) -> Step:
        """The reply, after which the connection closes."""
        exchange = self._exchange
        if exchange.is_tile and len(body) > TILE_BYTES_ON_LOOP_MAX:
            work = BackgroundWork(lambda: exchange.encode(body), _bytes)
            return Step(then=Wait(work, lambda encoded: Step(_bytes(encoded), then=CLOSE)))
        return Step(exchange.encode(body), wrote, CLOSE)

    def _stream(self) -> WebSocketTransport | HttpStreamTransport:
        exchange = self._exchange
        if exchange.wire is Wire.WEBSOCKET:
            dispatcher = self._dependencies.dispatcher
            return WebSocketTransport(self.session, dispatcher, exchange.encode)
        return HttpStreamTransport(self.session, exchange.wire, exchange.encode)

    def _unknown(self, args: list[bytes]) -> CommandError | None:
        """The error for a command with a query behind it, which Tile38 doesn't know over HTTP."""
        name, query, _ = args[0].partition(b"?")
        needs_password = self._services.gates.requires_password and not self.session.authenticated
        if query and len(args) == 1 and not needs_password:
            return unknown_command(shown(name))
        return None

    def _login_refusal(self, client: Client, request: http.Request) -> Step | None:
        """Log the client in. Return the reply, perhaps a delayed one, if the password is wrong."""
        delay_seconds = attempt_any(self._services, client, request.logins)
        if delay_seconds is None:
            return None
        reply = self._reply(self.session.fail(str(errors.invalid_password())))
        if not delay_seconds:
            return reply
        pause = self._services.access.pause
        work = BackgroundWork(lambda: pause(delay_seconds, b""), _bytes, WorkKind.TASK)
        return Step(then=Wait(work, lambda _: reply))

    def _has_tile(self, tile: tiles.TileRequest, headers: dict[bytes, bytes]) -> bool:
        """Whether the client has the tile as it is now, and may have it."""
        is_current = tiles.is_current(headers, self._entity_tag(tile))
        return is_current and self.session.admits(tile.words)

    def _entity_tag(self, tile: tiles.TileRequest) -> bytes:
        return tile.entity_tag(self._settings.run_id, self._dependencies.engine.version)

    def _encoder(
        self, key: bytes | None, tile: tiles.TileRequest | None, headers: dict[bytes, bytes]
    ) -> Encode:
        if key is not None:
            head = websocket.handshake(key)
            return lambda body: head + websocket.text_frame(body.removesuffix(b"\r\n"))
        if tile is not None:
            entity_tag = self._entity_tag(tile)
            is_compressed = takes_gzip(headers)
            return lambda body: tiles.tile_reply(body, entity_tag, is_compressed=is_compressed)
        session, always_fails = self.session, self._settings.fails_with_500
        return lambda body: http.reply(_status(session, body, always_fails=always_fails), body)

    def _refused(self, status: HTTPStatus, text: str, *, has_body: bool = True) -> Step:
        reply = http.reply(status, self.session.fail(text))
        if not has_body:
            reply = reply[: reply.index(http.HEAD_END) + len(http.HEAD_END)]
        return Step(reply, then=CLOSE)


def _bytes(result: object) -> bytes:
    assert isinstance(result, bytes)
    return result


def _stream_of(key: bytes | None, request: http.Request) -> tuple[Wire, bytes]:
    """The framing and the head of a stream."""
    if key is not None:
        return Wire.WEBSOCKET, websocket.handshake(key)
    is_chunked = request.takes_chunks
    if event_stream.is_wanted(request.headers):
        wire = Wire.CHUNKED_EVENT_STREAM if is_chunked else Wire.EVENT_STREAM
        return wire, event_stream.head(is_chunked=is_chunked)
    wire = Wire.CHUNKED_HTTP if is_chunked else Wire.HTTP
    return wire, http.stream_head(is_chunked=is_chunked)


def _status(session: Session, body: bytes, *, always_fails: bool) -> HTTPStatus:
    if not (always_fails or session.fails_by_status):
        return HTTPStatus.OK
    # How the engine begins every JSON error.
    failed = session.fail("").partition(b",")[0]
    return HTTPStatus.INTERNAL_SERVER_ERROR if body.startswith(failed) else HTTPStatus.OK
