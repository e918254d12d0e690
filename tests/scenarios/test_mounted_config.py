"""The configuration file as a single file that is mounted into the data directory, for real."""

import json
import os
from pathlib import Path

import pytest

from tests.support.process import ServerProcess

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")

# In a mount namespace of its own, which ends with the server.
MOUNT = 'mount --bind -o "$1" "$2" "$3" && shift 3 && exec "$@"'


def mounted(tmp_path: Path, content: str, options: str = "rw") -> tuple[ServerProcess, Path]:
    """A server whose configuration file is mounted from elsewhere."""
    outside = tmp_path / "outside.json"
    outside.write_text(content)
    server = ServerProcess(tmp_path)
    server.data.mkdir()
    inside = server.data / "config"
    inside.touch()
    arguments = ["sh", options, str(outside), str(inside)]
    server.program = ["unshare", "--mount", "sh", "-c", MOUNT, *arguments, *server.program]
    return server, outside


def test_settings_are_kept_in_a_mounted_file(tmp_path: Path) -> None:
    server, outside = mounted(tmp_path, '{"keepalive":"60"}')
    with server:
        assert server.call("CONFIG", "GET", "keepalive") == ["$ keepalive", "$ 60"]
        server.call("CONFIG", "SET", "keepalive", "30")
        assert server.call("CONFIG", "REWRITE") == "+OK"
        assert json.loads(outside.read_text())["keepalive"] == "30"
        assert server.stop() == 0
        server.start()
        assert server.call("CONFIG", "GET", "keepalive") == ["$ keepalive", "$ 30"]


def test_a_read_only_file_is_used_and_left_alone(tmp_path: Path) -> None:
    content = '{"keepalive":"60","a-typing-error":1}'
    server, outside = mounted(tmp_path, content, "ro")
    with server:
        assert server.call("CONFIG", "GET", "keepalive") == ["$ keepalive", "$ 60"]
        assert "[WARN] The configuration file is read-only: no setting is kept" in server.log()
        assert "[ERRO] Not understood in the configuration file: 'a-typing-error'" in server.log()
        assert str(server.call("CONFIG", "REWRITE")).startswith("-ERR")
        assert server.call("SET", "fleet", "truck", "POINT", 1, 2) == "+OK"
    assert outside.read_text() == content
    assert not list(server.data.glob("config.*"))


def test_a_read_only_file_that_needs_no_change_is_no_matter(tmp_path: Path) -> None:
    server, outside = mounted(tmp_path, '{\n\t"server_id": "0123456789abcdef"\n}\n', "ro")
    before = outside.stat().st_mtime_ns
    with server:
        assert "read-only" not in server.log()
    assert outside.stat().st_mtime_ns == before
