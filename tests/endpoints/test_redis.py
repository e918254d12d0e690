"""redis:// against redis-server."""

import asyncio
from pathlib import Path

from redis.asyncio import Redis

from tests.support.brokers import Broker
from tests.support.sending import batch_of, delivering, enqueue, event, new_pool, until
from tests.support.strangers import silent


async def test_events_arrive_on_the_channel_in_order(redis_server: Broker) -> None:
    pool = new_pool()
    url = f"redis://127.0.0.1:{redis_server.port}/my+chan%2Fx"
    expected = [event(number) for number in range(500)]
    async with Redis(port=redis_server.port) as client, client.pubsub() as listener:
        await listener.subscribe("my chan/x")
        await listener.get_message(timeout=5)
        batch = batch_of(*expected)
        assert await pool.send(url, batch) is None
        assert len(batch.delivered) == 500
        found = [await listener.get_message(timeout=5) for _ in expected]
    assert [message["data"] for message in found if message] == expected
    await pool.close()


async def test_nothing_is_lost_when_the_server_is_killed_and_comes_back(
    redis_server: Broker, tmp_path: Path
) -> None:
    url = f"redis://127.0.0.1:{redis_server.port}/c"
    async with delivering(tmp_path, {"h": [url]}) as deliveries:
        enqueue(deliveries, [("h", event(number)) for number in range(50)])
        await until(lambda: deliveries.counters.total.sent == 50)
        redis_server.kill()
        enqueue(deliveries, [("h", event(number)) for number in range(50, 100)])
        await until(lambda: deliveries.counters.total.failed > 0)
        redis_server.start()
        await until(lambda: deliveries.counters.total.sent == 100)
        async with Redis(port=redis_server.port) as client:
            stats = await client.info("commandstats")
    assert stats["cmdstat_publish"]["calls"] == 50


async def test_a_server_that_wants_a_password_is_told(redis_server: Broker) -> None:
    async with Redis(port=redis_server.port) as client:
        await client.config_set("requirepass", "secret")
    pool = new_pool()
    reason = await pool.send(f"redis://127.0.0.1:{redis_server.port}/c", batch_of(event(1)))
    assert reason is not None
    assert "Authentication required" in reason
    await pool.close()


async def test_a_server_that_accepts_and_never_answers_is_given_up_after_5_seconds() -> None:
    pool = new_pool()
    async with silent() as port:
        started = asyncio.get_running_loop().time()
        reason = await pool.send(f"redis://127.0.0.1:{port}/c", batch_of(event(1)))
        assert reason == "no answer in time"
        assert asyncio.get_running_loop().time() - started > 4
    await pool.close()
