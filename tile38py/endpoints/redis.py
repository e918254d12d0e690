"""redis://host[:port][/channel]: PUBLISH, a whole batch in one pipeline."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import decoded, host_and_port, split
from tile38py.endpoints.registry import EndpointDependencies, Settings, Traits, endpoint
from tile38py.interfaces.delivery import Batch
from tile38py.limits import ENDPOINT_CONNECT_SECONDS_MAX

if TYPE_CHECKING:
    from redis.asyncio.connection import Connection

PORT: Final = 6379


@endpoint("redis", traits=Traits(extra="redis", module="redis.asyncio.connection", has_host=True))
@dataclass(frozen=True, slots=True)
class RedisSettings:
    """Server and channel."""

    host: str
    port: int
    channel: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Further segments and the query are ignored."""
        address = split(url)
        host, port = host_and_port(
            address.authority,
            PORT,
            malformed="invalid redis url",
            bad_port="invalid redis url port",
        )
        segment = address.segments[0] if address.segments else ""
        return cls(host, port, decoded(segment, "invalid redis channel name"))

    @property
    def cluster(self) -> Hashable:
        """The server."""
        return self.host, self.port

    async def connect(self, _dependencies: EndpointDependencies) -> "RedisEndpoint":
        """Connect without a word: the server may be anything that knows PUBLISH."""
        return RedisEndpoint(await open_connection(self.host, self.port))


class RedisEndpoint:
    """One connection."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    async def send(self, batch: Batch, target: Settings) -> None:
        """An integer is success, as is a text that is one."""
        assert isinstance(target, RedisSettings)
        waiting, channel = batch.waiting(), target.channel.encode("utf-8", "surrogateescape")
        data = publications(channel, [batch.events[index].body for index in waiting])
        replies = await ask(self._connection, [data], len(waiting))
        for index, reply in zip(waiting, replies, strict=True):
            if isinstance(reply, int) or (isinstance(reply, bytes) and is_integer(reply)):
                batch.delivered.add(index)
            else:
                batch.refused[index] = refusal(reply)

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.disconnect(nowait=True)


async def open_connection(host: str, port: int) -> "Connection":
    """A plain connection of the Redis client, connected."""
    from redis.asyncio.connection import Connection

    connection = Connection(
        host=host,
        port=port,
        protocol=2,  # servers before Redis 6 and others of its protocol have no other
        socket_connect_timeout=ENDPOINT_CONNECT_SECONDS_MAX,
        driver_info=None,
    )
    await connection.connect()
    return connection


def publications(channel: bytes, bodies: Iterable[bytes]) -> bytes:
    """PUBLISH for each, as the protocol has it: the client's own way takes ten times as long."""
    head = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$" % (len(channel), channel)
    return b"".join([b"%b%d\r\n%b\r\n" % (head, len(body), body) for body in bodies])


async def ask(connection: "Connection", data: Iterable[bytes], count: int) -> list[object]:
    """Send so many commands at once; their replies, errors among them."""
    from redis.exceptions import ResponseError

    await connection.send_packed_command(data, check_health=False)
    replies: list[object] = []
    for _ in range(count):
        try:
            replies.append(await connection.read_response(disable_decoding=True))
        except ResponseError as error:
            replies.append(error)
    return replies


def is_integer(reply: bytes) -> bool:
    """Whether a text is a decimal integer."""
    return reply.lstrip(b"+-").isdigit()


def refusal(reply: object) -> str:
    """What to tell of a reply that isn't success."""
    return str(reply) if isinstance(reply, Exception) else "unexpected reply"
