"""Event Hubs' real client: against a stand-in for a hub, and servers that aren't one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.event_hub import KEY, PORT, URL, EventHub
from tests.support.events import queued
from tests.support.sending import batch_of, delivering, enqueue, event, new_pool, until
from tests.support.strangers import certified, silent
from tile38py.interfaces.delivery import Batch
from tile38py.limits import MIB

# After a refused handshake the client leaves its socket to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EventHub]:
    """A hub with a certificate that the client takes for one of the system's."""
    hub = EventHub(tmp_path, event_bytes_max=300_000)
    monkeypatch.setattr("certifi.where", lambda: str(hub.certificate))
    await hub.start()
    yield hub
    await hub.kill()


async def reason_of(caplog: pytest.LogCaptureFixture, url: str = URL) -> str:
    """What the client says about the server that listens or doesn't, without the key."""
    pool = new_pool()
    batch = batch_of(event(1))
    reason = await pool.send(url, batch)
    await pool.close()
    assert reason is not None
    assert not batch.delivered
    assert KEY not in reason + caplog.text
    return reason


async def test_stand_in_gets_events_in_order_under_their_keys_on_one_connection(
    hub: EventHub,
) -> None:
    pool = new_pool()
    # Together they are far larger than what a hub takes as one.
    expected = [event(number, f"id{number // 3 % 2}", size=10_000) for number in range(60)]
    for at in range(0, 60, 20):
        assert await pool.send(URL, batch_of(*expected[at : at + 20])) is None
    await pool.close()
    assert [body for _, body in hub.received] == expected
    assert hub.received[0][0] == b"f-id0"
    assert all(b'"%b"' % key[2:] in body for key, body in hub.received)
    assert hub.connection_count == 1
    assert len(set(hub.message_ids)) == len(hub.message_ids) == 60


async def test_stand_in_that_is_killed_and_comes_back_gets_everything_in_order(
    hub: EventHub, tmp_path: Path
) -> None:
    async with delivering(tmp_path, {"h": [URL]}) as deliveries:
        deliveries.retention.ttl_ns = 0
        enqueue(deliveries, [("h", event(number)) for number in range(50)])
        await until(lambda: deliveries.counters.total.sent == 50)
        await hub.kill()
        enqueue(deliveries, [("h", event(number)) for number in range(50, 100)])
        await until(lambda: deliveries.counters.total.failed > 0, 60)
        await hub.start()
        await until(lambda: deliveries.counters.total.sent == 100, 60)
    bodies = [body for _, body in hub.received]
    assert list(dict.fromkeys(bodies)) == [event(number) for number in range(100)]


async def test_stand_in_tells_of_a_wrong_key_without_it(
    hub: EventHub, caplog: pytest.LogCaptureFixture
) -> None:
    reason = await reason_of(caplog, URL.replace(KEY, "ZmFsc2Nocw=="))
    assert "InvalidSignature" in reason
    assert "ZmFsc2Nocw" not in reason + caplog.text
    assert not hub.received


async def test_an_event_that_the_stand_in_finds_too_large_holds_up_its_hook_alone(
    hub: EventHub,
) -> None:
    sizes = [("a", 400_000), ("a", 0), ("b", 0), ("c", 2 * MIB), ("c", 0)]
    messages = [
        queued(number, hook, event(number, size=size)) for number, (hook, size) in enumerate(sizes)
    ]
    pool = new_pool()
    batch = Batch(messages)
    assert await pool.send(URL, batch) is None
    await pool.close()
    assert batch.delivered == {2}
    assert set(batch.refused) == {0, 3}
    assert [body for _, body in hub.received] == [event(2)]


async def test_client_of_event_hubs_refuses_an_unknown_certificate(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with certified(tmp_path, PORT):
        assert "certificate" in (await reason_of(caplog)).lower()


async def test_client_of_event_hubs_tells_that_the_hub_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert "Connect call failed" in await reason_of(caplog)


async def test_client_of_event_hubs_gives_up_a_hub_that_hangs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tile38py.endpoints.eventhub.SEND_SECONDS_MAX", 5.0)
    async with silent(PORT):
        assert await reason_of(caplog)
