"""sqs://region:account/queue, or the queue's https URL: Amazon SQS in batches of ten."""

from collections.abc import Hashable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Final, Protocol, Self

from tile38py._engine import QueuedEvent
from tile38py.endpoints.address import first_name, pair_of, split
from tile38py.endpoints.chunks import Bounds, chunks_of
from tile38py.endpoints.registry import (
    EndpointDependencies,
    Settings,
    TargetError,
    Traits,
    endpoint,
)
from tile38py.interfaces.delivery import Batch
from tile38py.limits import ENDPOINT_BATCHES_COUNT_MAX, ENDPOINT_TARGETS_COUNT_MAX, KIB, MIB

BOUNDS: Final = Bounds(count_max=10, bytes_max=256 * KIB, event_bytes_max=MIB)
RETRIES_COUNT_MAX: Final = 5
CONNECT_SECONDS_MAX: Final = 5
ANSWER_SECONDS_MAX: Final = 5
ATTRIBUTES: Final = {"DelaySeconds": "60", "MessageRetentionPeriod": "86400"}
TRAITS: Final = Traits(
    extra="sqs",
    module="aiobotocore.session",
    send_seconds_max=30.0,
    batches_count_max=ENDPOINT_BATCHES_COUNT_MAX,
)


@endpoint("sqs", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class SqsSettings:
    """The queue and the credentials of an sqs URL."""

    region: str
    queue_url: str
    queue: str
    creates_queue: bool
    credentials_path: str
    profile: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL of either form. The query of an https URL isn't part of the queue's URL."""
        address = split(url)
        creates = address.option("createqueue", "0") not in {"0", "false"}
        path, profile = address.option("credpath"), address.option("credprofile", "default")
        if address.scheme == "https":
            region = address.authority.removeprefix("sqs.").partition(".amazonaws.com")[0]
            queue_url = url.partition("?")[0]
            queue = address.segments[-1] if address.segments else ""
            return cls(region, queue_url, queue, False, path, profile)
        region, account = pair_of(address.authority, "invalid SQS url")
        queue = first_name(address, "SQS queue")
        queue_url = f"https://sqs.{region}.amazonaws.com/{account}/{queue}"
        return cls(region, queue_url, queue, creates, path, profile)

    @property
    def cluster(self) -> Hashable:
        """The region and the login."""
        return self.region, self.credentials_path, self.profile

    async def connect(self, _dependencies: EndpointDependencies) -> "SqsEndpoint":
        """Make a client, which connects when it sends."""
        from aiobotocore.config import AioConfig
        from aiobotocore.session import AioSession

        session = AioSession()
        if self.credentials_path:
            session.set_config_variable("credentials_file", self.credentials_path)
            session.set_config_variable("profile", self.profile)
        stack = AsyncExitStack()
        config = AioConfig(
            retries={"max_attempts": RETRIES_COUNT_MAX},
            connect_timeout=CONNECT_SECONDS_MAX,
            read_timeout=ANSWER_SECONDS_MAX,
            max_pool_connections=ENDPOINT_BATCHES_COUNT_MAX,
        )
        client = await stack.enter_async_context(
            session.create_client("sqs", region_name=self.region, config=config)
        )
        return SqsEndpoint(client, stack)


class SqsClient(Protocol):
    """The used part of aiobotocore's SQS client, which has no types of its own."""

    async def send_message_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - the names are Amazon's
        Entries: Sequence[dict[str, str]],  # noqa: N803
    ) -> dict[str, list[dict[str, str]]]:
        """Send up to ten messages."""

    async def create_queue(
        self,
        *,
        QueueName: str,  # noqa: N803
        Attributes: dict[str, str],  # noqa: N803
    ) -> object:
        """Create a queue."""


class SqsEndpoint:
    """An SQS client with its connections."""

    def __init__(self, client: SqsClient, stack: AsyncExitStack) -> None:
        self._client = client
        self._stack = stack
        self._created: set[str] = set()

    async def send(self, batch: Batch, target: Settings) -> None:
        """Send all events, in requests as large as SQS accepts."""
        from botocore.exceptions import ClientError

        assert isinstance(target, SqsSettings)
        try:
            if target.creates_queue:
                await self._create(target)
            await self._send(batch, target.queue_url)
        except ClientError as error:
            raise TargetError(str(error)) from error

    async def _create(self, target: SqsSettings) -> None:
        from botocore.exceptions import ClientError

        if target.queue_url in self._created:
            return
        # The queue may exist with other attributes; if it doesn't exist, the send fails.
        with suppress(ClientError):
            await self._client.create_queue(QueueName=target.queue, Attributes=ATTRIBUTES)
        if len(self._created) >= ENDPOINT_TARGETS_COUNT_MAX:
            self._created.clear()
        self._created.add(target.queue_url)

    async def _send(self, batch: Batch, queue_url: str) -> None:
        is_fifo = queue_url.endswith(".fifo")
        for part in chunks_of(batch, batch.waiting(), BOUNDS, set()):
            entries = [entry_of(index, batch.events[index], is_fifo=is_fifo) for index in part]
            reply = await self._client.send_message_batch(QueueUrl=queue_url, Entries=entries)
            batch.delivered.update(int(done["Id"]) for done in reply.get("Successful", []))
            for failed in reply.get("Failed", []):
                batch.refused[int(failed["Id"])] = failed.get("Message", failed["Code"])
            if reply.get("Failed"):
                return  # later events must not overtake the failed ones

    async def close(self) -> None:
        """Close the connections."""
        await self._stack.aclose()


def entry_of(index: int, event: QueuedEvent, *, is_fifo: bool) -> dict[str, str]:
    """Return an event as an entry of SendMessageBatch."""
    entry = {"Id": str(index), "MessageBody": event.body.decode("utf-8", "replace")}
    if is_fifo:
        entry["MessageGroupId"] = f"{event.key}#{event.object_id}"
    return entry
