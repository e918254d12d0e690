"""http and https: a POST for each event; events of different hooks at the same time."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import split
from tile38py.endpoints.names import Names
from tile38py.endpoints.registry import (
    Settings,
    Surroundings,
    TargetError,
    Traits,
    endpoint,
)
from tile38py.interfaces.delivery import Batch
from tile38py.limits import ENDPOINT_BATCHES_COUNT_MAX

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from aiohttp.abc import AbstractResolver
    from yarl import URL

REQUEST_SECONDS_MAX: Final = 5.0  # with the reading of the answer
BATCH_SECONDS_MAX: Final = 5.0  # after which no further request of a batch begins
CONNECTIONS_COUNT_MAX: Final = 256  # to one host
REQUESTS_COUNT_MAX: Final = 20  # of a batch at a time: a URL that hangs leaves room for others
IDLE_SECONDS_MAX: Final = 30.0
REDIRECTS_COUNT_MAX: Final = 10
ANSWER_BYTES_MAX: Final = 64 * 1024  # read, so that the connection can be used again
SUCCESS: Final = frozenset({200, 201, 202})
TRAITS: Final = Traits(
    extra="http",
    module="aiohttp",
    idle_seconds_max=60.0,  # of the session; its connections are closed sooner
    send_seconds_max=REQUEST_SECONDS_MAX + BATCH_SECONDS_MAX + 1.0,
    batches_count_max=ENDPOINT_BATCHES_COUNT_MAX,
)


@endpoint("http", "https", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The URL, sent as written."""

    url: str
    origin: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Only what all URLs need is checked."""
        address = split(url)
        return cls(url, f"{address.scheme}://{address.authority}")

    @property
    def cluster(self) -> Hashable:
        """The server, and as whom."""
        return self.origin

    async def connect(self, surroundings: Surroundings) -> "HttpEndpoint":
        """Open a session; its connections are made when they are needed."""
        from aiohttp import ClientSession, ClientTimeout, TCPConnector

        connector = TCPConnector(
            limit=CONNECTIONS_COUNT_MAX,
            keepalive_timeout=IDLE_SECONDS_MAX,
            resolver=resolver_of(surroundings.names),
        )
        timeout = ClientTimeout(total=REQUEST_SECONDS_MAX)
        headers = {"Content-Type": "application/json"}
        return HttpEndpoint(ClientSession(connector=connector, timeout=timeout, headers=headers))


class HttpEndpoint:
    """A session with its connections."""

    def __init__(self, session: "ClientSession") -> None:
        self._session = session

    async def send(self, batch: Batch, target: Settings) -> None:
        """One request after the other for each hook, the hooks side by side."""
        from aiohttp import ClientConnectorError, ClientError
        from yarl import URL

        assert isinstance(target, HttpSettings)
        ends = asyncio.get_running_loop().time() + BATCH_SECONDS_MAX
        post = partial(self._post, URL(target.url, encoded=True))
        slots = asyncio.Semaphore(REQUESTS_COUNT_MAX)
        outcomes = await asyncio.gather(
            *(send_group(Group(batch, group, ends), slots, post) for group in batch.groups()),
            return_exceptions=True,
        )
        down = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        for outcome in down:
            if not isinstance(outcome, ClientError | TimeoutError) or isinstance(
                outcome, ClientConnectorError
            ):
                raise outcome
        if down:
            raise TargetError(str(down[0]) or "no answer in time") from down[0]

    async def _post(self, url: "URL", body: bytes) -> int:
        # A redirect by 301, 302 or 303 becomes a GET without a body, as browsers have it.
        async with self._session.post(url, data=body, max_redirects=REDIRECTS_COUNT_MAX) as answer:
            await answer.content.read(ANSWER_BYTES_MAX)
            return answer.status

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def resolver_of(names: Names) -> "AbstractResolver":
    """Find hosts as the other kinds do."""
    from aiohttp.abc import AbstractResolver, ResolveResult

    class Resolver(AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            flags = socket.AI_NUMERICHOST
            return [
                ResolveResult(
                    hostname=host, host=address, port=port, family=found, proto=0, flags=flags
                )
                for found, address, port in await names.find(host, port)
                if family in {socket.AF_UNSPEC, found}
            ]

        async def close(self) -> None:
            """Nothing has to be closed."""

    return Resolver()


@dataclass(frozen=True, slots=True)
class Group:
    """The events of one hook in a batch."""

    batch: Batch
    indexes: list[int]
    ends: float  # when no further request may begin


async def send_group(
    group: Group, slots: asyncio.Semaphore, post: Callable[[bytes], Awaitable[int]]
) -> None:
    """One request after the other."""
    batch = group.batch
    for index in group.indexes:
        async with slots:
            if asyncio.get_running_loop().time() > group.ends:
                return
            status = await post(batch.events[index].body)
        if status not in SUCCESS:
            batch.refused[index] = f"status {status}"
            return
        batch.delivered.add(index)
