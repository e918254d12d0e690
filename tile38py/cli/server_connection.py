"""A client's connection to a server: opens it, logs in, sends requests and reads replies.

Waits for replies as long as the user does, who can interrupt; only opening has a deadline.
"""

import contextlib
import select
import socket
import ssl
from collections.abc import Sequence
from typing import Final

from tile38py.cli.client_options import ClientOptions, Output, TlsOptions
from tile38py.errors import reason_of
from tile38py.protocol.resp import (
    ErrorReply,
    ProtocolError,
    ReplyReader,
    ReplyValue,
    encode_request,
)

CONNECT_SECONDS_MAX: Final = 10.0
RECEIVE_BYTES: Final = 1 << 18
REPLY_BYTES_MAX: Final = 1 << 34


class ConnectionLostError(Exception):
    """The server can't be reached, or the connection is gone; the text says why."""


class ServerConnection:
    """A connection that is opened when it is needed, and opened anew after it was lost."""

    def __init__(self, options: ClientOptions, reply_seconds_max: float | None = None) -> None:
        self._options = options
        self._reply_seconds_max = reply_seconds_max
        self._socket: socket.socket | None = None
        self._reader = ReplyReader(reply_bytes_max=REPLY_BYTES_MAX)

    @property
    def is_open(self) -> bool:
        """Whether the connection is open, as far as is known."""
        return self._socket is not None

    def open(self) -> list[str]:
        """Connect and log in. Return the errors of the login. Raises ConnectionLostError."""
        self.close()
        options = self._options
        try:
            self._socket = _connect(options)
            self._socket.settimeout(self._reply_seconds_max)
        except (OSError, ValueError) as error:
            text = f"Could not connect to Tile38 at {options.address}: {_reason(error)}"
            raise ConnectionLostError(text) from error
        self._reader = ReplyReader(reply_bytes_max=REPLY_BYTES_MAX)
        replies = [self.call(request) for request in _login_requests(options)]
        return [reply.text for reply in replies if isinstance(reply, ErrorReply)]

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def is_gone(self) -> bool:
        """Whether the server has closed the connection. Reads what it sent before."""
        connection = self._socket
        if connection is None:
            return True
        try:
            while _has_data(connection):
                self._receive(connection)
        except ConnectionLostError:
            return True
        # Late messages of a mode that was left belong to no request.
        for _ in self._reader.replies():
            pass
        return False

    def call(self, words: Sequence[bytes]) -> ReplyValue:
        """Send a request and return the reply. Raises ConnectionLostError."""
        self.send(words)
        return self.read()

    def send(self, *requests: Sequence[bytes]) -> None:
        """Send requests in one piece. Raises ConnectionLostError."""
        if self._socket is None:
            raise ConnectionLostError("the connection is closed")
        try:
            self._socket.sendall(b"".join(map(encode_request, requests)))
        except OSError as error:
            self.close()
            raise ConnectionLostError(_reason(error)) from error

    def read(self) -> ReplyValue:
        """Wait for a reply. Raises ConnectionLostError."""
        while True:
            for value in self._reader.replies():
                return value
            if self._socket is None:
                raise ConnectionLostError("the connection is closed")
            self._receive(self._socket)

    def _receive(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(RECEIVE_BYTES)
            self._reader.feed(data)
        except (OSError, ProtocolError) as error:
            self.close()
            raise ConnectionLostError(_reason(error)) from error
        if not data:
            self.close()
            raise ConnectionLostError("the server closed the connection")


def is_error(value: ReplyValue) -> bool:
    """Whether a reply is an error, in RESP or in JSON."""
    return isinstance(value, ErrorReply) or (
        isinstance(value, bytes) and value.startswith(b'{"ok":false')
    )


def _reason(error: Exception) -> str:
    # The numbers of these two aren't the system's.
    if isinstance(error, ssl.SSLError | socket.gaierror):
        return getattr(error, "verify_message", "") or error.strerror or str(error)
    return reason_of(error) if isinstance(error, OSError) else str(error)


def _has_data(connection: socket.socket) -> bool:
    if isinstance(connection, ssl.SSLSocket) and connection.pending():
        return True
    return bool(select.select([connection], [], [], 0)[0])


def _login_requests(options: ClientOptions) -> list[list[bytes]]:
    requests = []
    if options.password is not None:
        user = [options.user] if options.user else []
        requests.append(["AUTH", *user, options.password])
    if options.output is not Output.RESP:
        requests.append(["OUTPUT", "json"])
    if options.database is not None:
        requests.append(["SELECT", str(options.database)])
    return [[word.encode() for word in words] for words in requests]


def _connect(options: ClientOptions) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX) if options.socket_path else _connect_tcp(options)
    try:
        if options.socket_path:
            connection.settimeout(CONNECT_SECONDS_MAX)
            connection.connect(options.socket_path)
        elif options.tls is not None:
            connection = _encrypt(connection, options.tls, options.host)
    except BaseException:
        with contextlib.suppress(OSError):
            connection.close()
        raise
    return connection


def _connect_tcp(options: ClientOptions) -> socket.socket:
    connection = socket.create_connection((options.host, options.port), CONNECT_SECONDS_MAX)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return connection


def _encrypt(connection: socket.socket, options: TlsOptions, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=options.ca_file)
    if options.is_insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.cert_file:
        context.load_cert_chain(options.cert_file, options.key_file)
    return context.wrap_socket(connection, server_hostname=options.server_name or host)
