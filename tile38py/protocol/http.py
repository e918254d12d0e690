"""HTTP/1: a parser of requests, and the bytes of replies. Knows no command, opens no socket.

A connection carries one request: the server closes it after the reply, as Tile38 does. The reply
may be a stream of lines without an end.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import unquote_to_bytes

import h11

from tile38py.limits import HTTP_BODY_BYTES_MAX, HTTP_HEAD_BYTES_MAX

JSON: Final = b"application/json; charset=utf-8"
NDJSON: Final = b"application/x-ndjson"
TILE: Final = b"application/vnd.mapbox-vector-tile"
METHODS: Final = (b"GET", b"POST", b"OPTIONS")
HEAD_END: Final = b"\r\n\r\n"
HOST: Final = re.compile(rb"\r\nhost[ \t]*:", re.IGNORECASE)
# Servers and proxies understand these differently, so that a request could hide another.
BARE_LINE_END: Final = re.compile(rb"(?<!\r)\n")
FOLDED_LINE: Final = re.compile(rb"\r\n[ \t]")
LENGTH: Final = re.compile(rb"\r\ncontent-length[ \t]*:([^\r]*)", re.IGNORECASE)
CODING: Final = re.compile(rb"\r\ntransfer-encoding[ \t]*:", re.IGNORECASE)
BAD_ESCAPE: Final = re.compile(rb"%(?![0-9a-fA-F]{2})")
NOT_ASCII: Final = re.compile(rb"[\x80-\xff]")
PREFLIGHT: Final = (
    b"HTTP/1.1 204 No Content\r\nConnection: close\r\nAccess-Control-Allow-Origin: *\r\n"
    b"Access-Control-Allow-Headers: *, Authorization\r\n"
    b"Access-Control-Allow-Methods: POST, GET, OPTIONS\r\n\r\n"
)
STREAM: Final = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %b\r\n"
CHUNKS: Final = b"Transfer-Encoding: chunked\r\n"
ANY_ORIGIN: Final = b"Access-Control-Allow-Origin: *\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"
ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

Login: TypeAlias = tuple[bytes | None, bytes]


@dataclass(frozen=True, slots=True)
class Request:
    """A complete request."""

    method: bytes
    target: bytes  # as it was sent, without the slash
    body: bytes
    headers: dict[bytes, bytes]  # lower-case names; of repeated headers the last
    takes_chunks: bool  # the client knows chunked replies: it speaks HTTP/1.1

    @property
    def path(self) -> bytes:
        """The decoded target."""
        return unquote_to_bytes(self.target.replace(b"+", b" "))

    @property
    def query(self) -> bytes:
        """The part of the target behind the first question mark, as it was sent."""
        return self.target.partition(b"?")[2]

    @property
    def text(self) -> bytes:
        """The command: the decoded target, directly followed by the body."""
        return self.path + self.body

    @property
    def logins(self) -> tuple[Login, ...]:
        """The logins that the Authorization header may mean: users, None for one without a name,
        and passwords. Tile38 takes the header as it is for a password.
        """
        header = self.headers.get(b"authorization")
        if header is None:
            return ()
        scheme, _, credentials = header.partition(b" ")
        match scheme.lower():
            case b"bearer":
                return (None, header), (None, credentials.strip())
            case b"basic":
                return (None, header), *_user_and_password(credentials)
            case _:
                return ((None, header),)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error reply in place of a request."""

    status: HTTPStatus
    text: str
    has_body: bool = True  # the reply to HEAD has none


