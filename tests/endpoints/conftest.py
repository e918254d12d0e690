"""Brokers for the tests of this folder: started when first asked for, ended with the session."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from aiokafka.admin import NewTopic

from tests.support import brokers
from tests.support.brokers import Broker, RabbitBroker
from tests.support.kafka import KafkaBroker, kafka_broker, make_topic

HERE = Path(__file__).parent
AnyBroker = TypeVar("AnyBroker", bound=Broker)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here need brokers, which take their time to start."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.broker)
            item.add_marker(pytest.mark.timeout(180))


def running(make: Callable[[Path], AnyBroker], folder: Path) -> Iterator[AnyBroker]:
    """A broker while a test needs it."""
    broker = make(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Broker]:
    yield from running(brokers.redis_broker, tmp_path)


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Broker]:
    yield from running(brokers.mosquitto_broker, tmp_path)


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[Broker]:
    yield from running(brokers.nats_broker, tmp_path)


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitBroker]:
    yield from running(brokers.rabbitmq_broker, tmp_path_factory.mktemp("rabbitmq"))


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    yield from running(kafka_broker, tmp_path_factory.mktemp("kafka"))


@pytest.fixture
async def topic(kafka: KafkaBroker) -> str:
    """A topic of four partitions. A broker that has just started takes its time for the first."""
    name = f"t.{uuid.uuid4().hex[:8]}"
    await make_topic(kafka, NewTopic(name, 4, 1))
    return name
