"""What can't be had, or has no disk, is killed and started again: nothing is lost, order is kept.

The brokers proper have this test in files of their own.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.endpoints.test_sqs import receive
from tests.support.brokers import Broker, free_port
from tests.support.sending import delivering, enqueue, event, new_pool, until
from tests.support.stand_ins import (
    CloudflareStandIn,
    DisqueStandIn,
    GrpcStandIn,
    PubsubStandIn,
    StandIn,
    environment_of,
)

FIRST = [event(number) for number in range(50)]
SECOND = [event(number) for number in range(50, 100)]


# grpcio's poller wakes loops that have read its byte already, and says so when they are gone.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "kind",
    [GrpcStandIn, PubsubStandIn, CloudflareStandIn, DisqueStandIn],
    ids=lambda kind: kind.__name__,
)
async def test_stand_in_that_is_killed_and_comes_back_gets_everything_in_order(
    kind: type[StandIn], tmp_path: Path
) -> None:
    stand_in = kind()
    await stand_in.start()
    pool = new_pool(environment=environment_of(stand_in))
    url = kind.url.format(port=stand_in.port)
    try:
        async with delivering(tmp_path, {"h": [url]}, pool) as deliveries:
            deliveries.retention.ttl_ns = 0
            enqueue(deliveries, [("h", body) for body in FIRST])
            await until(lambda: deliveries.counters.total.sent == 50)
            await stand_in.kill()
            enqueue(deliveries, [("h", body) for body in SECOND])
            await until(lambda: deliveries.counters.total.failed > 0, 70)
            await stand_in.start()
            await until(lambda: deliveries.counters.total.sent == 100, 30)
        assert list(dict.fromkeys(stand_in.received)) == FIRST + SECOND
    finally:
        await stand_in.kill()


async def test_sqs_that_is_killed_and_comes_back_gets_everything_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    moto = Broker(words, tmp_path, port=port, environment=dict(os.environ))
    await asyncio.to_thread(moto.start)
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    # Moto has no disk: after the kill the queue is made anew. Its delay would hold up the test.
    monkeypatch.setattr("tile38py.endpoints.sqs.ATTRIBUTES", {"DelaySeconds": "0"})
    url = "sqs://us-east-1:123456789012/q?createqueue=1"
    try:
        async with delivering(tmp_path, {"h": [url]}) as deliveries:
            deliveries.retention.ttl_ns = 0
            enqueue(deliveries, [("h", body) for body in FIRST])
            await until(lambda: deliveries.counters.total.sent == 50)
            first = await asyncio.to_thread(receive, address, "q")
            moto.kill()
            enqueue(deliveries, [("h", body) for body in SECOND])
            await until(lambda: deliveries.counters.total.failed > 0, 70)
            await asyncio.to_thread(moto.start)
            await until(lambda: deliveries.counters.total.sent == 100, 30)
            second = await asyncio.to_thread(receive, address, "q")
    finally:
        moto.kill()
    assert [row["Body"].encode() for row in first] == FIRST
    assert [row["Body"].encode() for row in second] == SECOND
