"""Every kind against servers that are away, swallow everything, or talk nonsense."""

import asyncio
from pathlib import Path

import pytest

from tests.support.brokers import free_port
from tests.support.sending import batch_of, delivering, enqueue, event, new_pool, until
from tests.support.stand_ins import CloudflareStandIn, environment_of
from tests.support.strangers import answering, black_hole, silent
from tile38py.endpoints.pool import Pool

SECRET = "geheim"
# Each with a secret wherever it may hold one. Event Hubs has no port to choose: see its own file.
URLS = {
    "http": "http://u:geheim@127.0.0.1:{port}/?token=geheim",
    "redis": "redis://127.0.0.1:{port}/c?password=geheim",
    "disque": "disque://127.0.0.1:{port}/q?password=geheim",
    "grpc": "grpc://127.0.0.1:{port}/?token=geheim",
    "kafka": "kafka://127.0.0.1:{port}/t?auth=sasl",
    "amqp": "amqp://u:geheim@127.0.0.1:{port}/q",
    "amqps": "amqps://u:geheim@127.0.0.1:{port}/q",
    "mqtt": "mqtt://geheim@127.0.0.1:{port}/t?qos=1",
    "nats": "nats://127.0.0.1:{port}/s?user=u&pass=geheim",
    "nats-stream": "nats://127.0.0.1:{port}/s?token=geheim&jetstream=1",
    "sqs": "sqs://us-east-1:123456789012/q",
    "pubsub": "pubsub://project:topic",
    "cf-queue": "cf-queue://account/queue?token=geheim",
}
SECONDS_MAX = 40.0  # the longest deadline of a kind, and some more


@pytest.fixture(autouse=True)
def _fewer_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tile38py.endpoints.pubsub.PUBLISH_SECONDS_MAX", 5.0)
    monkeypatch.setattr("tile38py.endpoints.sqs.RETRIES_COUNT_MAX", 0)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


def pool_at(port: int, monkeypatch: pytest.MonkeyPatch, **others: str) -> Pool:
    """A pool whose services are all on one port."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    environment = {
        "KAFKA_USERNAME": "u",
        "KAFKA_PASSWORD": SECRET,
        "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{port}",
        "CLOUDFLARE_BASE_URL": f"http://127.0.0.1:{port}",
    }
    return new_pool(environment={**environment, **others})


async def reasons_at(port: int, pool: Pool) -> dict[str, str]:
    """What each kind says about a server on a port; all at the same time."""

    async def reason_of(url: str) -> str:
        batch = batch_of(event(1))
        async with asyncio.timeout(SECONDS_MAX):
            reason = await pool.send(url.format(port=port), batch)
        assert not batch.delivered
        return reason or batch.refused.get(0, "")

    reasons = await asyncio.gather(*(reason_of(url) for url in URLS.values()))
    await pool.close()
    return dict(zip(URLS, reasons, strict=True))


def check(reasons: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    """There is a reason for all, and no secret in any, nor in what clients log."""
    print(reasons)
    assert all(reasons.values())
    assert SECRET not in str(reasons)
    assert SECRET not in caplog.text


# grpcio's poller wakes loops that have read its byte already; clients leave what was refused.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


async def test_a_server_that_is_away_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    check(await reasons_at(port, pool_at(port, monkeypatch)), caplog)


async def test_connections_that_are_swallowed_are_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with black_hole() as port:
        check(await reasons_at(port, pool_at(port, monkeypatch)), caplog)


async def test_a_server_that_accepts_and_hangs_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with silent() as port:
        check(await reasons_at(port, pool_at(port, monkeypatch)), caplog)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 500 Oh no\r\nContent-Length: 0\r\n\r\n",
        b"-ERR oh no\r\n",
        b"\xff\x00\xfe\x01" * 64,
    ],
)
async def test_nonsense_is_no_success(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, answer: bytes
) -> None:
    async with answering(answer) as port:
        check(await reasons_at(port, pool_at(port, monkeypatch)), caplog)


async def test_hanging_endpoints_of_all_kinds_hold_up_no_other_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = CloudflareStandIn()
    await good.start()
    async with silent() as port:
        pool = pool_at(port, monkeypatch, **environment_of(good))
        hooks = {name: [url.format(port=port)] for name, url in URLS.items() if name != "cf-queue"}
        hooks["good"] = [CloudflareStandIn.url]
        async with delivering(tmp_path, hooks, pool) as deliveries:
            for number in range(100):
                enqueue(deliveries, [(hook, event(number)) for hook in hooks])
                await asyncio.sleep(0)
            await until(lambda: deliveries.counters.get("good").sent == 100, 4)
    await good.kill()
    assert good.received == [event(number) for number in range(100)]
