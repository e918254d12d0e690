"""amqp:// against rabbitmq-server."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import aio_pika
import pytest

from tests.support.brokers import RABBITMQ_MESSAGE_BYTES_MAX, Broker, RabbitBroker
from tests.support.sending import batch_of, delivering, enqueue, event, new_pool, until
from tests.support.strangers import certified
from tile38py.interfaces.delivery import HookOptions


async def receive(
    broker: Broker, queue: str, count: int, last: bytes = b""
) -> list[aio_pika.abc.AbstractMessage]:
    """What waits in a queue: so many, or all up to the last one, if it is named."""
    connection = await aio_pika.connect(port=broker.port)
    async with connection, asyncio.timeout(20):
        channel = await connection.channel()
        place = await channel.get_queue(queue)
        found: list[aio_pika.abc.AbstractMessage] = []
        while len(found) < count or (last and found[-1].body != last):
            message = await place.get(no_ack=True, fail=False)
            if message is not None:
                found.append(message)
        return found


async def declare(
    broker: Broker, name: str, kind: str, words: Mapping[str, bool | dict[str, int]]
) -> None:
    """Make an exchange and a queue of that name, bound as ours would be."""
    connection = await aio_pika.connect(port=broker.port)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(name, kind, durable=True)
        settings = {"durable": True, **words}
        queue = await channel.declare_queue(name, **settings)  # type: ignore[arg-type]
        await queue.bind(exchange, "tile38")


async def test_events_arrive_in_the_queue_in_order(rabbitmq: Broker) -> None:
    pool = new_pool()
    expected = [event(number) for number in range(300)]
    batch = batch_of(*expected)
    url = f"amqp://127.0.0.1:{rabbitmq.port}/q%20x?priority=3"
    assert await pool.send(url, batch) is None
    assert len(batch.delivered) == 300
    found = await receive(rabbitmq, "q x", 300)
    assert [message.body for message in found] == expected
    first = found[0]
    assert (first.content_type, first.delivery_mode, first.priority) == ("application/json", 1, 3)
    await pool.close()


async def test_cloud_events_have_a_content_type_of_their_own(rabbitmq: Broker) -> None:
    pool = new_pool()
    batch = batch_of(event(1))
    batch.options = {"h": HookOptions(is_cloud_event=True)}
    assert await pool.send(f"amqp://127.0.0.1:{rabbitmq.port}/clouds", batch) is None
    [message] = await receive(rabbitmq, "clouds", 1)
    assert message.content_type == "application/cloudevents+json; charset=utf-8"
    await pool.close()


async def test_a_topic_exchange_makes_no_queue(rabbitmq: Broker) -> None:
    pool = new_pool()
    connection = await aio_pika.connect(port=rabbitmq.port)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange("tops", "topic", durable=True)
        queue = await channel.declare_queue("mine")
        await queue.bind(exchange, "my.*")
        url = f"amqp://127.0.0.1:{rabbitmq.port}/tops?type=topic&route=my.key&delivery_mode=2"
        assert await pool.send(url, batch_of(event(1))) is None
        message = await queue.get(timeout=5)
        assert (message.body, message.delivery_mode) == (event(1), 2)
        assert message.routing_key == "my.key"
    await pool.close()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("direct", {"arguments": {"x-max-length": 10_000}}),
        ("direct", {"durable": False}),
        ("fanout", {"durable": True}),
    ],
    ids=["queue with a bound", "queue in memory", "another kind of exchange"],
)
async def test_what_exists_with_other_arguments_is_used_as_it_is(
    rabbitmq: Broker, kind: str, words: Mapping[str, bool | dict[str, int]]
) -> None:
    name = f"other {kind} {next(iter(words))}"
    await declare(rabbitmq, name, kind, words)
    pool = new_pool()
    batch = batch_of(event(1), event(2))
    url = f"amqp://127.0.0.1:{rabbitmq.port}/{quote(name)}"
    assert await pool.send(url, batch) is None
    assert batch.delivered == {0, 1}
    await pool.close()
    found = [message.body for message in await receive(rabbitmq, name, 2)]
    assert found == [event(1), event(2)]


@pytest.mark.parametrize("user", ["writer", "unbound"])
async def test_what_may_not_be_configured_is_used_as_it_is(rabbitmq: Broker, user: str) -> None:
    await declare(rabbitmq, f"given to {user}", "direct", {"durable": True})
    pool = new_pool()
    batch = batch_of(event(1), event(2))
    url = f"amqp://{user}:{user}@127.0.0.1:{rabbitmq.port}/given%20to%20{user}"
    assert await pool.send(url, batch) is None
    assert batch.delivered == {0, 1}
    await pool.close()
    found = [message.body for message in await receive(rabbitmq, f"given to {user}", 2)]
    assert found == [event(1), event(2)]


async def test_what_may_not_be_made_is_told_and_holds_up_no_other_queue(rabbitmq: Broker) -> None:
    await declare(rabbitmq, "there", "direct", {"durable": True})
    pool = new_pool()
    place = f"amqp://writer:writer@127.0.0.1:{rabbitmq.port}"
    reason = await pool.send(f"{place}/missing", batch_of(event(1)))
    assert reason is not None
    assert "ACCESS_REFUSED" in reason
    batch = batch_of(event(2))
    assert pool.backoff_until_ns(f"{place}/there") == 0
    assert await pool.send(f"{place}/there", batch) is None
    assert batch.delivered == {0}
    await pool.close()


async def test_nothing_is_lost_when_the_broker_is_killed_and_comes_back(
    rabbitmq: Broker, tmp_path: Path
) -> None:
    url = f"amqp://127.0.0.1:{rabbitmq.port}/kept?delivery_mode=2"
    async with delivering(tmp_path, {"h": [url]}) as deliveries:
        deliveries.retention.ttl_ns = 0
        enqueue(deliveries, [("h", event(number)) for number in range(50)])
        await until(lambda: deliveries.counters.total.sent == 50)
        rabbitmq.kill()
        enqueue(deliveries, [("h", event(number)) for number in range(50, 100)])
        await until(lambda: deliveries.counters.total.failed > 0)
        await asyncio.to_thread(rabbitmq.start)
        await until(lambda: deliveries.counters.total.sent == 100)
    found = [message.body for message in await receive(rabbitmq, "kept", 100)]
    assert found == [event(number) for number in range(100)]


async def test_wrong_credentials_are_told_without_the_secret(rabbitmq: Broker) -> None:
    pool = new_pool()
    url = f"amqp://guest:geheim%20wort@127.0.0.1:{rabbitmq.port}/q"
    reason = await pool.send(url, batch_of(event(1)))
    assert reason is not None
    assert "ACCESS_REFUSED" in reason
    assert "geheim" not in reason


async def test_a_server_without_tls_or_with_an_unknown_certificate_is_refused(
    rabbitmq: Broker, tmp_path: Path
) -> None:
    pool = new_pool()
    reason = await pool.send(f"amqps://127.0.0.1:{rabbitmq.port}/q", batch_of(event(1)))
    assert reason is not None
    async with certified(tmp_path) as port:
        reason = await pool.send(f"amqps://localhost:{port}/q", batch_of(event(1)))
    assert reason is not None
    assert "certificate" in reason.lower()


async def test_an_event_beyond_rabbitmqs_limit_holds_up_its_hook_alone(
    rabbitmq: Broker, tmp_path: Path
) -> None:
    url = f"amqp://127.0.0.1:{rabbitmq.port}/limited"
    large = event(1, size=RABBITMQ_MESSAGE_BYTES_MAX)
    expected = [event(number) for number in range(100)]
    async with delivering(tmp_path, {"large": [url], "small": [url]}) as deliveries:
        for body in expected[:50]:
            enqueue(deliveries, [("small", body)])
        enqueue(deliveries, [("large", large)])
        for body in expected[50:]:
            enqueue(deliveries, [("small", body)])
        await until(lambda: deliveries.counters.get("small").sent == 100)
        await until(lambda: "larger than" in deliveries.counters.get("large").last_error)
        assert deliveries.counters.get("large").sent == 0
    # What was under way when the broker ended the channel comes twice.
    found = [message.body for message in await receive(rabbitmq, "limited", 100, last=expected[-1])]
    assert list(dict.fromkeys(found)) == expected


async def test_tls_is_spoken_with_a_broker_whose_certificate_is_known(
    rabbitmq: RabbitBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(rabbitmq.certificate))
    pool = new_pool()
    assert (
        await pool.send(f"amqps://localhost:{rabbitmq.tls_port}/safe", batch_of(event(1))) is None
    )
    await pool.close()
    assert [message.body for message in await receive(rabbitmq, "safe", 1)] == [event(1)]
