"""The health check of a real server, however it listens."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.brokers import free_port
from tests.support.process import ServerProcess
from tests.support.tls import Authority, TlsOnlyServer
from tests.support.waiting import wait_until


def health(server: ServerProcess) -> tuple[int, str]:
    """The exit code of the health check, and what it tells."""
    command = [str(Path(sys.executable).with_name("tile38py-health")), "-d", str(server.data)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize(
    "options",
    [
        ["-h", "0.0.0.0"],
        ["-h", ""],
        ["--http-transport", "no"],
        ["-o", "json"],
        ["--protected-mode", "yes"],
    ],
)
def test_a_server_that_serves_is_healthy(tmp_path: Path, options: list[str]) -> None:
    with ServerProcess(tmp_path, options) as server:
        assert server.call("CONFIG", "SET", "requirepass", "secret")
        assert health(server) == (0, "")
        server.kill()
        code, text = health(server)
        assert code == 1
        assert "refused" in text


def test_a_server_on_a_unix_socket_is_asked_there(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    server = ServerProcess(tmp_path, ["-s", str(path)])
    server.launch()
    try:
        wait_until(lambda: "AOF loaded" in server.log(), what="a loaded log")
        assert health(server) == (0, "")
    finally:
        server.kill()


def test_a_server_with_tls_alone_is_shown_its_own_certificate(tmp_path: Path) -> None:
    with TlsOnlyServer(tmp_path, Authority(tmp_path)) as server:
        assert health(server) == (0, "")
        made = server.authority.issue("made")
        files = ("tls-cert-file", str(made.certificate), "tls-key-file", str(made.key))
        assert server.call("CONFIG", "SET", *files) == "+OK"
        server.certificate.key.unlink()
        assert health(server) == (0, "")


def test_what_the_server_says_is_told(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    server.data.mkdir()
    leader = {"follow_host": "127.0.0.1", "follow_port": free_port()}
    (server.data / "config").write_text(json.dumps(leader))
    with server:
        assert health(server) == (1, "unhealthy: -ERR catching up to leader")


def test_without_a_server_there_is_no_health(tmp_path: Path) -> None:
    code, text = health(ServerProcess(tmp_path))
    assert code == 1
    assert "No such file" in text
