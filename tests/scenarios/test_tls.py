"""TLS: every protocol on the TLS port, client certificates, and bytes on the wrong port."""

import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest
import redis

from tests.support.brokers import program
from tests.support.resp import Connection
from tests.support.tls import Authority, Certificate, TlsServer
from tests.support.waiting import wait_until

Result = TypeVar("Result")
STORE = b"SET fleet truck POINT 1 2\r\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority that the server and its clients trust."""
    return Authority(tmp_path)


@pytest.fixture
def server(tmp_path: Path, authority: Authority) -> Iterator[TlsServer]:
    """A server with a TLS port, which asks clients for no certificate."""
    with TlsServer(tmp_path, authority) as process:
        yield process


def test_requests_and_replies_of_any_size_pass(server: TlsServer) -> None:
    with server.connect_tls() as client:
        text = "x" * 3_000_000
        assert client.call("SET", "fleet", "big", "STRING", text) == "+OK"
        assert client.call("GET", "fleet", "big") == f"$ {text}"
        words = [("SET", "fleet", number, "POINT", number % 90, 1) for number in range(3000)]
        assert client.call_many(words) == ["+OK"] * 3000
        assert client.call("SCAN", "fleet", "COUNT") == ":3001"


def test_redis_py_and_redis_cli_connect(server: TlsServer, authority: Authority) -> None:
    with redis.Redis(port=server.tls_port, ssl=True, ssl_ca_certs=str(authority.file)) as client:
        assert client.ping()
    trust = ["--tls", "--cacert", str(authority.file), "-p", str(server.tls_port)]
    done = subprocess.run(
        [program("redis-cli"), *trust, "PING"], check=True, capture_output=True, text=True
    )
    assert done.stdout == "PONG\n"


def test_curl_gets_replies_over_https(server: TlsServer, authority: Authority) -> None:
    url = f"https://localhost:{server.tls_port}/ping"
    words = [program("curl"), "-s", "--cacert", str(authority.file), url]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    assert done.stdout.startswith('{"ok":true,"ping":"pong"')


async def test_a_live_fence_sends_messages_over_wss(
    server: TlsServer, authority: Authority
) -> None:
    url = f"wss://localhost:{server.tls_port}/NEARBY+fleet+FENCE+POINT+1+2+1000"
    context = authority.context()
    async with aiohttp.ClientSession() as session, session.ws_connect(url, ssl=context) as live:
        assert '"live":true' in await live.receive_str()
        assert server.call("SET", "fleet", "truck", "POINT", 1, 2) == "+OK"
        assert '"detect":"enter"' in await live.receive_str()


def test_a_client_that_has_sent_everything_gets_its_reply(
    server: TlsServer, authority: Authority
) -> None:
    with socket.create_connection(("127.0.0.1", server.tls_port), 10) as raw:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = authority.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
        exchange(raw, client.do_handshake, incoming, outgoing)
        client.write(STORE)
        with pytest.raises(ssl.SSLWantReadError):
            client.unwrap()
        raw.sendall(outgoing.read())
        raw.shutdown(socket.SHUT_WR)
        reply = exchange(raw, lambda: client.read(100), incoming, outgoing)
        assert reply == b"+OK\r\n"


def exchange(
    raw: socket.socket, step: Callable[[], Result], incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO
) -> Result:
    """Repeat a step of OpenSSL until it has the bytes that it wants."""
    while True:
        try:
            return step()
        except ssl.SSLWantReadError:
            if outgoing.pending:
                raw.sendall(outgoing.read())
            incoming.write(raw.recv(1 << 16))


def test_plain_bytes_on_the_tls_port_get_a_clear_end(server: TlsServer) -> None:
    with Connection(("127.0.0.1", server.tls_port)) as client:
        client.send(b"PING\r\n")
        assert client.read_raw() == (b"-ERR this port requires TLS\r\n", True)
    with Connection(("127.0.0.1", server.tls_port)) as client:
        client.send(b"GET /ping HTTP/1.1\r\n\r\n")
        data, is_closed = client.read_raw()
        assert data.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert is_closed
    assert "Refused a connection from 127.0.0.1: no TLS: plain bytes" in server.log()


def test_tls_on_the_plain_port_gets_a_clear_end(server: TlsServer, authority: Authority) -> None:
    with (
        socket.create_connection(server.address, 10) as raw,
        pytest.raises(ssl.SSLError, match="handshake failure"),
    ):
        authority.context().wrap_socket(raw, server_hostname="localhost")
    assert "Refused a connection from 127.0.0.1: TLS on a port without TLS" in server.log()


def test_refusals_take_one_line_a_second(server: TlsServer) -> None:
    for _ in range(50):
        with Connection(("127.0.0.1", server.tls_port)) as client:
            client.send(b"PING\r\n")
            client.read_raw()
    assert server.log().count("Refused a connection") < 25


def test_a_broken_record_ends_its_connection_alone(server: TlsServer, authority: Authority) -> None:
    with server.connect_tls() as other, server.connect_tls() as client:
        assert client.call("PING") == "+PONG"
        with socket.socket(fileno=client.socket.detach()) as raw:
            raw.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
            raw.settimeout(10)
            received = b""
            while data := raw.recv(1000):
                received += data
        assert other.call("PING") == "+PONG"
    wait_until(lambda: "decryption failed or bad record mac" in server.log(), what="a log line")


def refusal(server: TlsServer, own: Certificate | None = None) -> str:
    """Return the alert by which the server refuses a client."""
    with server.connect_tls(own) as client, pytest.raises(ssl.SSLError) as caught:
        client.socket.recv(1)
    return str(caught.value)


@pytest.mark.parametrize("asked", ["yes", "optional"])
def test_a_client_with_a_certificate_is_let_in(
    tmp_path: Path, authority: Authority, asked: str
) -> None:
    with TlsServer(tmp_path, authority, ["--tls-auth-clients", asked]) as server:
        with server.connect_tls(authority.issue("client")) as client:
            assert client.call("PING") == "+PONG"
        stranger = Authority(tmp_path, "stranger").issue("client")
        assert "unknown ca" in refusal(server, stranger)
        assert "certificate verify failed" in server.log()


def test_a_client_without_a_certificate_is_refused_unless_it_is_optional(
    tmp_path: Path, authority: Authority
) -> None:
    with TlsServer(tmp_path, authority, []) as server:
        assert "certificate required" in refusal(server)
        assert "peer did not return a certificate" in server.log()
        assert server.call("CONFIG", "SET", "tls-auth-clients", "optional") == "+OK"
        with server.connect_tls() as client:
            assert client.call("PING") == "+PONG"


def test_renegotiation_is_refused_and_others_go_on(server: TlsServer) -> None:
    words = [program("openssl"), "s_client", "-tls1_2", "-connect", f"localhost:{server.tls_port}"]
    with server.connect_tls() as other:
        # A line that is `R` asks s_client to renegotiate.
        done = subprocess.run(words, input="R\n", capture_output=True, text=True, timeout=20)
        assert "RENEGOTIATING" in done.stdout + done.stderr
        assert "no renegotiation" in done.stderr
        assert other.call("PING") == "+PONG"
