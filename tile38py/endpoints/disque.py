"""disque://host[:port]/queue[?replicate=n]: ADDJOB, a whole batch in one pipeline."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import AddressError, first_name, host_and_port, number_of, split
from tile38py.endpoints.redis import ask, open_connection, refusal
from tile38py.endpoints.registry import EndpointDependencies, Settings, Traits, endpoint
from tile38py.interfaces.delivery import Batch

if TYPE_CHECKING:
    from redis.asyncio.connection import Connection

Word = bytes | str | int
PORT: Final = 7711
REPLICATE_MAX: Final = 255


@endpoint("disque", traits=Traits(extra="redis", module="redis.asyncio.connection", has_host=True))
@dataclass(frozen=True, slots=True)
class DisqueSettings:
    """The server, the queue and the number of replicas of a disque URL."""

    host: str
    port: int
    queue: str
    replicate: int

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL, whose first segment is the queue."""
        address = split(url)
        wrong = "invalid disque url"
        host, port = host_and_port(address.authority, PORT, malformed=wrong, bad_port=wrong)
        queue = first_name(address, "disque queue")
        replicate = number_of(address.option("replicate", "0"), REPLICATE_MAX)
        if replicate is None:
            raise AddressError("invalid disque replicate value")
        return cls(host, port, queue, replicate)

    @property
    def cluster(self) -> Hashable:
        """The server."""
        return self.host, self.port

    async def connect(self, _dependencies: EndpointDependencies) -> "DisqueEndpoint":
        """Open a connection; Disque has the protocol of Redis."""
        return DisqueEndpoint(await open_connection(self.host, self.port))


class DisqueEndpoint:
    """A connection to a Disque server."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    async def send(self, batch: Batch, target: Settings) -> None:
        """Add all events to the queue. A job's id is a success, any other reply a refusal."""
        assert isinstance(target, DisqueSettings)
        waiting = batch.waiting()
        queue = target.queue.encode("utf-8", "surrogateescape")
        copies: tuple[Word, ...] = ()
        if target.replicate:
            copies = ("REPLICATE", target.replicate)
        commands: list[tuple[Word, ...]] = [
            ("ADDJOB", queue, batch.events[index].body, 0, *copies) for index in waiting
        ]
        data = self._connection.pack_commands(commands)
        replies = await ask(self._connection, data, len(commands))
        for index, reply in zip(waiting, replies, strict=True):
            if isinstance(reply, bytes | str):
                batch.delivered.add(index)
            else:
                batch.refused[index] = refusal(reply)

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.disconnect(nowait=True)
