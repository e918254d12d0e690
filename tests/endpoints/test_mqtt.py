"""mqtt:// against mosquitto."""

import asyncio
import subprocess
from pathlib import Path

import aiomqtt
import pytest

from tests.support.brokers import Broker, make_certificates, mosquitto_broker, program
from tests.support.sending import batch_of, delivering, enqueue, event, new_pool, until


def listener(broker: Broker) -> aiomqtt.Client:
    """A client whose session the broker keeps."""
    return aiomqtt.Client("127.0.0.1", broker.port, identifier="listener", clean_session=False)


async def subscribe(broker: Broker, topic: str) -> None:
    """Make the broker keep what comes on a topic for the listener."""
    async with listener(broker) as client:
        await client.subscribe(topic, qos=1)


async def receive_until(broker: Broker, last: bytes) -> list[object]:
    """What waits for the listener, and what still comes, up to an event."""
    found: list[object] = []
    async with asyncio.timeout(20), listener(broker) as client:
        async for message in client.messages:
            found.append(message.payload)
            if message.payload == last:
                break
    return found


async def receive(broker: Broker, count: int) -> list[tuple[str, object, int, bool]]:
    """What waits for the listener."""
    found: list[tuple[str, object, int, bool]] = []
    async with asyncio.timeout(20), listener(broker) as client:
        async for message in client.messages:
            found.append((str(message.topic), message.payload, message.qos, message.retain))
            if len(found) == count:
                break
    return found


async def test_events_arrive_on_the_topic_in_order(mosquitto: Broker) -> None:
    await subscribe(mosquitto, "a/b/c d/e")
    pool = new_pool()
    expected = [event(number) for number in range(300)]
    url = f"mqtt://127.0.0.1:{mosquitto.port}/a/b%2Fc+d/e?qos=1"
    batch = batch_of(*expected)
    assert await pool.send(url, batch) is None
    assert len(batch.delivered) == 300
    found = await receive(mosquitto, 300)
    assert found == [("a/b/c d/e", body, 1, False) for body in expected]
    await pool.close()


@pytest.mark.parametrize("qos", [0, 2])
async def test_the_other_qualities_deliver_too(mosquitto: Broker, qos: int) -> None:
    await subscribe(mosquitto, "t")
    pool = new_pool()
    # With quality 0 a broker keeps nothing for those who are away: be there.
    async with listener(mosquitto) as client:
        batch = batch_of(event(1), event(2))
        assert await pool.send(f"mqtt://127.0.0.1:{mosquitto.port}/t?qos={qos}", batch) is None
        async with asyncio.timeout(10):
            found = [(await anext(client.messages)).payload for _ in range(2)]
    assert found == [event(1), event(2)]
    await pool.close()


async def test_nothing_is_lost_when_the_broker_is_killed_and_comes_back(
    mosquitto: Broker, tmp_path: Path
) -> None:
    await subscribe(mosquitto, "t")
    url = f"mqtt://127.0.0.1:{mosquitto.port}/t?qos=1"
    async with delivering(tmp_path, {"h": [url]}) as deliveries:
        enqueue(deliveries, [("h", event(number)) for number in range(50)])
        await until(lambda: deliveries.counters.total.sent == 50)
        first = await receive_until(mosquitto, event(49))
        mosquitto.kill()
        enqueue(deliveries, [("h", event(number)) for number in range(50, 100)])
        await until(lambda: deliveries.counters.total.failed > 0)
        mosquitto.start()
        await subscribe(mosquitto, "t")
        await until(lambda: deliveries.counters.total.sent == 100)
        second = await receive_until(mosquitto, event(99))
    assert first == [event(number) for number in range(50)]
    # A killed mosquitto may have forgotten that the listener has had some of the first already.
    fresh = [body for body in second if body not in first]
    assert fresh == [event(number) for number in range(50, 100)]


async def test_a_name_that_the_broker_does_not_know_is_told(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("")
    broker = mosquitto_broker(tmp_path, "allow_anonymous false", f"password_file {tmp_path}/users")
    broker.start()
    try:
        pool = new_pool()
        url = f"mqtt://stranger@127.0.0.1:{broker.port}/t?qos=1"
        reason = await pool.send(url, batch_of(event(1)))
        assert reason is not None
        assert "Not authorized" in reason or "not authorised" in reason.lower()
    finally:
        broker.kill()


# After a refused handshake the client leaves its socket to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_tls_is_used_when_a_file_is_named_and_refused_for_a_stranger(tmp_path: Path) -> None:
    certificate, key = make_certificates(tmp_path)
    broker = mosquitto_broker(tmp_path, f"certfile {certificate}", f"keyfile {key}")
    broker.start()
    try:
        pool = new_pool()
        url = f"mqtt://127.0.0.1:{broker.port}/t?qos=1&cacert={certificate}"
        assert await pool.send(url, batch_of(event(1))) is None
        other = tmp_path / "other"
        other.mkdir()
        stranger, _ = make_certificates(other)
        refused = f"mqtt://127.0.0.1:{broker.port}/t?qos=1&cacert={stranger}"
        reason = await pool.send(refused, batch_of(event(1)))
        assert reason is not None
        assert "certificate" in reason.lower()
        await pool.close()
    finally:
        broker.kill()


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """The password `p&q` of the user `u v`."""
    users = tmp_path / "users"
    users.touch(mode=0o600)
    command = [program("mosquitto_passwd"), "-b", str(users), "u v", "p&q"]
    subprocess.run(command, check=True, capture_output=True)
    return users


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as above
async def test_mqtts_is_tls_and_logs_in_by_user_and_pass(
    tmp_path: Path, password_file: Path
) -> None:
    certificate, key = make_certificates(tmp_path)
    lines = (f"certfile {certificate}", f"keyfile {key}", f"password_file {password_file}")
    broker = mosquitto_broker(tmp_path, *lines, "allow_anonymous false")
    broker.start()
    try:
        pool = new_pool()
        address = f"mqtts://127.0.0.1:{broker.port}/t?qos=1"
        login = f"user=u+v&pass=p%26q&cacert={certificate}"
        assert await pool.send(f"{address}&{login}", batch_of(event(1))) is None
        wrong = await pool.send(f"{address}&{login}x", batch_of(event(1)))
        assert wrong is not None
        # The system's roots don't know this broker.
        unknown = await pool.send(f"{address}&user=u+v&pass=p%26q", batch_of(event(1)))
        assert unknown is not None
        assert "certificate" in unknown.lower()
        await pool.close()
    finally:
        broker.kill()
