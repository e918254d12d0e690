"""kafka:// where Kafka asks who we are, and where we ask who it is."""

import socket
from pathlib import Path

import pytest

from tests.endpoints.test_kafka import receive
from tests.support.brokers import free_port, make_certificates
from tests.support.kafka import PASSWORD, USER, KafkaBroker
from tests.support.sending import batch_of, delivering, enqueue, event, new_pool, until
from tile38py.endpoints.pool import Pool

MECHANISMS = ["", "&sha256=1", "&sha512=1"]


def pool_of(user: str = USER, password: str = PASSWORD) -> Pool:
    """A pool that knows a name and a password."""
    return new_pool(environment={"KAFKA_USERNAME": user, "KAFKA_PASSWORD": password})


async def tell(pool: Pool, url: str) -> str | None:
    """Send one event; what is wrong."""
    reason = await pool.send(url, batch_of(event(1)))
    await pool.close()
    return reason


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("listener", ["LOGIN", "BOTH"])
async def test_a_name_and_password_are_taken_by_each_mechanism_with_and_without_tls(
    kafka: KafkaBroker, topic: str, listener: str, mechanism: str
) -> None:
    tls = f"&ssl=true&cacert={kafka.certificate}" if listener == "BOTH" else ""
    url = f"kafka://127.0.0.1:{kafka.ports[listener]}/{topic}?auth=sasl{mechanism}{tls}"
    assert await tell(pool_of(), url) is None
    assert [row[1] for row in await receive(kafka, topic, 1)] == [event(1)]


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_a_wrong_password_is_told_without_it(
    kafka: KafkaBroker, topic: str, mechanism: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"kafka://127.0.0.1:{kafka.ports['LOGIN']}/{topic}?auth=sasl{mechanism}"
    reason = await tell(pool_of(password="falsches Wort"), url)
    assert reason is not None
    assert "authentication" in reason.lower()
    assert "falsches" not in reason + caplog.text


async def test_tls_is_used_and_an_unknown_certificate_is_refused(
    kafka: KafkaBroker, topic: str, tmp_path: Path
) -> None:
    address = f"kafka://127.0.0.1:{kafka.ports['SECURE']}/{topic}?auth=none&ssl=1"
    assert await tell(new_pool(), f"{address}&cacert={kafka.certificate}") is None
    assert [row[1] for row in await receive(kafka, topic, 1)] == [event(1)]
    stranger, _ = make_certificates(tmp_path)
    assert await tell(new_pool(), f"{address}&cacert={stranger}") is not None
    assert await tell(new_pool(), address) is not None
    assert await tell(new_pool(), f"{address}&cacert={tmp_path}/missing.pem") is not None


@pytest.mark.parametrize("question", ["ssl=true", "ssl=1&auth=none", "", "auth=none"])
async def test_tls_is_used_wherever_it_is_asked_for(
    kafka: KafkaBroker, topic: str, question: str
) -> None:
    address = f"kafka://127.0.0.1:{kafka.ports['SECURE']}/{topic}?{question}"
    assert await tell(new_pool(), f"{address}&cacert={kafka.certificate}") is None
    assert [row[1] for row in await receive(kafka, topic, 1)] == [event(1)]


async def test_our_certificate_is_shown_where_the_broker_asks_for_it(
    kafka: KafkaBroker, topic: str, tmp_path: Path
) -> None:
    address = f"kafka://127.0.0.1:{kafka.ports['MUTUAL']}/{topic}?auth=tls"
    address += f"&cacert={kafka.certificate}"
    assert await tell(new_pool(), f"{address}&cert={kafka.certificate}&key={kafka.key}") is None
    assert [row[1] for row in await receive(kafka, topic, 1)] == [event(1)]
    stranger, key = make_certificates(tmp_path)
    assert await tell(new_pool(), f"{address}&cert={stranger}&key={key}") is not None


async def test_any_of_the_brokers_serves_for_the_start(kafka: KafkaBroker, topic: str) -> None:
    """Nobody listens at the first, and the second takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dead, mute = free_port(), silent.getsockname()[1]
        hosts = f"127.0.0.1:{dead},127.0.0.1:{mute},127.0.0.1:{kafka.port}"
        assert await tell(new_pool(), f"kafka://{hosts}/{topic}") is None
        assert [row[1] for row in await receive(kafka, topic, 1)] == [event(1)]
        wrong = await tell(new_pool(), f"kafka://127.0.0.1:{dead},127.0.0.1:{mute}/{topic}")
        assert wrong is not None


async def test_topics_of_a_cluster_share_a_producer(
    kafka: KafkaBroker, topic: str, tmp_path: Path
) -> None:
    pool = new_pool()
    urls = {f"h{at}": [f"kafka://127.0.0.1:{kafka.port}/{topic}.{at}"] for at in range(20)}
    async with delivering(tmp_path, urls, pool) as deliveries:
        deliveries.retention.ttl_ns = 0
        # The broker makes the topics now.
        enqueue(deliveries, [(hook, event(at)) for at, hook in enumerate(urls)])
        await until(lambda: deliveries.counters.total.sent == 20, 60)
        assert pool.open_count == 1
    for number in (0, 19):
        assert [row[1] for row in await receive(kafka, f"{topic}.{number}", 1)] == [event(number)]
    pool = new_pool()
    bad = await pool.send(f"kafka://127.0.0.1:{kafka.port}/bad%21name", batch_of(event(1)))
    assert bad is not None
    assert await pool.send(f"kafka://127.0.0.1:{kafka.port}/{topic}", batch_of(event(1))) is None
    assert pool.open_count == 1
    await pool.close()
