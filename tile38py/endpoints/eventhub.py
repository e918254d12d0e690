"""Azure Event Hubs by connection string: AMQP 1.0 over TLS."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import CONNECTION_STRING, AddressError
from tile38py.endpoints.event import subject_of
from tile38py.endpoints.registry import Settings, Surroundings, Traits, endpoint
from tile38py.interfaces import Batch

if TYPE_CHECKING:
    from azure.eventhub.aio import EventHubProducerClient
    from azure.eventhub.amqp import AmqpAnnotatedMessage

SEND_SECONDS_MAX: Final = 20.0
PARTS: Final = ("Endpoint", "SharedAccessKeyName", "SharedAccessKey", "EntityPath")
TRAITS: Final = Traits(extra="eventhub", module="azure.eventhub", send_seconds_max=SEND_SECONDS_MAX)


@endpoint(CONNECTION_STRING, traits=TRAITS)
@dataclass(frozen=True, slots=True)
class EventhubSettings:
    """The connection string as it is."""

    connection: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Exactly four parts in this order."""
        parts = url.split(";")
        if len(parts) != len(PARTS):
            raise AddressError("malformed EventHub connection string")
        for part, name in zip(parts[1:], PARTS[1:], strict=True):
            if not part.startswith(f"{name}="):
                raise AddressError(f"missing {name}")
        return cls(url)

    @property
    def cluster(self) -> Hashable:
        """The hub: a client is for one."""
        return self.connection

    async def connect(self, _surroundings: Surroundings) -> "EventhubEndpoint":
        """Make a producer, which connects when it sends."""
        from azure.eventhub.aio import EventHubProducerClient

        producer = EventHubProducerClient.from_connection_string(self.connection, retry_total=0)
        return EventhubEndpoint(producer)


class EventhubEndpoint:
    """A producer, shared by all events; Tile38 connects anew for each."""

    def __init__(self, producer: "EventHubProducerClient") -> None:
        self._producer = producer

    async def send(self, batch: Batch, _target: Settings) -> None:
        """One message for each object's events that follow each other."""
        from azure.eventhub import EventData

        runs: list[tuple[str, list[int]]] = []
        for index in batch.waiting():
            subject = subject_of(batch.messages[index].body)
            key = f"{subject.key}-{subject.object_id}"
            if not runs or runs[-1][0] != key:
                runs.append((key, []))
            runs[-1][1].append(index)
        for key, indexes in runs:
            events: list[EventData | AmqpAnnotatedMessage] = []
            events += [EventData(batch.messages[index].body) for index in indexes]
            await self._producer.send_batch(events, partition_key=key, timeout=SEND_SECONDS_MAX)
            batch.delivered.update(indexes)

    async def close(self) -> None:
        """Close the connection."""
        await self._producer.close()
