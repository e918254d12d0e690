"""kafka://…?transactional=yes: a read_committed consumer sees every number once."""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.scenarios.test_numbered_events import Driver, statistics
from tests.support.brokers import Broker
from tests.support.kafka import make_topic
from tests.support.number_receiver import NumberReceiver
from tests.support.process import ServerProcess
from tests.support.recipes import recipe_commands
from tests.support.sending import delivering, new_pool, until
from tests.support.waiting import wait_until
from tile38py._engine import HookEvent, QueuedEvent
from tile38py.delivery.deliveries import Deliveries
from tile38py.endpoints.pool import Pool
from tile38py.interfaces.delivery import Batch
from tile38py.limits import MIB

KILLS = int(os.environ.get("TILE38PY_TEST_KILLS", "4"))
AREA = ("WITHIN", "fleet", "FENCE", "DETECT", "enter,exit", "BOUNDS", 0, 0, 9, 9)


def url_of(broker: Broker, topic: str, more: str = "") -> str:
    """Return the URL of a topic with transactions."""
    return f"kafka://127.0.0.1:{broker.port}/{topic}?transactional=yes{more}"


def numbered(
    first: int, last: int, hook: str = "h", *, began_ns: int = 7, size: int = 0
) -> list[QueuedEvent]:
    """Return numbered events of a hook."""
    padding = "x" * size
    return [
        QueuedEvent(number, 0, numbered_event(number, hook, began_ns=began_ns, padding=padding))
        for number in range(first, last + 1)
    ]


def numbered_event(
    number: int, hook: str = "h", *, began_ns: int = 7, padding: str = ""
) -> HookEvent:
    """Return a numbered event."""
    body = json.dumps({"hook": hook, "sequence": number, "p": padding}).encode()
    truck = f"truck{number % 5}"
    return HookEvent(hook, "fleet", truck, "enter", body, numbering=(number, began_ns, 0))


def has_sent(deliveries: Deliveries, count: int) -> bool:
    """Return whether so many events are sent."""
    return deliveries.counters.total.sent >= count


@asynccontextmanager
async def pool() -> AsyncIterator[Pool]:
    """Open endpoints for the length of a block, as a server that ends cleanly."""
    opened = new_pool()
    try:
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def committed(broker: Broker, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Read only what is committed, from the beginning."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=f"127.0.0.1:{broker.port}",
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def read_numbers(broker: Broker, topic: str, last: int) -> list[int]:
    """Return the numbers of all committed events, in the order of Kafka's partitions.

    A marker behind them, sent without a transaction, tells that there are no more.
    """
    numbers: list[int] = []
    async with asyncio.timeout(60), committed(broker, topic) as consumer:
        while len(set(numbers)) < last:
            numbers += map(number_of, [await consumer.getone()])
        rest = await consumer.getmany(timeout_ms=500)
        numbers += [number_of(record) for records in rest.values() for record in records]
    return numbers


def number_of(record: ConsumerRecord) -> int:
    """Return the number of an event."""
    number = json.loads(record.value)["sequence"]
    assert isinstance(number, int)
    return number


async def test_events_arrive_once_though_they_are_sent_again(kafka: Broker, topic: str) -> None:
    url = url_of(kafka, topic)
    async with pool() as first:
        batch = Batch(numbered(1, 300))
        assert await first.send(url, batch) is None
        assert len(batch.delivered) == 300
        assert await first.send(url, Batch(numbered(290, 310))) is None
    # A server that was killed before it noted the delivery sends everything again.
    async with pool() as second:
        batch = Batch(numbered(1, 320))
        assert await second.send(url, batch) is None
        assert len(batch.delivered) == 320
    assert sorted(await read_numbers(kafka, topic, 320)) == [*range(1, 321)]


async def test_hooks_have_progress_of_their_own(kafka: Broker, topic: str) -> None:
    url = url_of(kafka, topic)
    async with pool() as first:
        events = [*numbered(1, 5, "a"), *numbered(1, 3, "b")]
        assert await first.send(url, Batch(events)) is None
    async with pool() as second:
        events = [*numbered(1, 5, "a"), *numbered(1, 4, "b"), *numbered(1, 2, "a", began_ns=8)]
        batch = Batch(events)
        assert await second.send(url, batch) is None
        assert len(batch.delivered) == len(events)
    assert sorted(await read_numbers(kafka, topic, 5)) == [1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5]


async def test_a_transaction_that_was_cut_leaves_nothing(kafka: Broker, topic: str) -> None:
    url = url_of(kafka, topic)
    for seconds in (0.001, 0.005, 0.02, 0.05, 0.1):
        async with pool() as cut:
            assert await cut.send(url, Batch(numbered(1, 1))) is None
            sending = asyncio.create_task(cut.send(url, Batch(numbered(1, 2000, size=200))))
            await asyncio.wait([sending], timeout=seconds)
            sending.cancel()
            await asyncio.wait([sending])
    async with pool() as last:
        batch = Batch(numbered(1, 2000, size=200))
        assert await last.send(url, batch) is None
        assert len(batch.delivered) == 2000
    assert sorted(await read_numbers(kafka, topic, 2000)) == [*range(1, 2001)]


async def test_a_former_server_with_the_same_id_is_fenced(kafka: Broker, topic: str) -> None:
    url = url_of(kafka, topic)
    async with pool() as former, pool() as present, pool() as other:
        assert await former.send(url, Batch(numbered(1, 1))) is None
        assert await present.send(url, Batch(numbered(2, 2))) is None
        assert await other.send(url_of(kafka, topic, "&id=other"), Batch(numbered(1, 1))) is None
        batch = Batch(numbered(2, 3))
        assert await former.send(url, batch) is not None
        assert batch.delivered == set()
    assert sorted(await read_numbers(kafka, topic, 2)) == [1, 1, 2]


async def test_an_event_that_is_too_large_holds_up_its_hook_only(kafka: Broker, topic: str) -> None:
    async with pool() as endpoints:
        large = numbered(2, 2, "a", size=2 * MIB)
        batch = Batch([*numbered(1, 1, "a"), *large, *numbered(3, 3, "a"), *numbered(1, 3, "b")])
        assert await endpoints.send(url_of(kafka, topic), batch) is None
        assert batch.delivered == {0, 3, 4, 5}
        assert list(batch.refused) == [1]
        assert "too large" in batch.refused[1]


async def test_a_topic_that_takes_less_gets_nothing_of_the_batch(kafka: Broker, topic: str) -> None:
    configs = {"max.message.bytes": "5000"}
    small = NewTopic(f"{topic}-small", 1, 1, topic_configs=configs)
    await make_topic(kafka, small)
    async with pool() as endpoints:
        url = url_of(kafka, small.name)
        batch = Batch([*numbered(1, 1), *numbered(2, 2, size=20_000)])
        assert "too large" in str(await endpoints.send(url, batch))
        assert (batch.delivered, batch.refused) == (set(), {})
        assert await endpoints.send(url, Batch(numbered(1, 1))) is None
        alone = Batch(numbered(2, 2, size=20_000))
        assert "too large" in str(await endpoints.send(url, alone))
        assert list(alone.refused) == [0]
        assert await endpoints.send(url, Batch(numbered(2, 2))) is None
    assert await read_numbers(kafka, small.name, 2) == [1, 2]


async def test_the_progress_is_a_compacted_topic(kafka: Broker, topic: str) -> None:
    async with pool() as endpoints:
        more = "&id=tolls&progress=progress-of-tolls"
        assert await endpoints.send(url_of(kafka, topic, more), Batch(numbered(1, 9))) is None
    admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{kafka.port}")
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, "progress-of-tolls")
        [response] = await admin.describe_configs([resource])
        settings = {row[0]: row[1] for row in response.resources[0][4]}
        assert settings["cleanup.policy"] == "compact"
    finally:
        await admin.close()
    async with asyncio.timeout(30), committed(kafka, "progress-of-tolls") as consumer:
        record = await consumer.getone()
    assert (record.key, json.loads(record.value)) == (b"h", {"began": 7, "sequence": 9})


