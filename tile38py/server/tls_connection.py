"""TLS on an accepted connection: bytes pass through OpenSSL's memory buffers, no socket is opened.

The standard library's `ssl` does all of TLS. An event loop's own TLS transport would hide failed
handshakes, keep one context for good, and end half-closed connections; it isn't faster.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from tile38py.clients import Clients
from tile38py.limits import TLS_HANDSHAKE_BYTES_MAX, TLS_HANDSHAKE_SECONDS_MAX, TLS_READ_BYTES
from tile38py.protocol.http import METHODS
from tile38py.replication.leader_connection import tls_reason
from tile38py.server.peers import address_of, host_of
from tile38py.server.tls_contexts import TlsContexts

HANDSHAKE_RECORD: Final = 0x16  # the first byte of a TLS connection
PLAIN_REFUSAL: Final = b"-ERR this port requires TLS\r\n"
PLAIN_HTTP_REFUSAL: Final = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 25\r\n\r\nThis port requires HTTPS\n"
)


@dataclass(frozen=True, slots=True)
class TlsDependencies:
    """Dependencies of all TLS connections of a server."""

    loop: asyncio.AbstractEventLoop
    contexts: TlsContexts
    clients: Clients
    report: Callable[[str, str], None]  # logs the host of a refused connection and the reason


class TlsTransport(asyncio.Transport):
    """Encrypts what a protocol sends."""

    __slots__ = ("_encrypt", "_ssl", "_take_encrypted", "_transport")

    def __init__(
        self, transport: asyncio.Transport, ssl_object: ssl.SSLObject, outgoing: ssl.MemoryBIO
    ) -> None:
        super().__init__()
        self._transport = transport
        self._ssl = ssl_object
        self._encrypt = ssl_object.write
        self._take_encrypted = outgoing.read

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send."""
        if data and not self._transport.is_closing():
            self._encrypt(data)
            self._transport.write(self._take_encrypted())

    def flush(self) -> None:
        """Send what OpenSSL has to say by itself, such as a handshake or an alert."""
        if (encrypted := self._take_encrypted()) and not self._transport.is_closing():
            self._transport.write(encrypted)

    def close(self) -> None:
        """Send the TLS end of our side and close. The client's is not waited for."""
        if not self._transport.is_closing():
            with contextlib.suppress(ssl.SSLError):
                self._ssl.unwrap()
            self.flush()
            self._transport.close()

    def write_plain(self, data: bytes) -> None:
        """Send bytes as they are, to a client that doesn't speak TLS."""
        self._transport.write(data)

    def end(self) -> None:
        """Close without an end of TLS: its state is broken."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether the connection is closed or about to be."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Receive nothing until resume_reading()."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Receive again."""
        self._transport.resume_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the high-water and low-water marks of the write buffer."""
        self._transport.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Return the encrypted bytes that wait to be sent."""
        return self._transport.get_write_buffer_size()

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return facts about the socket, or the client's certificate (`peercert`)."""
        if name == "peercert":
            return self._ssl.getpeercert()
        return cast("object", self._transport.get_extra_info(name, default))


