"""New certificates for a running server, by SIGHUP and CONFIG SET, while clients send requests."""

import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.brokers import accepts, free_port
from tests.support.tls import Authority, Certificate, TlsServer
from tests.support.waiting import wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TlsServer]:
    """A server with a TLS port, which asks clients for no certificate."""
    with TlsServer(tmp_path, Authority(tmp_path)) as process:
        yield process


def put(made: Certificate, server: TlsServer) -> None:
    """Overwrite the server's files."""
    shutil.copy(made.key, server.certificate.key)
    shutil.copy(made.certificate, server.certificate.certificate)


@contextmanager
def requests_under_way(server: TlsServer) -> Iterator[list[int]]:
    """Send requests on four connections for the length of a block; none may fail."""
    ended = threading.Event()
    counts, replies = [0] * 4, set()

    def send(number: int) -> None:
        with server.connect_tls() as client:
            while not ended.is_set():
                replies.add(str(client.call("SET", "fleet", number, "POINT", 1, 2)))
                counts[number] += 1

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: all(counts), what="requests on all connections")
    try:
        yield counts
    finally:
        earlier = list(counts)
        wait_until(
            lambda: all(now > then for now, then in zip(counts, earlier, strict=True)),
            what="requests after the block",
        )
        ended.set()
        for thread in threads:
            thread.join()
    assert replies == {"+OK"}


def wait_for_name(server: TlsServer, name: str) -> None:
    wait_until(lambda: server.name_seen() == name, what="a new certificate")


def test_sighup_reads_the_certificate_anew_under_load(server: TlsServer) -> None:
    with requests_under_way(server):
        for number in range(3):
            put(server.authority.issue(f"new{number}"), server)
            server.send_signal(signal.SIGHUP)
            wait_for_name(server, f"new{number}")
    assert "TLS certificates are read anew" in server.log()


def test_sighup_with_a_bad_certificate_keeps_the_old_one(server: TlsServer) -> None:
    name = server.name_seen()
    server.certificate.certificate.write_text("nonsense")
    server.send_signal(signal.SIGHUP)
    wait_until(lambda: "the present certificates stay in use" in server.log(), what="a log line")
    assert server.name_seen() == name
    assert server.is_running


def test_config_set_changes_certificate_and_key_together_under_load(server: TlsServer) -> None:
    with requests_under_way(server):
        made = server.authority.issue("made")
        words = ("tls-cert-file", str(made.certificate), "tls-key-file", str(made.key))
        assert server.call("CONFIG", "SET", *words) == "+OK"
        assert server.name_seen() == "made"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("tls-cert-file", "/nowhere", "tls-cert-file '/nowhere': no such file or directory"),
        ("tls-cert-file", "", "tls-cert-file is not set"),
        ("tls-key-file", "/dev/null", "tls-cert-file and tls-key-file: not in PEM"),
        ("tls-ca-cert-file", "/dev/null", "tls-ca-cert-file '/dev/null': no certificate"),
        ("tls-ca-cert-dir", "/dev/null", "tls-ca-cert-dir '/dev/null': not a directory"),
        ("tls-ciphers", "nonsense", "tls-ciphers 'nonsense': no cipher can be selected"),
    ],
)
def test_config_set_refuses_what_makes_no_context(
    server: TlsServer, name: str, value: str, reason: str
) -> None:
    earlier = server.call("CONFIG", "GET", name)
    reply = str(server.call("CONFIG", "SET", name, value))
    assert reply.startswith(f"-ERR CONFIG SET failed - {reason}")
    assert server.call("CONFIG", "GET", name) == earlier
    assert server.name_seen()


def test_a_port_that_is_taken_leaves_the_certificate_as_it_was(server: TlsServer) -> None:
    name, made = server.name_seen(), server.authority.issue("made")
    files = ("tls-cert-file", str(made.certificate), "tls-key-file", str(made.key))
    reply = str(server.call("CONFIG", "SET", *files, "tls-port", server.port))
    assert reply.endswith("bind: address already in use")
    assert server.name_seen() == name


def test_a_key_of_another_certificate_is_refused(server: TlsServer) -> None:
    other = server.authority.issue("other")
    reply = str(server.call("CONFIG", "SET", "tls-key-file", str(other.key)))
    assert reply.endswith("key values mismatch")


def test_config_set_moves_the_tls_port_and_connections_live_on(server: TlsServer) -> None:
    with server.connect_tls() as client:
        earlier, server.tls_port = server.tls_port, free_port()
        assert server.call("CONFIG", "SET", "tls-port", server.tls_port) == "+OK"
        assert server.name_seen()
        assert not accepts(earlier)
        assert client.call("PING") == "+PONG"
        reply = str(server.call("CONFIG", "SET", "tls-port", server.port))
        assert reply.endswith("bind: address already in use")
        assert server.call("CONFIG", "GET", "tls-port") == ["$ tls-port", f"$ {server.tls_port}"]
        assert server.call("CONFIG", "SET", "tls-port", 0) == "+OK"
        wait_until(lambda: not accepts(server.tls_port), what="a closed port")
        assert client.call("PING") == "+PONG"
