"""nats:// against nats-server."""

from pathlib import Path

import nats
import pytest

from tests.support.brokers import Broker, make_certificates, nats_broker
from tests.support.sending import batch_of, delivering, enqueue, event, new_pool, until
from tile38py.interfaces.delivery import HookOptions


async def test_events_arrive_on_the_subject_in_order(nats_server: Broker) -> None:
    client = await nats.connect(f"nats://127.0.0.1:{nats_server.port}")
    subscription = await client.subscribe("a.b")
    await client.flush()
    pool = new_pool()
    expected = [event(number) for number in range(500)]
    batch = batch_of(*expected)
    assert await pool.send(f"nats://127.0.0.1:{nats_server.port}/a.b", batch) is None
    assert len(batch.delivered) == 500
    assert [(await subscription.next_msg(5)).data for _ in expected] == expected
    await client.close()
    await pool.close()


async def test_nothing_is_lost_in_a_stream_when_the_server_is_killed_and_comes_back(
    nats_server: Broker, tmp_path: Path
) -> None:
    address = f"nats://127.0.0.1:{nats_server.port}"
    client = await nats.connect(address)
    await client.jetstream().add_stream(name="s", subjects=["t"])
    await client.close()
    async with delivering(tmp_path, {"h": [f"{address}/t?jetstream=1"]}) as deliveries:
        enqueue(deliveries, [("h", event(number)) for number in range(50)])
        await until(lambda: deliveries.counters.total.sent == 50)
        nats_server.kill()
        enqueue(deliveries, [("h", event(number)) for number in range(50, 100)])
        await until(lambda: deliveries.counters.total.failed > 0)
        nats_server.start()
        await until(lambda: deliveries.counters.total.sent == 100)
    client = await nats.connect(address)
    stream = client.jetstream()
    found = [(await stream.get_msg("s", number)).data for number in range(1, 101)]
    assert found == [event(number) for number in range(100)]
    await client.close()


async def test_a_payload_beyond_the_servers_limit_is_refused(nats_server: Broker) -> None:
    pool = new_pool()
    batch = batch_of(event(1), event(2, size=2 << 20))
    assert await pool.send(f"nats://127.0.0.1:{nats_server.port}/t", batch) is None
    assert batch.delivered == {0}
    assert 1 in batch.refused
    await pool.close()


@pytest.mark.parametrize(
    ("options", "right", "wrong"),
    [
        (["--user", "u", "--pass", "geheim"], "user=u&pass=geheim", "user=u&pass=falsch"),
        (["--auth", "geheim"], "token=geheim", "token=falsch"),
    ],
)
async def test_wrong_credentials_are_told_without_the_secret(
    tmp_path: Path, options: list[str], right: str, wrong: str
) -> None:
    broker = nats_broker(tmp_path, *options)
    broker.start()
    try:
        pool = new_pool()
        address = f"nats://127.0.0.1:{broker.port}/t"
        assert await pool.send(f"{address}?{right}", batch_of(event(1))) is None
        reason = await pool.send(f"{address}?{wrong}", batch_of(event(1)))
        assert reason is not None
        assert "authorization" in reason.lower()
        assert "falsch" not in reason
        await pool.close()
    finally:
        broker.kill()


async def test_a_server_with_an_unknown_certificate_is_refused(tmp_path: Path) -> None:
    certificate, key = make_certificates(tmp_path)
    words = ["--tls", "--tlscert", str(certificate), "--tlskey", str(key)]
    broker = nats_broker(tmp_path, *words)
    broker.start()
    try:
        pool = new_pool()
        reason = await pool.send(
            f"nats://localhost:{broker.port}/t?secure=true", batch_of(event(1))
        )
        assert reason is not None
        assert "certificate" in reason.lower()
    finally:
        broker.kill()


async def test_our_certificate_is_shown_where_the_server_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = make_certificates(tmp_path)
    files = ["--tlscert", str(certificate), "--tlskey", str(key), "--tlscacert", str(certificate)]
    broker = nats_broker(tmp_path, "--tlsverify", *files)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    broker.start()
    try:
        pool = new_pool()
        address = f"nats://localhost:{broker.port}/t?secure=1"
        shown = f"{address}&tls=1&tlscert={certificate}&tlskey={key}"
        assert await pool.send(shown, batch_of(event(1))) is None
        assert await pool.send(address, batch_of(event(1))) is not None
        await pool.close()
    finally:
        broker.kill()


@pytest.mark.parametrize("query", ["", "?jetstream=1"])
async def test_cloud_events_have_the_header_of_their_type(nats_server: Broker, query: str) -> None:
    address = f"nats://127.0.0.1:{nats_server.port}"
    client = await nats.connect(address)
    await client.jetstream().add_stream(name="s", subjects=["a.b"])
    subscription = await client.subscribe("a.b")
    await client.flush()
    pool = new_pool()
    for options in ({"h": HookOptions(is_cloud_event=True)}, {}):
        batch = batch_of(event(1))
        batch.options = options
        assert await pool.send(f"{address}/a.b{query}", batch) is None
        headers = (await subscription.next_msg(5)).headers or {}
        wanted = "application/cloudevents+json; charset=utf-8" if options else None
        assert headers.get("content-type") == wanted
    await client.close()
    await pool.close()
