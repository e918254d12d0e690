"""TLS connections without sockets: slow, endless and broken handshakes, and what is bounded."""

import asyncio
import ssl

import pytest

from tests.support.bench import turn_until
from tests.support.fakes import FakeTransport
from tests.support.tls import Authority, Certificate
from tile38py.clients import Clients
from tile38py.config import Config
from tile38py.limits import TLS_HANDSHAKE_BYTES_MAX
from tile38py.server import tls_connection
from tile38py.server.tls_connection import TlsDependencies, TlsProtocol
from tile38py.server.tls_contexts import TlsContexts


class Upper(asyncio.Protocol):
    """Replies in upper case."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received: list[bytes] = []
        self.pauses = 0

    def data_received(self, data: bytes) -> None:
        self.received.append(data)
        self.transport.write(data.upper())

    def pause_writing(self) -> None:
        self.pauses += 1


class Line:
    """A client's TLS, directly connected to the server's."""

    def __init__(self, context: ssl.SSLContext, contexts: TlsContexts, clients: Clients) -> None:
        self.refused: list[tuple[str, str]] = []
        self.clients, self.contexts = clients, contexts
        self.protocols: list[Upper] = []
        loop = asyncio.get_running_loop()
        refused = self.refused
        dependencies = TlsDependencies(loop, contexts, clients, lambda *why: refused.append(why))
        self.server = TlsProtocol(dependencies, self._upper)
        self.transport = FakeTransport(("192.0.2.1", 5000))
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.server.connection_made(self.transport)

    def _upper(self) -> Upper:
        self.protocols.append(Upper())
        return self.protocols[-1]

    def send(self, data: bytes) -> None:
        """Bring bytes to the server, and its bytes to the client."""
        if not self.transport.is_closed:
            self.server.data_received(data)
        self.incoming.write(self.transport.taken())

    def shake_hands(self, step_bytes: int = 1 << 20) -> None:
        """Complete the handshake, so many bytes at a time."""
        while True:
            try:
                self.client.do_handshake()
            except ssl.SSLWantReadError:
                self._bring(step_bytes)
            else:
                self._bring(step_bytes)
                return

    def _bring(self, step_bytes: int) -> None:
        while data := self.outgoing.read(step_bytes):
            self.send(data)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.issue("server")


@pytest.fixture
def contexts(certificate: Certificate) -> TlsContexts:
    config = Config()
    files = {"tls-cert-file": certificate.certificate, "tls-key-file": certificate.key}
    settings = {name: str(path) for name, path in files.items()}
    config.set_all({**settings, "tls-port": "1", "tls-auth-clients": "no"})
    return TlsContexts(config)


@pytest.fixture
async def line(authority: Authority, contexts: TlsContexts) -> Line:
    return Line(authority.context(), contexts, Clients(1))


@pytest.mark.parametrize("step_bytes", [1, 100, 1 << 20])
async def test_a_handshake_in_pieces_of_any_size_is_completed(line: Line, step_bytes: int) -> None:
    line.shake_hands(step_bytes)
    assert line.clients.handshakes == 0
    line.client.write(b"ping")
    line.send(line.outgoing.read())
    assert line.client.read(100) == b"PING"


async def test_records_that_arrive_together_are_passed_on_in_one_piece(line: Line) -> None:
    line.shake_hands()
    for _ in range(3):
        line.client.write(b"x" * 16_000)
    line.send(line.outgoing.read())
    assert line.protocols[0].received == [b"x" * 48_000]


async def test_a_request_behind_the_handshake_is_answered(line: Line) -> None:
    with pytest.raises(ssl.SSLWantReadError):
        line.client.do_handshake()
    line.send(line.outgoing.read())
    line.client.do_handshake()
    line.client.write(b"ping")
    line.send(line.outgoing.read())
    assert line.client.read(100) == b"PING"


async def test_a_handshake_that_takes_too_long_is_ended(
    authority: Authority, contexts: TlsContexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_connection, "TLS_HANDSHAKE_SECONDS_MAX", 0)
    line = Line(authority.context(), contexts, Clients(1))
    await turn_until(line.transport.is_closing)
    assert line.refused == [("192.0.2.1", "handshake timed out")]
    line.server.connection_lost(None)
    assert line.clients.handshakes == 0


async def test_a_handshake_that_is_too_large_is_ended(line: Line) -> None:
    # A client's hello may be as long as its record says; OpenSSL waits for the rest of it.
    for _ in range(TLS_HANDSHAKE_BYTES_MAX // 16_000 + 2):
        line.send(b"\x16\x03\x01\x3e\x80\x01\x00\xff\xff" + bytes(15_996))
    assert line.transport.is_closed
    assert line.refused


async def test_garbage_that_begins_like_tls_is_ended_with_an_alert(line: Line) -> None:
    line.server.data_received(b"\x16\x03\x01\x00\x05hello")
    assert line.transport.taken().startswith(b"\x15\x03")
    assert line.transport.is_closed
    assert len(line.refused) == 1


async def test_a_client_that_leaves_amid_its_handshake_is_let_go(line: Line) -> None:
    line.send(b"\x16\x03\x01")
    assert not line.server.eof_received()
    line.server.connection_lost(None)
    assert (line.clients.handshakes, line.refused) == (0, [])


async def test_a_handshake_counts_as_a_client(line: Line) -> None:
    assert line.clients.is_full
    other = Line(ssl.create_default_context(), line.contexts, line.clients)
    assert other.transport.is_closed
    other.server.connection_lost(None)
    line.server.connection_lost(None)
    assert not line.clients.is_full


async def test_a_client_that_reads_nothing_of_the_handshake_is_cut(line: Line) -> None:
    line.server.pause_writing()
    assert line.transport.is_closed


async def test_a_full_write_buffer_pauses_the_protocol(line: Line) -> None:
    line.shake_hands()
    line.server.pause_writing()
    assert line.protocols[0].pauses == 1


async def test_a_version_that_is_not_accepted_is_refused(
    authority: Authority, certificate: Certificate
) -> None:
    config = Config()
    files = {"tls-cert-file": certificate.certificate, "tls-key-file": certificate.key}
    settings = {name: str(path) for name, path in files.items()}
    only = {"tls-port": "1", "tls-auth-clients": "no", "tls-protocols": "TLSv1.3"}
    config.set_all({**settings, **only})
    context = authority.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    line = Line(context, TlsContexts(config), Clients(1))
    with pytest.raises(ssl.SSLError, match="protocol version"):
        line.shake_hands()
    assert line.refused == [("192.0.2.1", "unsupported protocol")]
