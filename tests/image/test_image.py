"""The image: its user, data folder, brokers' clients, health check and memory limit."""

import os
from pathlib import Path

import pytest

from tests.support.brokers import free_port
from tests.support.container import USER, Container, Limits, image_settings
from tests.support.waiting import wait_until
from tile38py.limits import MIB

pytestmark = pytest.mark.image

FENCE = ("NEARBY", "fleet", "FENCE", "POINT", 33, -115, 1000)
URLS = (
    "http://127.0.0.1:9/",
    "redis://127.0.0.1:9/channel",
    "disque://127.0.0.1:9/queue",
    "grpc://127.0.0.1:9/",
    "kafka://127.0.0.1:9/topic",
    "amqp://127.0.0.1:9/queue",
    "mqtt://127.0.0.1:9/topic",
    "nats://127.0.0.1:9/subject",
    "sqs://us-east-1:123456789012/queue",
    "pubsub://project:topic",
    "Endpoint=sb://n.example.com/;SharedAccessKeyName=n;SharedAccessKey=k;EntityPath=p",
    "cf-queue://account/queue?token=t",
    "local://channel",
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A volume as Docker makes it: it belongs to the image's user."""
    folder = tmp_path / "volume"
    folder.mkdir(mode=0o700)
    os.chown(folder, *USER)
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The folder of a container."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    return folder


def test_options_leave_the_data_in_the_volume(bundle: Path, data: Path) -> None:
    port = free_port()
    words = ["-v", "-h", "127.0.0.1", "-p", str(port)]
    with Container(bundle, words, data=data) as container, container.connect(port) as connection:
        assert connection.call("SET", "fleet", "truck", "POINT", 1, 2) == "+OK"
        assert container.stop() == 0
    assert b"truck" in (data / "appendonly.aof").read_bytes()


def test_the_health_check_follows_the_options(bundle: Path, data: Path) -> None:
    port = free_port()
    words = ["-h", "127.0.0.1", "-p", str(port), "--http-transport", "no"]
    kind, *command = image_settings()["Healthcheck"]["Test"]
    assert kind == "CMD"
    with Container(bundle, words, data=data) as container, container.connect(port):
        wait_until(lambda: container.execute(command).returncode == 0, what="health")


def test_the_image_has_the_clients_of_all_brokers(bundle: Path, data: Path) -> None:
    port = free_port()
    words = ["-h", "127.0.0.1", "-p", str(port)]
    with Container(bundle, words, data=data) as container, container.connect(port) as connection:
        for number, url in enumerate(URLS):
            # It is refused if the client of its broker isn't installed.
            assert connection.call("SETHOOK", f"hook{number}", url, *FENCE) == ":1", url


def test_user_and_group_are_fixed() -> None:
    assert image_settings()["User"] == "{}:{}".format(*USER)


@pytest.mark.parametrize("is_volume", [True, False])
def test_another_user_is_told_what_to_chown(bundle: Path, data: Path, is_volume: bool) -> None:
    limits = Limits(user=(1234, 1234))
    volume = data if is_volume else None
    with Container(bundle, [], data=volume, limits=limits) as container:
        assert container.exit_status() == 1
        assert "the server runs as user 1234: chown 1234:1234 /data" in container.log()
        assert "Traceback" not in container.log()


def test_maxmemory_follows_the_memory_limit(bundle: Path, data: Path) -> None:
    port, limits = free_port(), Limits(memory_bytes=256 * MIB)
    words = ["-h", "127.0.0.1", "-p", str(port)]
    with (
        Container(bundle, words, data=data, limits=limits) as container,
        container.connect(port) as connection,
    ):
        assert connection.call("CONFIG", "GET", "maxmemory") == ["$ maxmemory", "$ 153mb"]
