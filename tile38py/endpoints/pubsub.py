"""pubsub://project:topic: Google Cloud Pub/Sub."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import pair_of, split
from tile38py.endpoints.chunks import Bounds, chunks_of
from tile38py.endpoints.registry import (
    EndpointDependencies,
    Settings,
    TargetError,
    Traits,
    endpoint,
)
from tile38py.interfaces.delivery import Batch
from tile38py.limits import ENDPOINT_BATCHES_COUNT_MAX, MIB

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from google.pubsub_v1 import PublisherAsyncClient

PUBLISH_SECONDS_MAX: Final = 60.0
# The service's limit of 10 MB includes the framing of the messages.
BOUNDS: Final = Bounds(count_max=1000, bytes_max=9 * MIB, event_bytes_max=9 * MIB)
TRAITS: Final = Traits(
    extra="pubsub",
    module="google.pubsub_v1",
    send_seconds_max=PUBLISH_SECONDS_MAX,
    batches_count_max=ENDPOINT_BATCHES_COUNT_MAX,
)


@endpoint("pubsub", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class PubsubSettings:
    """The topic and the credentials of a pubsub URL."""

    topic: str
    credentials_path: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL: project and topic are separated by a colon."""
        address = split(url)
        wrong = "invalid PubSub format should be project/topic"
        project, topic = pair_of(address.authority, wrong)
        return cls(f"projects/{project}/topics/{topic}", address.option("credpath"))

    @property
    def cluster(self) -> Hashable:
        """The credentials: all topics have the same server."""
        return self.credentials_path

    async def connect(self, dependencies: EndpointDependencies) -> "PubsubEndpoint":
        """Make a client; it uses the emulator that the environment names, if any."""
        from google.pubsub_v1 import PublisherAsyncClient
        from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
        from grpc.aio import insecure_channel

        emulator = dependencies.environment.get("PUBSUB_EMULATOR_HOST")
        if emulator:
            transport = PublisherGrpcAsyncIOTransport(channel=insecure_channel(emulator))
            client = PublisherAsyncClient(transport=transport)
        elif self.credentials_path:
            client = PublisherAsyncClient.from_service_account_file(self.credentials_path)
        else:
            client = PublisherAsyncClient()
        return PubsubEndpoint(client)


class PubsubEndpoint:
    """A Pub/Sub client."""

    def __init__(self, client: "PublisherAsyncClient") -> None:
        self._client = client

    async def send(self, batch: Batch, target: Settings) -> None:
        """Send all events in as few requests as allowed; each is accepted completely or not."""
        from google.api_core.exceptions import ClientError
        from google.pubsub_v1 import PubsubMessage

        assert isinstance(target, PubsubSettings)
        for part in chunks_of(batch, batch.waiting(), BOUNDS, set()):
            messages = [PubsubMessage(data=batch.events[index].body) for index in part]
            try:
                # The pool decides when to try again.
                await self._client.publish(
                    topic=target.topic, messages=messages, retry=None, timeout=PUBLISH_SECONDS_MAX
                )
            except ClientError as error:
                raise TargetError(str(error)) from error
            batch.delivered.update(part)

    async def close(self) -> None:
        """Close the channel."""
        closing: Awaitable[None] = self._client.transport.close()
        await closing
