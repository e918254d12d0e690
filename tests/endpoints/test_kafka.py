"""kafka:// against Kafka 4 in KRaft mode."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import NewTopic

from tests.support.brokers import Broker
from tests.support.events import queued
from tests.support.kafka import make_topic
from tests.support.sending import batch_of, delivering, enqueue, event, new_pool, until
from tile38py.clock import SystemClock
from tile38py.interfaces.delivery import Batch, HookOptions
from tile38py.limits import MIB


@asynccontextmanager
async def consuming(broker: Broker, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=f"127.0.0.1:{broker.port}", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def receive(broker: Broker, topic: str, count: int) -> list[tuple[bytes, bytes, int]]:
    """Key, value and partition of each record."""
    found: list[tuple[bytes, bytes, int]] = []
    async with asyncio.timeout(30), consuming(broker, topic) as consumer:
        while len(found) < count:
            record = await consumer.getone()
            found.append((record.key, record.value, record.partition))
    return found


async def test_events_arrive_keyed_and_in_order_on_tile38s_partitions(
    kafka: Broker, topic: str
) -> None:
    url = f"kafka://127.0.0.1:{kafka.port}/{topic}"
    expected = [event(number, f"id{number % 7}") for number in range(299)]
    pool = new_pool()
    batch = batch_of(*expected)
    assert await pool.send(url, batch) is None
    assert len(batch.delivered) == 299
    found = await receive(kafka, topic, 299)
    for object_id in {f"id{at}" for at in range(7)}:
        rows = [row for row in found if row[0] == f"f-{object_id}".encode()]
        mine = [body for body in expected if f'"{object_id}"'.encode() in body]
        assert [row[1] for row in rows] == mine
        assert len({row[2] for row in rows}) == 1
    await pool.close()


class Skewed(SystemClock):
    """A clock that can be put forward."""

    __slots__ = ("offset_ns",)

    def __init__(self) -> None:
        """Not put forward yet."""
        self.offset_ns = 0

    def monotonic_ns(self) -> int:
        """The time."""
        return super().monotonic_ns() + self.offset_ns


async def test_cloud_events_have_the_header_of_their_type(kafka: Broker, topic: str) -> None:
    pool = new_pool()
    batch = batch_of(event(1))
    batch.options = {"h": HookOptions(is_cloud_event=True)}
    assert await pool.send(f"kafka://127.0.0.1:{kafka.port}/{topic}", batch) is None
    await pool.close()
    async with asyncio.timeout(30), consuming(kafka, topic) as consumer:
        record = await consumer.getone()
    assert record.headers == (("content-type", b"application/cloudevents+json; charset=utf-8"),)


async def test_a_producer_is_replaced_after_30_minutes_with_nothing_lost_or_sent_twice(
    kafka: Broker, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[AIOKafkaProducer] = []

    class Counted(AIOKafkaProducer):  # type: ignore[misc]
        async def start(self) -> None:
            started.append(self)
            await super().start()

    monkeypatch.setattr("aiokafka.AIOKafkaProducer", Counted)
    clock = Skewed()
    pool = new_pool(clock=clock)
    # Hooks with topics of their own, whose sends are under way at the same time.
    names = [f"h{at}" for at in range(8)]
    urls = {name: [f"kafka://127.0.0.1:{kafka.port}/{topic}.{name}"] for name in names}
    async with delivering(tmp_path, urls, pool) as deliveries:
        deliveries.retention.ttl_ns = 0
        enqueue(deliveries, [(name, event(0)) for name in names])
        await until(lambda: deliveries.counters.total.sent == len(names), 60)  # topics are made
        failed, number = deliveries.counters.total.failed, 1
        for _ in range(4):
            for _ in range(20):
                for at in range(number, number + 20):
                    enqueue(deliveries, [(name, event(at)) for name in names])
                number += 20
                await asyncio.sleep(0.005)
            clock.offset_ns += 1800 * 10**9
        await until(lambda: deliveries.counters.total.sent == number * len(names), 30)
        assert deliveries.counters.total.failed == failed
        assert pool.open_count == 1
    assert len(started) >= 4
    for name in names:
        found = [row[1] for row in await receive(kafka, f"{topic}.{name}", number)]
        assert found == [event(at) for at in range(number)]


async def test_a_record_beyond_the_limit_is_refused(kafka: Broker, topic: str) -> None:
    pool = new_pool()
    batch = batch_of(event(1), event(2, size=MIB + 1))
    assert await pool.send(f"kafka://127.0.0.1:{kafka.port}/{topic}", batch) is None
    assert batch.delivered == {0}
    assert 1 in batch.refused
    await pool.close()


async def test_a_topic_that_takes_less_gets_all_but_what_is_too_large_for_it(
    kafka: Broker, topic: str
) -> None:
    small = f"{topic}.small"
    await make_topic(kafka, NewTopic(small, 2, 1, topic_configs={"max.message.bytes": "8000"}))
    bodies = [event(number, f"id{number % 5}") for number in range(200)]
    bodies[120] = event(120, "id0", size=9000)
    hooks = [f"h{number % 3}" for number in range(200)]
    batch = Batch([queued(at, hooks[at], body) for at, body in enumerate(bodies)])
    pool = new_pool()
    assert await pool.send(f"kafka://127.0.0.1:{kafka.port}/{small}", batch) is None
    await pool.close()
    assert set(batch.refused) == {120}
    # What is behind it on its partition waits, if it is of the same hook.
    missing = set(range(200)) - batch.delivered
    assert 120 in missing
    assert {hooks[at] for at in missing} == {hooks[120]}
    assert min(missing) == 120
    found = await receive(kafka, small, len(batch.delivered))
    assert sorted(row[1] for row in found) == sorted(bodies[at] for at in batch.delivered)
    for partition in {row[2] for row in found}:
        mine = [row[1] for row in found if row[2] == partition]
        assert mine == [body for body in bodies if body in mine]


async def test_a_broker_that_asks_for_no_login_is_told_of_one(kafka: Broker, topic: str) -> None:
    environment = {"KAFKA_USERNAME": "u", "KAFKA_PASSWORD": "geheim"}
    pool = new_pool(environment=environment)
    url = f"kafka://127.0.0.1:{kafka.port}/{topic}?auth=sasl&sha256=1"
    reason = await pool.send(url, batch_of(event(1)))
    assert reason is not None
    assert "geheim" not in reason


async def test_a_broker_without_tls_is_refused(kafka: Broker, topic: str) -> None:
    pool = new_pool()
    url = f"kafka://127.0.0.1:{kafka.port}/{topic}?auth=none&ssl=1"
    assert await pool.send(url, batch_of(event(1))) is not None


async def test_nothing_is_lost_when_the_broker_is_killed_and_comes_back(
    kafka: Broker, topic: str, tmp_path: Path
) -> None:
    url = f"kafka://127.0.0.1:{kafka.port}/{topic}"
    async with delivering(tmp_path, {"h": [url]}) as deliveries:
        deliveries.retention.ttl_ns = 0
        enqueue(deliveries, [("h", event(number)) for number in range(50)])
        await until(lambda: deliveries.counters.total.sent == 50)
        kafka.kill()
        enqueue(deliveries, [("h", event(number)) for number in range(50, 100)])
        await until(lambda: deliveries.counters.total.failed > 0, 30)
        await asyncio.to_thread(kafka.start)
        await until(lambda: deliveries.counters.total.sent == 100, 60)
    found = [row[1] for row in await receive(kafka, topic, 100)]
    assert list(dict.fromkeys(found)) == [event(number) for number in range(100)]
