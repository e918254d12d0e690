"""redis_exporter, as Debian packages it, scrapes the server with `--is-tile38`."""

import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clients.catalog import Access
from tests.clients.test_libraries import PASSWORD, USER, set_password
from tests.support.brokers import free_port
from tests.support.tls import Authority, TlsServer
from tests.support.waiting import wait_until

PROGRAM = "prometheus-redis-exporter"


def login(server: TlsServer, access: Access) -> list[str]:
    """Return the options by which the exporter is let in."""
    if access is Access.TLS:
        authority = str(server.authority.file)
        address = f"rediss://127.0.0.1:{server.tls_port}"
        return ["--redis.addr", address, "--tls-ca-cert-file", authority]
    options = ["--redis.addr", f"redis://127.0.0.1:{server.port}"]
    if access is not Access.PLAIN:
        options += ["--redis.password", PASSWORD]
    return options + (["--redis.user", USER] if access is Access.USER else [])


def scrape(port: int) -> dict[str, float]:
    """Return the exporter's metrics by name, none while it doesn't listen yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
            text = reply.read().decode()
    except urllib.error.URLError:
        return {}
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.M)}


@contextmanager
def running_exporter(options: list[str]) -> Iterator[int]:
    """An exporter as a process; gives its port."""
    port = free_port()
    words = [PROGRAM, "--is-tile38", "--web.listen-address", f"127.0.0.1:{port}", *options]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield port
        finally:
            process.kill()


@pytest.mark.parametrize("access", Access)
def test_redis_exporter_scrapes_before_and_after_a_restart(access: Access, tmp_path: Path) -> None:
    if not shutil.which(PROGRAM):
        pytest.skip(f"{PROGRAM} isn't installed: run .ci/clients")
    with TlsServer(tmp_path, Authority(tmp_path)) as server:
        assert server.call("SET", "fleet", "truck", "POINT", 1, 2) == "+OK"
        if access in (Access.PASSWORD, Access.USER):
            set_password(server)
        with running_exporter(login(server, access)) as port:
            metrics = wait_until(lambda: scrape(port), what="a scrape")
            assert metrics["redis_up"] == 1
            assert metrics["redis_tile38_num_objects_total"] == 1
            assert server.stop() == 0
            assert scrape(port)["redis_up"] == 0
            server.start(port=server.port)
            metrics = scrape(port)
            assert metrics["redis_up"] == 1
            assert metrics["redis_tile38_num_points_total"] == 1
