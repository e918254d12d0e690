"""sqs://region:account/queue, or the queue's https URL: Amazon SQS in batches of ten."""

from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Final, Protocol, Self

from tile38py.endpoints.address import AddressError, decoded, split
from tile38py.endpoints.event import subject_of
from tile38py.endpoints.registry import Surroundings, Traits, endpoint
from tile38py.interfaces import Batch
from tile38py.limits import KIB

ENTRIES_COUNT_MAX: Final = 10
ENTRIES_BYTES_MAX: Final = 256 * KIB
RETRIES_COUNT_MAX: Final = 5
ATTRIBUTES: Final = {"DelaySeconds": "60", "MessageRetentionPeriod": "86400"}
TRAITS: Final = Traits(extra="sqs", module="aiobotocore", send_seconds_max=30.0)


@endpoint("sqs", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class SqsSettings:
    """Queue and credentials."""

    region: str
    queue_url: str
    queue: str
    creates_queue: bool
    credentials_path: str
    profile: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """The https form's query isn't part of the queue's URL."""
        address = split(url)
        creates = address.option("createqueue", "0") not in {"0", "false"}
        path, profile = address.option("credpath"), address.option("credprofile", "default")
        if address.scheme == "https":
            region = address.authority.removeprefix("sqs.").partition(".amazonaws.com")[0]
            queue_url = url.partition("?")[0]
            return cls(region, queue_url, address.segments[-1], False, path, profile)
        region, colon, account = address.authority.partition(":")
        if not colon or not region or not account:
            raise AddressError("invalid SQS url")
        if not address.segments or not address.segments[0]:
            raise AddressError("missing SQS queue name")
        queue = decoded(address.segments[0], "invalid SQS queue name")
        queue_url = f"https://sqs.{region}.amazonaws.com/{account}/{queue}"
        return cls(region, queue_url, queue, creates, path, profile)

    async def connect(self, _surroundings: Surroundings) -> "SqsEndpoint":
        """Make a client; nothing is sent unless the queue has to be made."""
        from aiobotocore.config import AioConfig
        from aiobotocore.session import AioSession
        from botocore.exceptions import ClientError

        session = AioSession()
        if self.credentials_path:
            session.set_config_variable("credentials_file", self.credentials_path)
            session.set_config_variable("profile", self.profile)
        stack = AsyncExitStack()
        config = AioConfig(retries={"max_attempts": RETRIES_COUNT_MAX}, connect_timeout=5)
        client = await stack.enter_async_context(
            session.create_client("sqs", region_name=self.region, config=config)
        )
        if self.creates_queue:
            # It may be there with other attributes; the send tells if it isn't.
            with suppress(ClientError):
                await client.create_queue(QueueName=self.queue, Attributes=ATTRIBUTES)
        return SqsEndpoint(client, stack, self.queue_url)


class SqsClient(Protocol):
    """The part of the client that is used; it has no types of its own."""

    async def send_message_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - the names are Amazon's
        Entries: Sequence[dict[str, str]],  # noqa: N803
    ) -> dict[str, list[dict[str, str]]]:
        """Send up to ten messages."""


class SqsEndpoint:
    """A client with its connections."""

    def __init__(self, client: SqsClient, stack: AsyncExitStack, queue_url: str) -> None:
        self._client = client
        self._stack = stack
        self._queue_url = queue_url

    async def send(self, batch: Batch) -> None:
        """Send all, as many at a time as SQS takes."""
        for part in self._parts(batch):
            entries = [self._entry(index, batch.messages[index].body) for index in part]
            reply = await self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            batch.delivered.update(int(done["Id"]) for done in reply.get("Successful", []))
            for failed in reply.get("Failed", []):
                batch.refused[int(failed["Id"])] = failed.get("Message", failed["Code"])
            if batch.refused:
                return  # what follows must not overtake it

    def _parts(self, batch: Batch) -> list[list[int]]:
        parts: list[list[int]] = []
        room = 0
        for index in batch.waiting():
            size = len(batch.messages[index].body)
            if not parts or len(parts[-1]) == ENTRIES_COUNT_MAX or size > room:
                parts.append([])
                room = ENTRIES_BYTES_MAX
            parts[-1].append(index)
            room -= size
        return parts

    def _entry(self, index: int, body: bytes) -> dict[str, str]:
        entry = {"Id": str(index), "MessageBody": body.decode("utf-8", "replace")}
        if self._queue_url.endswith(".fifo"):
            subject = subject_of(body)
            entry["MessageGroupId"] = f"{subject.key}#{subject.object_id}"
        return entry

    async def close(self) -> None:
        """Close the connections."""
        await self._stack.aclose()
