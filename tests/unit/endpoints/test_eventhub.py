"""Event Hubs without a hub: how events are grouped for its client."""

import pytest

from tests.support.sending import batch_of, event, new_pool

HUB = "Endpoint=sb://n.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k;EntityPath=h"


class StandInProducer:
    """In place of the client: takes what it would send."""

    seen: list[tuple[str, list[bytes]]]
    closed = 0

    async def send_batch(  # the names are the client's
        self,
        events: list[object],
        *,
        partition_key: str,
        timeout: float,  # noqa: ASYNC109
    ) -> None:
        """Take a batch."""
        assert timeout == 20
        from azure.eventhub import EventData

        bodies: list[bytes] = []
        for data in events:
            assert isinstance(data, EventData)
            bodies.append(data.body_as_str().encode())
        self.seen.append((partition_key, bodies))

    async def close(self) -> None:
        """Close."""
        StandInProducer.closed += 1


async def test_stand_in_gets_an_objects_events_together_under_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    producer = StandInProducer()
    producer.seen = []
    monkeypatch.setattr(
        "azure.eventhub.aio.EventHubProducerClient.from_connection_string",
        lambda connection, **_words: producer if connection == HUB else None,
    )
    pool = new_pool()
    bodies = [event(1), event(2), event(3, "b"), event(4)]
    batch = batch_of(*bodies)
    assert await pool.send(HUB, batch) is None
    assert batch.delivered == {0, 1, 2, 3}
    assert producer.seen == [("f-a", bodies[:2]), ("f-b", [bodies[2]]), ("f-a", [bodies[3]])]
    await pool.close()
    assert StandInProducer.closed == 1
