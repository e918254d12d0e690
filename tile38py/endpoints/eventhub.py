"""Azure Event Hubs by connection string: AMQP 1.0 over TLS."""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import CONNECTION_STRING, AddressError
from tile38py.endpoints.chunks import Bounds, chunks_of
from tile38py.endpoints.registry import EndpointDependencies, Settings, Traits, endpoint
from tile38py.interfaces.delivery import Batch
from tile38py.limits import HOOK_BATCH_COUNT_MAX, KIB, MIB

if TYPE_CHECKING:
    from azure.eventhub.aio import EventHubProducerClient
    from azure.eventhub.amqp import AmqpAnnotatedMessage

SEND_SECONDS_MAX: Final = 20.0
BATCH_SECONDS_MAX: Final = 5.0  # after which no further message of a batch begins
# The smallest hub accepts messages of 256 KB, the largest ones of 1 MB.
BOUNDS: Final = Bounds(count_max=HOOK_BATCH_COUNT_MAX, bytes_max=128 * KIB, event_bytes_max=MIB)
PARTS: Final = ("Endpoint", "SharedAccessKeyName", "SharedAccessKey", "EntityPath")
TRAITS: Final = Traits(
    extra="eventhub",
    module="azure.eventhub.aio",
    send_seconds_max=BATCH_SECONDS_MAX + SEND_SECONDS_MAX,
)


@endpoint(CONNECTION_STRING, traits=TRAITS)
@dataclass(frozen=True, slots=True)
class EventhubSettings:
    """The connection string, unparsed."""

    connection: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Check a connection string, which has exactly the four PARTS in this order."""
        parts = url.split(";")
        if len(parts) != len(PARTS):
            raise AddressError("malformed EventHub connection string")
        for part, name in zip(parts[1:], PARTS[1:], strict=True):
            if not part.startswith(f"{name}="):
                raise AddressError(f"missing {name}")
        return cls(url)

    @property
    def cluster(self) -> Hashable:
        """The connection string: a client has one hub."""
        return self.connection

    async def connect(self, dependencies: EndpointDependencies) -> "EventhubEndpoint":
        """Make a producer, which connects when it sends."""
        from azure.eventhub.aio import EventHubProducerClient

        producer = EventHubProducerClient.from_connection_string(self.connection, retry_total=0)
        return EventhubEndpoint(producer, dependencies.new_id)


class EventhubEndpoint:
    """A producer, shared by all events; Tile38 opens a connection for each event."""

    def __init__(self, producer: "EventHubProducerClient", new_id: Callable[[], str]) -> None:
        self._producer = producer
        self._new_id = new_id

    async def send(self, batch: Batch, _target: Settings) -> None:
        """Send consecutive events of the same object as one message, within BOUNDS."""
        ends = asyncio.get_running_loop().time() + BATCH_SECONDS_MAX
        stopped_hooks: set[str] = set()
        for key, indexes in runs_of(batch):
            for part in chunks_of(batch, indexes, BOUNDS, stopped_hooks):
                if asyncio.get_running_loop().time() > ends:
                    return
                await self._send(batch, key, part, stopped_hooks)

    async def _send(self, batch: Batch, key: str, part: list[int], stopped_hooks: set[str]) -> None:
        """Send events as one message, except those of hooks with a refused event."""
        from azure.eventhub import EventData

        part = [index for index in part if batch.events[index].hook not in stopped_hooks]
        if not part:
            return
        events: list[EventData | AmqpAnnotatedMessage] = []
        for index in part:
            data = EventData(batch.events[index].body)
            data.message_id = self._new_id()
            events.append(data)
        try:
            await self._producer.send_batch(events, partition_key=key, timeout=SEND_SECONDS_MAX)
        except ValueError as error:
            # The message exceeds the hub's limit, which the client knows; several events never do.
            if len(part) > 1:
                raise
            batch.refused[part[0]] = str(error)
            stopped_hooks.add(batch.events[part[0]].hook)
        else:
            batch.delivered.update(part)

    async def close(self) -> None:
        """Close the connection."""
        await self._producer.close()


def runs_of(batch: Batch) -> list[tuple[str, list[int]]]:
    """Return runs of consecutive waiting events with the same partition key."""
    runs: list[tuple[str, list[int]]] = []
    for index in batch.waiting():
        event = batch.events[index]
        key = f"{event.key}-{event.object_id}"
        if not runs or runs[-1][0] != key:
            runs.append((key, []))
        runs[-1][1].append(index)
    return runs
