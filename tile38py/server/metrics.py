"""The HTTP server of --metrics-addr, which serves /metrics without a password.

It serves one request a connection and makes one scrape at a time. See tile38py/metrics for the
figures.
"""

import asyncio
import gzip
import socket
from http import HTTPStatus
from typing import Protocol

from tile38py.commands.registry import Services
from tile38py.config.properties import TLS_METRICS
from tile38py.errors import StartError
from tile38py.interfaces import Tell
from tile38py.limits import (
    METRICS_CLIENTS_COUNT_MAX,
    METRICS_REQUEST_SECONDS_MAX,
    METRICS_SCRAPE_SECONDS_MAX,
)
from tile38py.protocol.http import Parser, Refusal, Request
from tile38py.protocol.negotiation import Alternative, alternatives, takes_gzip
from tile38py.server.listener import address_text, bind_tcp
from tile38py.server.tls_connection import TlsDependencies, TlsProtocol

TEXT = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
TEXT_TYPES = frozenset({b"text/plain", b"text/*", b"*/*"})
OPENMETRICS_VERSIONS = frozenset({b"", b"1.0.0"})
READ_BYTES = 4096
PAGE = (
    b"<html><head><title>tile38py</title></head>"
    b'<body><h1>tile38py</h1><p><a href="/metrics">Metrics</a></p></body></html>'
)
HTML = "text/html; charset=utf-8"
PORT_MAX = 65535


class Reader(Protocol):
    """The part of asyncio.StreamReader that is used."""

    async def read(self, n: int, /) -> bytes:
        """At most n bytes, none at the end."""


class MetricsServer:
    """Serves scrapes over HTTP."""

    def __init__(
        self, listener: socket.socket, server: Services, tls: TlsDependencies, *, log: Tell
    ) -> None:
        # Only who asked for metrics pays for the library's import.
        from tile38py.metrics import MetricsExporter

        self._listener = listener
        self._config = server.config
        self._tls = tls
        self._log = log
        self._exporter = MetricsExporter(server, lambda: tls.contexts.expiry)
        self._scraping = asyncio.Lock()
        self._clients = 0

    async def run(self) -> None:
        """Serve until cancelled."""
        loop = asyncio.get_running_loop()
        async with await loop.create_server(self._protocol, sock=self._listener) as listening:
            self._log("Listening for metrics at: %s", address_text(self._listener))
            await listening.serve_forever()

    def _protocol(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        is_encrypted = self._config.get(TLS_METRICS)
        return TlsProtocol(self._tls, self._streams) if is_encrypted else self._streams()

    def _streams(self) -> asyncio.Protocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), self._serve)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._clients < METRICS_CLIENTS_COUNT_MAX:
                self._clients += 1
                try:
                    writer.write(await self._reply(reader))
                    async with asyncio.timeout(METRICS_REQUEST_SECONDS_MAX):
                        await writer.drain()
                finally:
                    self._clients -= 1
        except (OSError, TimeoutError):
            pass  # the client is gone or exceeded its time
        finally:
            writer.close()

    async def _reply(self, reader: Reader) -> bytes:
        async with asyncio.timeout(METRICS_REQUEST_SECONDS_MAX):
            request = await read_request(reader)
        if isinstance(request, Refusal):
            return response(request.status, request.text.encode(), "text/plain")
        path = request.text.partition(b"?")[0]
        if path != b"metrics":
            return response(HTTPStatus.OK, PAGE, HTML)
        prefers = prefers_openmetrics(request.headers.get(b"accept", b""))
        async with asyncio.timeout(METRICS_SCRAPE_SECONDS_MAX), self._scraping:
            render = self._exporter.collect(is_openmetrics=prefers)
            text = await asyncio.to_thread(render)
        content_type = OPENMETRICS if prefers else TEXT
        return response(HTTPStatus.OK, text, content_type, is_zipped=takes_gzip(request.headers))


def bind_metrics(address: str) -> socket.socket | None:
    """A socket on host:port, None if there is no address. Raises StartError.

    It is bound before the data is loaded, so that a wrong address ends the start.
    """
    if not address:
        return None
    host, colon, port = address.rpartition(":")
    is_port = port.isascii() and port.isdigit() and int(port) <= PORT_MAX
    if not colon or not is_port:
        raise StartError(f"metrics-addr '{address}': must be host:port")
    return bind_tcp(host.removeprefix("[").removesuffix("]"), int(port))


def prefers_openmetrics(header: bytes) -> bool:
    """Return whether an Accept header names OpenMetrics 1.0.0 and no text format before it."""
    openmetrics = text = 0.0
    for alternative in alternatives(header):
        if alternative.name in TEXT_TYPES:
            text = max(text, alternative.quality)
        elif is_openmetrics(alternative):
            openmetrics = max(openmetrics, alternative.quality)
    return openmetrics > 0 and openmetrics >= text


def is_openmetrics(alternative: Alternative) -> bool:
    """Return whether an entry of an Accept header is the version of OpenMetrics that is served."""
    version = alternative.parameters.get(b"version", b"")
    return alternative.name == b"application/openmetrics-text" and version in OPENMETRICS_VERSIONS


async def read_request(reader: Reader) -> Request | Refusal:
    """Read a complete request. Raises ConnectionResetError if the client closes before."""
    parser = Parser()
    while True:
        data = await reader.read(READ_BYTES)
        if not data:
            raise ConnectionResetError
        found = parser.receive(data)
        if found is not None:
            return found


def response(
    status: HTTPStatus, body: bytes, content_type: str, *, is_zipped: bool = False
) -> bytes:
    """A complete response, after which the connection closes."""
    head = [f"HTTP/1.1 {status} {status.phrase}", f"Content-Type: {content_type}"]
    if is_zipped:
        body = gzip.compress(body, compresslevel=1)
        head.append("Content-Encoding: gzip")
    head += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(head).encode() + body
