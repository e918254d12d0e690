"""The health check's command: what it takes for health, and TLS."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.brokers import make_certificates
from tile38py.cli import health
from tile38py.cli.health import UnhealthyError, check, main
from tile38py.persistence.data_folder import DirectoryLock


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take longer than a health check should wait."""
    monkeypatch.setattr(health, "SECONDS_MAX", 60)


OK = b"+OK\r\n"
JSON = b'$11\r\n{"ok":true}\r\n'


def answer(
    reply: bytes, wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain
) -> int:
    """The port of a server that answers one request, byte by byte."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        # The client may be gone before TLS has said everything.
        with (
            contextlib.suppress(BrokenPipeError, ConnectionResetError),
            listener,
            wrap(listener.accept()[0]) as connection,
        ):
            assert connection.recv(100) == b"*1\r\n$7\r\nHEALTHZ\r\n"
            for byte in reply:
                connection.sendall(bytes([byte]))

    threading.Thread(target=serve).start()
    port: int = listener.getsockname()[1]
    return port


@pytest.mark.parametrize("reply", [OK, JSON])
def test_a_server_that_says_so_is_healthy(reply: bytes) -> None:
    check([f"tcp://0.0.0.0:{answer(reply)}", "tcp://127.0.0.1:1"])


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"-ERR not caught up\r\n", "-ERR not caught up"),
        (b'$35\r\n{"ok":false,"err":"not caught up"}\r\n', "not caught up"),
        (b"", "no reply"),
        (b"HTTP/1.0 400 Bad Request\r\n\r\n", "HTTP"),
    ],
)
def test_any_other_reply_is_the_reason(reply: bytes, reason: str) -> None:
    with pytest.raises(UnhealthyError, match=reason):
        check([f"tcp://127.0.0.1:{answer(reply)}"])


def test_a_server_that_listens_with_tls_is_asked_with_tls(tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*make_certificates(tmp_path))
    port = answer(OK, lambda plain: context.wrap_socket(plain, server_side=True))
    check([f"tls://127.0.0.1:{port}"])


def test_a_server_that_hangs_is_not_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "SECONDS_MAX", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TimeoutError):
        check([f"tcp://127.0.0.1:{listener.getsockname()[1]}"])


def test_the_exit_code_is_the_verdict(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    for addresses, code in (
        ([], "unhealthy: the server doesn't listen yet"),
        ([f"tcp://127.0.0.1:{answer(OK)}"], 0),
    ):
        lock.announce(addresses)
        with pytest.raises(SystemExit) as caught:
            main(["-d", str(tmp_path)])
        assert caught.value.code == code
    lock.release()
    with pytest.raises(SystemExit, match="Usage: tile38py-health"):
        main(["-x"])