class TlsProtocol(asyncio.Protocol):
    """Shakes hands with a client, then decrypts what it sends for a protocol.

    That protocol sees no connection before the handshake is over. Until then the connection counts
    against the maximum number of clients, has a deadline, and may send so many bytes only.
    """

    __slots__ = (
        "_deadline", "_dependencies", "_feed", "_handshake_bytes", "_has_ended", "_incoming",
        "_make_protocol", "_outgoing", "_protocol", "_ssl", "_transport",
    )  # fmt: skip

    def __init__(
        self, dependencies: TlsDependencies, make_protocol: Callable[[], asyncio.Protocol]
    ) -> None:
        self._dependencies = dependencies
        self._make_protocol = make_protocol
        self._protocol: asyncio.Protocol | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._handshake_bytes = 0
        self._has_ended = False  # the client sends nothing more
        self._incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._feed = self._incoming.write
        context = dependencies.contexts.server
        self._ssl = context.wrap_bio(self._incoming, outgoing, server_side=True)
        self._outgoing = outgoing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the client's hello, or refuse it if there are too many clients."""
        # uvloop's transports don't derive from asyncio's.
        socket_transport = cast("asyncio.Transport", transport)
        self._transport = TlsTransport(socket_transport, self._ssl, self._outgoing)
        dependencies = self._dependencies
        if not dependencies.clients.begin_handshake():
            self._transport.abort()
            return
        self._deadline = dependencies.loop.call_later(TLS_HANDSHAKE_SECONDS_MAX, self._time_out)

    def data_received(self, data: bytes) -> None:
        """Decrypt data and pass it on."""
        if self._protocol is None:
            self._shake_hands(data)
            return
        self._feed(data)
        self._decrypt(self._protocol)

    def eof_received(self) -> bool:
        """The client has closed its sending side, with or without saying so in TLS."""
        if self._protocol is None:
            return False
        self._end_input(self._protocol)
        return not self._transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the protocol."""
        if self._protocol is not None:
            self._protocol.connection_lost(exc)
        elif self._deadline is not None:
            self._leave_handshake()

    def pause_writing(self) -> None:
        """The write buffer is above its high-water mark."""
        if self._protocol is None:
            self._report("reads no replies to its handshake")
            self._transport.abort()
        else:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """The write buffer is below its low-water mark."""
        if self._protocol is not None:
            self._protocol.resume_writing()

    def _shake_hands(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        if not self._handshake_bytes and data[0] != HANDSHAKE_RECORD:
            self._refuse_plain(data)
            return
        self._handshake_bytes += len(data)
        self._feed(data)
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            self._transport.flush()
            if self._handshake_bytes > TLS_HANDSHAKE_BYTES_MAX:
                self._refuse("handshake too large")
            return
        except ssl.SSLError as error:
            self._refuse(tls_reason(error))
            return
        self._transport.flush()
        self._leave_handshake()
        self._dependencies.clients.encrypted += 1
        self._protocol = protocol = self._make_protocol()
        protocol.connection_made(self._transport)
        self._decrypt(protocol)

    def _decrypt(self, protocol: asyncio.Protocol) -> None:
        """Pass everything on that is complete, in one piece."""
        pieces: list[bytes] = []
        has_ended = False
        try:
            while True:
                piece = self._ssl.read(TLS_READ_BYTES)
                if not piece:
                    has_ended = True
                    break
                pieces.append(piece)
                if not self._incoming.pending and not self._ssl.pending():
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._refuse(tls_reason(error))
            return
        if self._outgoing.pending:
            self._transport.flush()
        if pieces and not self._transport.is_closing():
            protocol.data_received(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if has_ended:
            self._end_input(protocol)

    def _end_input(self, protocol: asyncio.Protocol) -> None:
        if not self._has_ended:
            self._has_ended = True
            if not protocol.eof_received():
                self._transport.close()

    def _leave_handshake(self) -> None:
        assert self._deadline is not None
        self._deadline.cancel()
        self._deadline = None
        self._dependencies.clients.end_handshake()

    def _time_out(self) -> None:
        self._refuse("handshake timed out")

    def _refuse(self, reason: str) -> None:
        """Close, after OpenSSL's alert if there is one."""
        self._report(reason)
        self._transport.end()

    def _report(self, reason: str) -> None:
        self._dependencies.report(host_of(address_of(self._transport, 0)), reason)

    def _refuse_plain(self, data: bytes) -> None:
        """Tell a client that doesn't speak TLS, in its own protocol."""
        is_http = data.startswith(METHODS)
        self._transport.write_plain(PLAIN_HTTP_REFUSAL if is_http else PLAIN_REFUSAL)
        self._refuse("no TLS: plain HTTP" if is_http else "no TLS: plain bytes")
