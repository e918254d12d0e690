"""SIGN, HEADERS and FORMAT of a real server: over a rewritten log and a restart, and in no log."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.support.process import ServerProcess
from tests.support.resp import encode_command
from tests.support.waiting import wait_until

SECRETS = ("signing-secret", "header-secret")
FENCE = ("NEARBY", "fleet", "FENCE", "DETECT", "enter,exit", "POINT", 33, -115, 10000)
Received = list[tuple[dict[str, str], bytes]]


@pytest.fixture
def endpoint() -> Iterator[tuple[str, Received]]:
    """A web server: its URL, and what it has received."""
    received: Received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(({name.lower(): v for name, v in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_options_last_over_shrinking_and_restarts_and_stand_in_no_log(
    server: ServerProcess, endpoint: tuple[str, Received]
) -> None:
    url, received = endpoint
    server.call("CONFIG", "SET", "slowlog-log-slower-than", 0)
    with socket.create_connection(server.address) as monitor:
        monitor.sendall(encode_command([b"MONITOR"]))
        assert monitor.recv(100) == b"+OK\r\n"
        options = ("SIGN", SECRETS[0], "HEADERS", "X-Key", SECRETS[1], "FORMAT", "cloudevents")
        assert server.call("SETHOOK", "zone", url, *options, *FENCE) == ":1"
        refused = server.call("SETHOOK", "bad", url, *options, "NOPE")
        assert refused == "-ERR invalid argument 'NOPE'"
        shown = b""
        server.call("GET", "fleet", "last")
        while b'"last"' not in shown:
            shown += monitor.recv(10_000)
    slow = str(server.call("SLOWLOG", "GET", -1))
    hooks = str(server.call("HOOKS", "*")) + str(server.call("HOOKINFO", "zone"))
    assert b'"SIGN" "***"' in shown
    for text in (shown.decode(), slow, hooks, server.log()):
        assert not any(secret in text for secret in SECRETS)
    assert "SIGN" in slow
    assert server.call("AOFSHRINK") == "+OK"
    server.kill()
    server.start()
    assert server.call("SET", "fleet", "truck", "POINT", 33, -115) == "+OK"
    wait_until(lambda: len(received) == 1, what="the message")
    headers, body = received[0]
    assert headers["x-key"] == SECRETS[1]
    assert headers["webhook-signature"].startswith("v1,")
    envelope = json.loads(body)
    assert (envelope["type"], envelope["subject"]) == ("tile38.fence.enter", "truck")
    assert envelope["data"]["hook"] == "zone"


def test_a_batch_comes_as_lines_in_one_request(
    server: ServerProcess, endpoint: tuple[str, Received]
) -> None:
    url, received = endpoint
    options = ("BATCH", "50|200ms", "FORMAT", "ndjson", "SEQUENCE", "yes", "RETRY", "100ms..1s")
    assert server.call("SETHOOK", "zone", url, *options, "TIMEOUT", "2s", *FENCE) == ":1"
    moves = [("SET", "fleet", f"truck{number}", "POINT", 33, -115) for number in range(120)]
    with server.connect() as connection:
        assert set(connection.call_many(moves)) == {"+OK"}
    wait_until(lambda: sum(body.count(b"\n") for _, body in received) == 120, what="all events")
    numbers = [json.loads(line)["sequence"] for _, body in received for line in body.splitlines()]
    assert numbers == [*range(1, 121)]
    assert len(received) <= 6
    assert all(headers["content-type"] == "application/x-ndjson" for headers, _ in received)
