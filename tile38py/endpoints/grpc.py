"""grpc://host[:port]: the unary call hservice.HookService/Send for each event."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import host_and_port, split
from tile38py.endpoints.registry import EndpointDependencies, Settings, Traits, endpoint
from tile38py.interfaces.delivery import Batch
from tile38py.limits import ENDPOINT_BATCHES_COUNT_MAX, ENDPOINT_SEND_SECONDS_MAX

if TYPE_CHECKING:
    from grpc.aio import Channel, UnaryUnaryMultiCallable

PORT: Final = 80
METHOD: Final = "/hservice.HookService/Send"
VALUE_TAG: Final = 0x0A  # field 1, a string
OK_TAG: Final = 0x08  # field 1, a varint
MORE: Final = 0x80
# Status codes that concern one event, such as its size; all others mean that the server is down.
REFUSALS: Final = frozenset({"INVALID_ARGUMENT", "OUT_OF_RANGE", "RESOURCE_EXHAUSTED"})
BATCH_SECONDS_MAX: Final = 5.0  # after which no further call of a batch begins


TRAITS: Final = Traits(
    extra="grpc",
    module="grpc",
    send_seconds_max=BATCH_SECONDS_MAX + ENDPOINT_SEND_SECONDS_MAX + 1.0,
    batches_count_max=ENDPOINT_BATCHES_COUNT_MAX,
)


@endpoint("grpc", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class GrpcSettings:
    """The server of a grpc URL; path and query are ignored."""

    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL. The connection is plaintext HTTP/2 without credentials."""
        wrong = "invalid grpc url"
        return cls(*host_and_port(split(url).authority, PORT, malformed=wrong, bad_port=wrong))

    @property
    def cluster(self) -> Hashable:
        """The server."""
        return self.host, self.port

    async def connect(self, _dependencies: EndpointDependencies) -> "GrpcEndpoint":
        """Connect, so that a dead server is detected before the first send."""
        from grpc.aio import insecure_channel

        channel = insecure_channel(f"{self.host}:{self.port}")
        try:
            await channel.channel_ready()
        except BaseException:
            await channel.close()
            raise
        return GrpcEndpoint(channel)


class GrpcEndpoint:
    """A gRPC channel."""

    def __init__(self, channel: "Channel") -> None:
        self._channel = channel
        self._call: UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            METHOD, request_serializer=request_bytes, response_deserializer=bytes
        )

    async def send(self, batch: Batch, _target: Settings) -> None:
        """Send the events of each hook in order, those of different hooks at the same time."""
        ends = asyncio.get_running_loop().time() + BATCH_SECONDS_MAX
        outcomes = await asyncio.gather(
            *(self._send_group(batch, group, ends) for group in batch.groups()),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _send_group(self, batch: Batch, group: list[int], ends: float) -> None:
        from grpc.aio import AioRpcError

        for index in group:
            if asyncio.get_running_loop().time() > ends:
                return
            body = batch.events[index].body
            try:
                reply = await self._call(body, timeout=ENDPOINT_SEND_SECONDS_MAX)
            except AioRpcError as error:
                if error.code().name not in REFUSALS:
                    raise
                batch.refused[index] = error.details() or error.code().name
                return
            if not is_ok(reply):
                raise ConnectionError("invalid grpc reply")
            batch.delivered.add(index)

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()


def request_bytes(body: bytes) -> bytes:
    """Encode a MessageRequest with its only field, `value`."""
    length = len(body)
    head = bytearray([VALUE_TAG])
    while length >= MORE:
        head.append(length & (MORE - 1) | MORE)
        length >>= 7
    head.append(length)
    return bytes(head) + body


def is_ok(reply: bytes) -> bool:
    """Return whether a MessageReply's only field, `ok`, is true."""
    return len(reply) > 1 and reply[0] == OK_TAG and reply[1] != 0
