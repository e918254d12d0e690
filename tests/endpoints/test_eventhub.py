"""Event Hubs' real client against servers that aren't a hub; no hub can be had."""

from pathlib import Path

import pytest

from tests.support.sending import batch_of, event, new_pool
from tests.support.strangers import certified, silent

PORT = 5671  # the client knows no other
KEY = "c2VocmdlaGVpbQ=="


async def reason_of(caplog: pytest.LogCaptureFixture) -> str:
    """What the client says about the server that listens or doesn't, without the key."""
    pool = new_pool()
    url = f"Endpoint=sb://localhost/;SharedAccessKeyName=n;SharedAccessKey={KEY};EntityPath=h"
    batch = batch_of(event(1))
    reason = await pool.send(url, batch)
    await pool.close()
    assert reason is not None
    assert not batch.delivered
    assert KEY not in reason + caplog.text
    return reason


# After a refused handshake the client leaves its socket to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


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
