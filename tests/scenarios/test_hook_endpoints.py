"""Endpoints of a real server: schemes of other packages, odd names, secrets, a broken queue."""

import json
import resource
import textwrap
from functools import partial
from pathlib import Path

import pytest

from tests.scenarios.test_hooks import Receiver, move, pending, set_hook
from tests.support.brokers import free_port, make_certificates
from tests.support.process import START_SECONDS_MAX, ServerProcess
from tests.support.resp import encode_words
from tests.support.waiting import wait_until

FENCE = ("NEARBY", "fleet", "FENCE", "DETECT", "enter,exit", "POINT", 33, -115, 10000)
CODE = """
    from dataclasses import dataclass


    @dataclass(frozen=True)
    class FileSettings:
        path: str

        @classmethod
        def parse(cls, url):
            return cls(url.partition("://")[2])

        @property
        def cluster(self):
            return ()

        async def connect(self, dependencies):
            return FileEndpoint()


    class FileEndpoint:
        async def send(self, batch, target):
            with open(target.path, "ab") as file:
                for index in batch.waiting():
                    file.write(batch.events[index].body + b"\\n")
                    batch.delivered.add(index)

        async def close(self):
            pass
"""


def install(folder: Path, *, is_broken: bool = False) -> None:
    """A distribution as pip leaves it."""
    (folder / "file_endpoint.py").write_text("1 / 0" if is_broken else textwrap.dedent(CODE))
    facts = folder / "file_endpoint-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: file-endpoint\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(
        "[tile38py.endpoints]\nfile = file_endpoint:FileSettings\n"
    )


def is_logged(server: ServerProcess, line: str) -> bool:
    """Whether a line is in the server's log."""
    return line in server.log()


def lines_of(path: Path) -> list[bytes]:
    """What a file holds, if it is there."""
    return path.read_bytes().splitlines() if path.exists() else []