@pytest.mark.timeout(90 + KILLS * 20)
def test_kills_of_the_server_repeat_and_lose_nothing(
    kafka: Broker, topic: str, tmp_path: Path
) -> None:
    seed = int(os.environ.get("TILE38PY_TEST_SEED", random.randrange(2**32)))
    print(f"TILE38PY_TEST_SEED={seed}")
    chance = random.Random(seed)
    with ServerProcess(tmp_path) as server, NumberReceiver() as pace:
        # A second hook tells how far the server is; the driver waits for it.
        assert server.call("SETHOOK", "toll", pace.url, "SEQUENCE", "yes", *AREA) == ":1"
        assert server.call("SETHOOK", "kafka", url_of(kafka, topic), *AREA) == ":1"
        driver = Driver(server, pace)
        try:
            for _ in range(KILLS):
                count = pace.last.get("toll", 0) + chance.randrange(20, 400)
                wait_until(
                    lambda count=count: pace.last.get("toll", 0) >= count,  # type: ignore[misc]
                    what="events",
                )
                server.kill()
                server.start(port=server.port)
        finally:
            driver.end()
        wait_until(
            lambda: is_delivered(server), seconds_max=40, what="delivery of all events to Kafka"
        )
        last = int(statistics(server, "kafka")["sequence"])
    numbers = asyncio.run(read_numbers(kafka, topic, last))
    assert sorted(numbers) == [*range(1, last + 1)]


def is_delivered(server: ServerProcess) -> bool:
    """Return whether Kafka has the last event that was made."""
    fields = statistics(server, "kafka")
    return fields["sequence"] == fields["sequence_delivered"] != "0"


async def test_kills_of_the_broker_repeat_and_lose_nothing(
    kafka: Broker, topic: str, tmp_path: Path
) -> None:
    await make_topic(kafka, NewTopic(topic, 4, 1))
    async with delivering(tmp_path, {"h": [url_of(kafka, topic)]}) as deliveries:
        deliveries.retention.ttl_ns = 0
        for first in range(1, 1501, 500):
            deliveries.take([numbered_event(at) for at in range(first, first + 500)])
            await until(partial(has_sent, deliveries, first), 60)
            kafka.kill()
            kafka.start()
        await until(lambda: deliveries.counters.total.sent == 1500, 60)
    assert sorted(await read_numbers(kafka, topic, 1500)) == [*range(1, 1501)]


def test_the_recipe_of_tolls(kafka: Broker, topic: str, tmp_path: Path) -> None:
    place = f"127.0.0.1:{kafka.port}/{topic}?".encode()
    with ServerProcess(tmp_path) as server:
        for words in recipe_commands("Tolls exactly once")[:2]:
            words = [word.replace(b"10.0.0.8:9092/tolls?", place) for word in words]
            assert not str(server.call(*words)).startswith("-")
        for step in range(20):
            longitude = -112.0740 if step % 2 else -112.1740
            assert server.call("SET", "fleet", "car1", "POINT", 33.4484, longitude) == "+OK"
        server.kill()
        server.start()
        numbers = asyncio.run(read_numbers(kafka, topic, 10))
    assert numbers == [*range(1, 11)]
