"""pubsub://project:topic: Google Cloud Pub/Sub."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import AddressError, split
from tile38py.endpoints.registry import (
    Settings,
    Surroundings,
    TargetError,
    Traits,
    endpoint,
)
from tile38py.interfaces import Batch
from tile38py.limits import ENDPOINT_BATCHES_COUNT_MAX

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from google.pubsub_v1 import PublisherAsyncClient

PUBLISH_SECONDS_MAX: Final = 60.0
TRAITS: Final = Traits(
    extra="pubsub",
    module="google.pubsub_v1",
    send_seconds_max=PUBLISH_SECONDS_MAX,
    batches_count_max=ENDPOINT_BATCHES_COUNT_MAX,
)


@endpoint("pubsub", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class PubsubSettings:
    """Topic and credentials."""

    topic: str
    credentials_path: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """The topic follows the project behind a colon."""
        address = split(url)
        project, colon, topic = address.authority.partition(":")
        if not colon or not project or not topic or ":" in topic:
            raise AddressError("invalid PubSub format should be project/topic")
        return cls(f"projects/{project}/topics/{topic}", address.option("credpath"))

    @property
    def cluster(self) -> Hashable:
        """Who asks: all topics are at one place."""
        return self.credentials_path

    async def connect(self, surroundings: Surroundings) -> "PubsubEndpoint":
        """Make a client, of an emulator if the environment names one."""
        from google.pubsub_v1 import PublisherAsyncClient
        from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
        from grpc.aio import insecure_channel

        emulator = surroundings.environment.get("PUBSUB_EMULATOR_HOST")
        if emulator:
            transport = PublisherGrpcAsyncIOTransport(channel=insecure_channel(emulator))
            client = PublisherAsyncClient(transport=transport)
        elif self.credentials_path:
            client = PublisherAsyncClient.from_service_account_file(self.credentials_path)
        else:
            client = PublisherAsyncClient()
        return PubsubEndpoint(client)


class PubsubEndpoint:
    """A client."""

    def __init__(self, client: "PublisherAsyncClient") -> None:
        self._client = client

    async def send(self, batch: Batch, target: Settings) -> None:
        """One request for the batch: Pub/Sub takes all or nothing."""
        from google.api_core.exceptions import ClientError
        from google.pubsub_v1 import PubsubMessage

        assert isinstance(target, PubsubSettings)
        waiting = batch.waiting()
        messages = [PubsubMessage(data=batch.messages[index].body) for index in waiting]
        try:
            # The pool decides when to try again.
            await self._client.publish(
                topic=target.topic, messages=messages, retry=None, timeout=PUBLISH_SECONDS_MAX
            )
        except ClientError as error:
            raise TargetError(str(error)) from error
        batch.delivered.update(waiting)

    async def close(self) -> None:
        """Close the channel."""
        closing: Awaitable[None] = self._client.transport.close()
        await closing