def test_another_package_adds_a_scheme(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    install(packages)
    paths = [tmp_path / "one", tmp_path / "other"]
    with ServerProcess(tmp_path, environment={"PYTHONPATH": str(packages)}) as server:
        for path in paths:
            assert server.call("SETHOOK", path.name, f"file://{path}", *FENCE) == ":1"
        for latitude in (33, 44, 33):
            server.call("SET", "fleet", "truck", "POINT", latitude, -115)
        wait_until(lambda: all(len(lines_of(path)) == 3 for path in paths), what="three messages")
        for path in paths:
            lines = lines_of(path)
            assert [json.loads(line)["detect"] for line in lines] == ["enter", "exit", "enter"]
            assert {json.loads(line)["hook"] for line in lines} == {path.name}
    without = tmp_path / "without"
    without.mkdir()
    with ServerProcess(without) as server:
        assert (
            server.call("SETHOOK", "h", "file:///x", *FENCE) == "-ERR invalid argument 'file:///x'"
        )


def test_a_package_that_is_broken_stops_nobody_else(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    install(packages, is_broken=True)
    receiver = Receiver()
    try:
        with ServerProcess(tmp_path, environment={"PYTHONPATH": str(packages)}) as server:
            refused = server.call("SETHOOK", "a", "file:///x", *FENCE)
            assert refused == "-ERR endpoint 'file:///x': ZeroDivisionError: division by zero"
            assert server.call("SETHOOK", "b", f"http://127.0.0.1:{receiver.port}/", *FENCE) == ":1"
            server.call("SET", "fleet", "truck", "POINT", 33, -115)
            wait_until(lambda: len(receiver.received) == 1, what="the message")
    finally:
        receiver.close()


HIDDEN = """
    import sys


    class Hidden:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == "aiokafka":
                raise ModuleNotFoundError(name, name=name)


    sys.meta_path.insert(0, Hidden())
"""


def test_endpoints_of_a_log_that_cannot_be_used_are_told_and_stop_nothing(tmp_path: Path) -> None:
    """A broker's client that isn't installed, and a scheme that only others know."""
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    (hiding / "sitecustomize.py").write_text(textwrap.dedent(HIDDEN))
    receiver = Receiver()
    try:
        with ServerProcess(tmp_path, environment={"PYTHONPATH": str(hiding)}) as server:
            install = "its client isn't installed: pip install 'tile38py[kafka]'"
            url, good = "kafka://user@h/t?x=geheim", f"http://127.0.0.1:{receiver.port}/"
            refused = server.call("SETHOOK", "h", url, *FENCE)
            assert refused == f"-ERR endpoint 'kafka://***@h/t?***': {install}"
            server.stop()
            log = b"".join(
                encode_words(("SETHOOK", name, urls, *FENCE))
                for name, urls in [
                    ("a", url),
                    ("b", f"newer://h/?pass=geheim,{good}"),
                    ("c", good),
                ]
            )
            (server.data / "appendonly.aof").write_bytes(log)
            server.start()
            told = "Hook '%s' has an endpoint that can't be used: %s"
            for name, problem in [
                ("a", f"kafka://***@h/t?***: {install}"),
                ("b", "newer://h/?***: unknown scheme"),
            ]:
                line = told % (name, problem)
                wait_until(partial(is_logged, server, line), what=line)
                assert problem in str(server.call("HOOKSTATS", name))
            assert "can't be used" not in str(server.call("HOOKSTATS", "c"))
            # The hook's other endpoint takes what it can.
            server.call("SET", "fleet", "truck", "POINT", 33, -115)
            wait_until(lambda: len(receiver.received) == 2, what="messages of two hooks")
            assert "geheim" not in server.log()
    finally:
        receiver.close()


@pytest.mark.parametrize(
    "name",
    [b" ", b"a b", b'"quoted\\"', b"\r\n", b"\x00", b"\xff\xfe", "ü☃".encode(), b"h" * 5000, b"*"],
    ids=repr,
)
def test_a_hook_of_any_name_delivers(tmp_path: Path, name: bytes) -> None:
    receiver = Receiver()
    try:
        with ServerProcess(tmp_path) as server:
            url = f"http://127.0.0.1:{receiver.port}/"
            assert server.call("SETHOOK", name, url, *FENCE) == ":1"
            assert server.call("SET", "fleet", "truck", "POINT", 33, -115) == "+OK"
            wait_until(lambda: len(receiver.received) == 1, what="the message")
            assert receiver.detections() == ["enter"]
            assert server.call("DELHOOK", name) == ":1"
    finally:
        receiver.close()


def test_secrets_of_urls_are_not_in_the_servers_log(tmp_path: Path) -> None:
    port = free_port()
    urls = [
        f"http://u:geheim@127.0.0.1:{port}/?token=geheim",
        f"amqp://u:geheim@127.0.0.1:{port}/q",
        f"nats://127.0.0.1:{port}/s?user=u&pass=geheim",
        f"mqtt://geheim@127.0.0.1:{port}/t",
        f"kafka://127.0.0.1:{port}/t?auth=sasl",
        f"cf-queue://a/q?token=geheim&port={port}",
    ]
    environment = {
        "KAFKA_USERNAME": "u",
        "KAFKA_PASSWORD": "geheim",
        "CLOUDFLARE_BASE_URL": f"http://127.0.0.1:{port}",
    }
    with ServerProcess(tmp_path, ["-vv"], environment=environment) as server:
        for number, url in enumerate(urls):
            assert server.call("SETHOOK", f"h{number}", url, *FENCE) == ":1"
        assert str(server.call("SETHOOK", "h", "amqp://u:geheim@h", *FENCE)).startswith("-ERR")
        assert str(server.call("SETHOOK", "h", "nats://h/s?pass=geheim", *FENCE)).startswith("-ERR")
        assert server.call("SET", "fleet", "truck", "POINT", 33, -115) == "+OK"
        wait_until(
            lambda: server.log().count("Endpoint send error") == len(urls),
            seconds_max=20,
            what="an error of each",
        )
        assert "geheim" not in server.log()


def test_https_is_spoken_with_a_server_whose_certificate_is_known(tmp_path: Path) -> None:
    certificate, key = make_certificates(tmp_path)
    receiver = Receiver(certificate=(certificate, key))
    try:
        with ServerProcess(tmp_path, environment={"SSL_CERT_FILE": str(certificate)}) as server:
            url = f"https://localhost:{receiver.port}/"
            assert server.call("SETHOOK", "h", url, *FENCE) == ":1"
            move(server, 33)
            wait_until(lambda: len(receiver.received) == 1, what="the message")
    finally:
        receiver.close()


def test_a_broken_queue_stops_the_start_with_a_clear_message(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        queue = server.data / "queue.db"
        server.stop()
        queue.write_bytes(b"SQLite format 3\x00" + b"nonsense" * 1000)
        content = queue.read_bytes()
        server.launch()
        assert server.wait(START_SECONDS_MAX) != 0
        assert "queue.db" in server.log()
        assert "move it away to start with an empty queue" in server.log()
        assert "Traceback" not in server.log()
        assert queue.read_bytes() == content


def test_a_full_disk_stops_the_start_with_a_clear_message_and_loses_no_event(
    tmp_path: Path,
) -> None:
    receiver = Receiver()
    receiver.close()
    with ServerProcess(tmp_path) as server:
        assert server.call("CONFIG", "SET", "hook-queue-ttl", "0") == "+OK"
        assert server.call("CONFIG", "REWRITE") == "+OK"
        set_hook(server, receiver.port)  # nobody listens there
        move(server, 33, 44)
        wait_until(lambda: pending(server) == 2, what="messages that wait")
        server.stop()
        server.before_exec = limit_files
        server.launch()
        assert server.wait(START_SECONDS_MAX) != 0
        assert "queue.db" in server.log()
        assert "Make room if the disk is full" in server.log()
        assert "Traceback" not in server.log()
        server.before_exec = None
        receiver = Receiver(receiver.port)
        try:
            server.start()
            wait_until(lambda: len(receiver.received) == 2, what="both messages")
            assert receiver.detections() == ["enter", "exit"]
        finally:
            receiver.close()


def limit_files() -> None:
    """Let no file of a process grow beyond a few pages, as on a disk that is nearly full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
