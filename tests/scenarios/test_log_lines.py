"""Every line of the server's log is in its own form, whatever brokers' clients have to say."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from tests.support.brokers import free_port
from tests.support.process import ServerProcess
from tests.support.waiting import wait_until

FENCE = ("NEARBY", "fleet", "FENCE", "DETECT", "enter,exit", "POINT", 33, -115, 10000)
URLS = {
    "http": "http://127.0.0.1:{port}/",
    "redis": "redis://127.0.0.1:{port}/c",
    "disque": "disque://127.0.0.1:{port}/q",
    "grpc": "grpc://127.0.0.1:{port}/",
    "kafka": "kafka://127.0.0.1:{port}/t",
    "amqp": "amqp://127.0.0.1:{port}/q",
    "amqps": "amqps://127.0.0.1:{port}/q",
    "mqtt": "mqtt://127.0.0.1:{port}/t?qos=1",
    "nats": "nats://127.0.0.1:{port}/s",
    "sqs": "sqs://us-east-1:123456789012/q",
    "pubsub": "pubsub://project:topic",
    "cf-queue": "cf-queue://account/queue?token=t",
}
PATIENT = "sqs"  # its client repeats by itself for long before it gives up
LINE = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(INFO|WARN|ERRO|DEBU)\] ")
BANNER = re.compile(r"|  (tile38py|Address:|PID:) .*")


class Nonsense(StreamRequestHandler):
    """Answers everything with bytes that are no protocol."""

    def handle(self) -> None:
        while self.request.recv(65536):
            self.request.sendall(b"\xff\x00\xfe\x01" * 64)

    def finish(self) -> None:
        """The peer may be gone."""


@pytest.fixture
def nonsense() -> Iterator[int]:
    """The port of a server that talks nonsense."""
    server = ThreadingTCPServer(("127.0.0.1", 0), Nonsense)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # a reset is no error
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def failures(server: ServerProcess) -> dict[str, int]:
    """How often each hook's endpoint was tried in vain."""
    found = {}
    for name in URLS:
        report = server.call("HOOKSTATS", name)
        count = re.search(r"'\$ failed', ':(\d+)'", str(report))
        found[name] = int(count[1]) if count else 0
    return found


@pytest.mark.parametrize("is_there", [False, True])
def test_the_clients_of_brokers_write_no_lines(
    tmp_path: Path, nonsense: int, *, is_there: bool
) -> None:
    port = nonsense if is_there else free_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "key",
        "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{port}",
        "CLOUDFLARE_BASE_URL": f"http://127.0.0.1:{port}",
    }
    with ServerProcess(tmp_path, ["-vv"], environment=environment) as server:
        for name, url in URLS.items():
            assert server.call("SETHOOK", name, url.format(port=port), *FENCE) == ":1"
        server.call("SET", "fleet", "truck", "POINT", 33, -115)
        wait_until(
            lambda: all(count or name == PATIENT for name, count in failures(server).items()),
            seconds_max=20,
            what="a try of each",
        )
        assert server.stop() == 0
        lines = server.log().splitlines()
    assert [each for each in lines if not LINE.match(each) and not BANNER.fullmatch(each)] == []
    # With -vv what they say is there, in our form.
    assert any("[DEBU] aiokafka" in each for each in lines)
