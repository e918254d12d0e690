"""http and https: a POST for each event; events of different hooks at the same time."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import split
from tile38py.endpoints.registry import Surroundings, Traits, endpoint
from tile38py.interfaces import Batch

if TYPE_CHECKING:
    from aiohttp import ClientSession

REQUEST_SECONDS_MAX: Final = 5.0  # with the reading of the answer
BATCH_SECONDS_MAX: Final = 5.0  # after which no further request of a batch begins
CONNECTIONS_COUNT_MAX: Final = 20  # to one host
IDLE_SECONDS_MAX: Final = 30.0
REDIRECTS_COUNT_MAX: Final = 10
ANSWER_BYTES_MAX: Final = 64 * 1024  # read, so that the connection can be used again
SUCCESS: Final = frozenset({200, 201, 202})
TRAITS: Final = Traits(
    extra="http",
    module="aiohttp",
    idle_seconds_max=60.0,  # of the session; its connections are closed sooner
    send_seconds_max=REQUEST_SECONDS_MAX + BATCH_SECONDS_MAX + 1.0,
    is_concurrent=True,
)


@endpoint("http", "https", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The URL, sent as written."""

    url: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Only what all URLs need is checked."""
        split(url)
        return cls(url)

    async def connect(self, _surroundings: Surroundings) -> "HttpEndpoint":
        """Open a session; its connections are made when they are needed."""
        from aiohttp import ClientSession, ClientTimeout, TCPConnector

        connector = TCPConnector(limit=CONNECTIONS_COUNT_MAX, keepalive_timeout=IDLE_SECONDS_MAX)
        timeout = ClientTimeout(total=REQUEST_SECONDS_MAX)
        headers = {"Content-Type": "application/json"}
        return HttpEndpoint(
            ClientSession(connector=connector, timeout=timeout, headers=headers), self.url
        )


class HttpEndpoint:
    """A session with its connections."""

    def __init__(self, session: "ClientSession", url: str) -> None:
        self._session = session
        self._url = url

    async def send(self, batch: Batch) -> None:
        """One request after the other for each hook, the hooks side by side."""
        ends = asyncio.get_running_loop().time() + BATCH_SECONDS_MAX
        groups = batch.groups()
        outcomes = await asyncio.gather(
            *(self._send_group(batch, group, ends) for group in groups), return_exceptions=True
        )
        down = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if down:
            raise down[0]

    async def _send_group(self, batch: Batch, group: list[int], ends: float) -> None:
        for index in group:
            if asyncio.get_running_loop().time() > ends:
                return
            status = await self._post(batch.messages[index].body)
            if status not in SUCCESS:
                batch.refused[index] = f"status {status}"
                return
            batch.delivered.add(index)

    async def _post(self, body: bytes) -> int:
        from yarl import URL

        # A redirect by 301, 302 or 303 becomes a GET without a body, as browsers have it.
        async with self._session.post(
            URL(self._url, encoded=True), data=body, max_redirects=REDIRECTS_COUNT_MAX
        ) as answer:
            await answer.content.read(ANSWER_BYTES_MAX)
            return answer.status

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