class Parser:
    """Parses one request."""

    def __init__(self) -> None:
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HTTP_HEAD_BYTES_MAX)
        self._head = b""
        self._has_head = False
        self._request: h11.Request | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._is_complete = False
        self.wants_continue = False  # the client waits for `100 Continue` before the body

    @property
    def buffered(self) -> int:
        """Bytes of an incomplete request."""
        return 0 if self._is_complete else len(self._head) + self._body_bytes

    def receive(self, data: bytes) -> Request | Refusal | None:
        """Return the request once it is complete."""
        if not self._has_head:
            self._head += data
            end = self._head.find(HEAD_END)
            size = len(self._head) if end < 0 else end
            if BARE_LINE_END.search(self._head, 0, size):
                return _ambiguous("a line ends in a bare LF")
            if size > HTTP_HEAD_BYTES_MAX:
                return _too_long()
            if end < 0:
                return None
            if reason := _ambiguity(self._head[:end]):
                return _ambiguous(reason)
            self._has_head = True
            data = repaired(self._head)
        try:
            self._connection.receive_data(data)
            return self._events()
        except h11.RemoteProtocolError as error:
            # h11 may append the received bytes in Python's notation.
            reason = str(error).partition(": bytearray(")[0]
            return Refusal(HTTPStatus(error.error_status_hint), f"invalid HTTP request: {reason}")

    def _events(self) -> Request | Refusal | None:
        while True:
            match self._connection.next_event():
                case h11.Request() as request:
                    self._request = request
                    if request.method not in METHODS:
                        has_body = request.method != b"HEAD"
                        status = HTTPStatus.METHOD_NOT_ALLOWED
                        return Refusal(status, "method not allowed", has_body)
                    if _promised_bytes(request) > HTTP_BODY_BYTES_MAX:
                        return _too_large()
                case h11.Data(data=data):
                    self._body.append(bytes(data))
                    self._body_bytes += len(data)
                    if self._body_bytes > HTTP_BODY_BYTES_MAX:
                        return _too_large()
                case h11.EndOfMessage():
                    self._is_complete = True
                    return self._whole()
                case h11.NEED_DATA:
                    self.wants_continue = self._connection.they_are_waiting_for_100_continue
                    return None
                case _:
                    return Refusal(HTTPStatus.BAD_REQUEST, "invalid HTTP request")

    def _whole(self) -> Request | Refusal:
        request = self._request
        assert request is not None
        path = request.target
        if request.method != b"OPTIONS" and (not path.startswith(b"/") or BAD_ESCAPE.search(path)):
            return Refusal(HTTPStatus.BAD_REQUEST, "invalid HTTP request")
        # The end of a line, which curl and editors send, belongs to no word.
        body = b"".join(self._body)
        if body.endswith(b"\n"):
            body = body[:-1].removesuffix(b"\r")
        return Request(
            method=request.method,
            target=path[1:],
            body=body,
            headers=dict(request.headers),
            takes_chunks=request.http_version >= b"1.1",
        )


def repaired(data: bytes) -> bytes:
    """Escape raw bytes in the path and add a missing Host: Tile38 tolerates both, h11 doesn't."""
    line, end, rest = data.partition(b"\r\n")
    line = NOT_ASCII.sub(lambda match: b"%%%02X" % match[0][0], line)
    head = rest[: rest.find(HEAD_END)]
    host = b"" if HOST.search(end + head) else b"Host: unknown\r\n"
    return line + end + host + rest


def reply(status: HTTPStatus, body: bytes, content_type: bytes = JSON) -> bytes:
    """A complete reply. A line end is added to the body and counted, as Tile38 does."""
    return (
        b"HTTP/1.1 %d %b\r\nConnection: close\r\nContent-Type: %b\r\nContent-Length: %d\r\n"
        b"Access-Control-Allow-Origin: *\r\n\r\n%b\r\n"
        % (status, status.phrase.encode(), content_type, len(body) + 2, body)
    )


def stream_head(*, is_chunked: bool, content_type: bytes = JSON) -> bytes:
    """The head of a reply whose body is a stream of lines until the connection ends."""
    return STREAM % content_type + (CHUNKS if is_chunked else b"") + ANY_ORIGIN


def stream_line(text: bytes, *, is_chunked: bool) -> bytes:
    """A JSON text as a line of a stream. Line ends in it can only stand between its tokens."""
    # One chunk a line: some clients deliver a line only when its whole chunk has arrived.
    return chunk(text.translate(ONE_LINE) + b"\n", is_chunked=is_chunked)


def chunk(data: bytes, *, is_chunked: bool) -> bytes:
    """A piece of a reply without a length; HTTP/1.0 has no chunks."""
    return b"%x\r\n%b\r\n" % (len(data), data) if is_chunked else data


def _promised_bytes(request: h11.Request) -> int:
    # h11 has checked that it is a number.
    return int(dict(request.headers).get(b"content-length", b"0"))


def _user_and_password(credentials: bytes) -> list[Login]:
    """The login in credentials of the scheme Basic."""
    try:
        user, colon, password = base64.b64decode(credentials.strip(), validate=True).partition(b":")
    except binascii.Error:
        return []
    return [(user, password)] if colon else []


def _ambiguity(head: bytes) -> str:
    """The reason why the end of a request's body is ambiguous; empty if it isn't."""
    lengths = LENGTH.findall(head)
    if FOLDED_LINE.search(head):
        return "a header is folded"
    if len(lengths) > 1 or any(b"," in length for length in lengths):
        return "more than one Content-Length"
    if lengths and CODING.search(head):
        return "both Content-Length and Transfer-Encoding"
    return ""


def _ambiguous(reason: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, f"invalid HTTP request: {reason}")


def _too_large() -> Refusal:
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request too large")


def _too_long() -> Refusal:
    return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "request head too large")
