"""What brokers and their stand-ins refuse: logins, payloads beyond their limits, and TLS."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.endpoints.test_http import serving
from tests.endpoints.test_sqs import call
from tests.support.brokers import Broker, free_port, mosquitto_broker
from tests.support.events import queued
from tests.support.sending import batch_of, delivering, enqueue, event, new_pool, until
from tests.support.stand_ins import (
    CloudflareStandIn,
    DisqueStandIn,
    GrpcStandIn,
    environment_of,
)
from tests.support.strangers import certified
from tile38py.endpoints.chunks import chunks_of
from tile38py.endpoints.sqs import BOUNDS
from tile38py.interfaces.delivery import Batch
from tile38py.limits import MIB

QUEUE = "sqs://us-east-1:123456789012/q"


@pytest.fixture
def moto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """An SQS that lets two calls through and then looks at who asks."""
    port = free_port()
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "1"}
    moto = Broker(words, tmp_path, port=port, environment=environment)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "stranger")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    try:
        moto.start()
        yield moto
    finally:
        moto.kill()


async def test_sqs_tells_of_wrong_credentials_without_them(moto: Broker) -> None:
    address = f"http://127.0.0.1:{moto.port}"
    await asyncio.to_thread(call, address, "CreateQueue", QueueName="q")
    pool = new_pool()
    reason = await pool.send(QUEUE, batch_of(event(1)))
    assert reason is not None
    assert "token" in reason.lower() or "signature" in reason.lower()
    assert "geheim" not in reason
    await pool.close()


def test_an_event_that_sqs_would_not_take_holds_up_its_hook_alone() -> None:
    batch = Batch(
        [
            queued(1, "large", event(1, size=MIB)),
            queued(2, "small", event(2)),
            queued(3, "large", event(3)),
        ]
    )
    assert chunks_of(batch, batch.waiting(), BOUNDS, set()) == [[1]]
    assert batch.refused == {0: "larger than the service takes"}


async def test_cloudflare_stand_in_tells_of_a_wrong_token_without_it() -> None:
    stand_in = CloudflareStandIn()
    await stand_in.start()
    pool = new_pool(environment=environment_of(stand_in))
    batch = batch_of(event(1))
    assert await pool.send("cf-queue://account/queue?token=falsch", batch) is None
    assert batch.refused == {0: "status 401"}
    assert not stand_in.received
    await pool.close()
    await stand_in.kill()


async def test_disque_stand_in_that_wants_a_password_is_told() -> None:
    stand_in = DisqueStandIn()
    stand_in.password = b"secret"
    await stand_in.start()
    pool = new_pool()
    reason = await pool.send(stand_in.url.format(port=stand_in.port), batch_of(event(1)))
    assert reason is not None
    assert "Authentication required" in reason
    await pool.close()
    await stand_in.kill()


async def test_pubsub_credentials_that_are_missing_are_told(tmp_path: Path) -> None:
    pool = new_pool()
    url = f"pubsub://project:topic?credpath={tmp_path}/missing.json"
    reason = await pool.send(url, batch_of(event(1)))
    assert reason is not None
    assert "missing.json" in reason
    await pool.close()


async def test_an_event_that_http_finds_too_large_is_refused_and_holds_up_its_hook_alone(
    tmp_path: Path,
) -> None:
    seen: list[bytes] = []

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        if len(body) > 1000:
            return web.Response(status=413)
        seen.append(body)
        return web.Response()

    async with serving(handle) as server:
        url = f"http://127.0.0.1:{server.port}/"
        async with delivering(tmp_path, {"large": [url], "small": [url]}) as deliveries:
            enqueue(deliveries, [("large", event(1, size=2000)), ("small", event(2))])
            await until(lambda: deliveries.counters.get("small").sent == 1)
            await until(lambda: deliveries.counters.get("large").failed > 1)
            assert "413" in deliveries.counters.get("large").last_error
    assert seen == [event(2)]


async def test_an_event_beyond_mosquittos_limit_holds_up_its_hook_alone(tmp_path: Path) -> None:
    broker = mosquitto_broker(tmp_path, "max_packet_size 1000")
    broker.start()
    try:
        url = f"mqtt://127.0.0.1:{broker.port}/t?qos=1"
        async with delivering(tmp_path, {"large": [url], "small": [url]}) as deliveries:
            enqueue(deliveries, [("large", event(1, size=2000))])
            enqueue(deliveries, [("small", event(number)) for number in range(100)])
            await until(lambda: deliveries.counters.get("small").sent == 100)
            await until(lambda: deliveries.counters.get("large").failed > 1)
            assert deliveries.counters.get("large").sent == 0
    finally:
        broker.kill()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_event_beyond_a_grpc_servers_limit_holds_up_its_hook_alone() -> None:
    stand_in = GrpcStandIn()
    stand_in.options = (("grpc.max_receive_message_length", 1000),)
    await stand_in.start()
    pool = new_pool()
    bodies = {"large": event(1, size=2000), "small": event(2)}
    batch = Batch([queued(at, hook, body) for at, (hook, body) in enumerate(bodies.items())])
    assert await pool.send(stand_in.url.format(port=stand_in.port), batch) is None
    assert batch.delivered == {1}
    assert "larger than max" in batch.refused[0]
    await pool.close()
    await stand_in.kill()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "kind", ["http", "redis", "disque", "grpc", "kafka", "amqp", "mqtt", "nats"]
)
async def test_a_server_that_speaks_only_tls_gets_nothing_in_clear(
    kind: str, tmp_path: Path
) -> None:
    pool = new_pool()
    async with certified(tmp_path) as port:
        batch = batch_of(event(1))
        path = "t?qos=1" if kind == "mqtt" else "t"
        assert await pool.send(f"{kind}://127.0.0.1:{port}/{path}", batch) is not None
        assert not batch.delivered
        await pool.close()


@pytest.mark.parametrize(
    ("variable", "url"),
    [("AWS_ENDPOINT_URL", QUEUE), ("CLOUDFLARE_BASE_URL", CloudflareStandIn.url)],
)
async def test_a_service_with_an_unknown_certificate_is_refused(
    variable: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tile38py.endpoints.sqs.RETRIES_COUNT_MAX", 0)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    async with certified(tmp_path) as port:
        monkeypatch.setenv(variable, f"https://localhost:{port}")
        pool = new_pool(environment={variable: f"https://localhost:{port}"})
        reason = await pool.send(url, batch_of(event(1)))
        await pool.close()
    assert reason is not None
    assert "certificate" in reason.lower() or "ssl" in reason.lower()
