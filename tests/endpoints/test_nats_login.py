"""nats:// where nats-server wants a credentials file."""

from pathlib import Path

import pytest

from tests.support.brokers import nats_broker
from tests.support.sending import batch_of, event, new_pool


async def test_a_credentials_file_is_shown_and_a_strangers_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("nkeys", reason="nkeys isn't installed: make install")
    from tests.support.nats_login import make_login

    config, known, stranger = make_login(tmp_path)
    broker = nats_broker(tmp_path, "-c", str(config))
    broker.start()
    try:
        pool = new_pool()
        address = f"nats://127.0.0.1:{broker.port}/t?credential="
        assert await pool.send(f"{address}{known}", batch_of(event(1))) is None
        reason = await pool.send(f"{address}{stranger}", batch_of(event(1)))
        assert reason is not None
        assert "authorization" in reason.lower()
        assert stranger.read_text()[30:60] not in reason + caplog.text
        assert await pool.send(f"{address}{tmp_path}/missing", batch_of(event(1))) is not None
        await pool.close()
    finally:
        broker.kill()
