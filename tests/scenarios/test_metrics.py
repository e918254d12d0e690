"""--metrics-addr of a real server."""

import gzip
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import ServerProcess
from tests.support.scraping import METRICS_OPTIONS, get, metrics_port
from tests.support.tls import Authority, TlsServer
from tile38py.server.certificates import certificate_expiry


@pytest.fixture
def measured(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that shows its metrics."""
    with ServerProcess(tmp_path, METRICS_OPTIONS) as server:
        yield server


def test_metrics_are_shown_as_plain_text(measured: ServerProcess) -> None:
    measured.call("SET", "fleet", "truck", "POINT", 33, -115)
    body, headers = get(measured, "/metrics")
    assert headers["Content-Type"] == (
        "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    )
    assert b'tile38_collection_points{col="fleet"} 1.0\n' in body
    assert b"# TYPE tile38_connections_received_total gauge\n" in body


def test_metrics_are_zipped_for_who_asks_for_it(measured: ServerProcess) -> None:
    body, headers = get(measured, "/metrics?x=1", **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert b"tile38_collections 0.0\n" in gzip.decompress(body)


def test_every_other_path_shows_the_way(measured: ServerProcess) -> None:
    for path in ("/", "/nope"):
        body, headers = get(measured, path)
        assert headers["Content-Type"].startswith("text/html")
        assert b'href="/metrics"' in body


def test_no_password_is_needed(measured: ServerProcess) -> None:
    measured.call("CONFIG", "SET", "requirepass", "secret")
    assert get(measured, "/metrics")[0]


def test_what_is_no_http_is_refused_and_the_next_is_served(measured: ServerProcess) -> None:
    with socket.create_connection(("127.0.0.1", metrics_port(measured)), timeout=10) as client:
        client.sendall(b"PING\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")
    with pytest.raises(urllib.error.HTTPError):
        request = urllib.request.Request(
            f"http://127.0.0.1:{metrics_port(measured)}/metrics", method="DELETE"
        )
        urllib.request.urlopen(request, timeout=10)
    assert get(measured, "/metrics")[0]


@pytest.mark.parametrize("address", ["9999", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:70000"])
def test_a_wrong_address_ends_the_start_with_a_clear_message(tmp_path: Path, address: str) -> None:
    server = ServerProcess(tmp_path, ["--metrics-addr", address])
    server.launch()
    assert server.wait() == 1
    assert f"metrics-addr '{address}': must be host:port" in server.log()


def test_an_address_that_is_taken_ends_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        server = ServerProcess(tmp_path, ["--metrics-addr", address])
        server.launch()
        assert server.wait() == 1
    assert f"listen tcp {address}: bind: address already in use" in server.log()


def test_metrics_are_served_over_https_on_request(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    options = [*METRICS_OPTIONS, "--tls-metrics", "yes", "--tls-auth-clients", "no"]
    with TlsServer(tmp_path, authority, options) as server:
        url = f"https://127.0.0.1:{metrics_port(server)}/metrics"
        with urllib.request.urlopen(url, timeout=10, context=authority.context()) as reply:
            body = reply.read()
        assert b"tile38_collections 0.0\n" in body
        assert b"tile38_tls_connections_received_total 1.0\n" in body
        expiry = certificate_expiry(str(server.certificate.certificate))
        name = "tile38_tls_certificate_expiry_timestamp_seconds"
        assert float(re.findall(rf"^{name} (\S+)$", body.decode(), re.MULTILINE)[0]) == expiry
        with pytest.raises(urllib.error.HTTPError, match="400"):
            get(server, "/metrics")
        assert server.call("CONFIG", "SET", "tls-metrics", "no") == "+OK"
        assert get(server, "/metrics")[0]
