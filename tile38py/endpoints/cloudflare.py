"""cf-queue://account/queue?token=t: Cloudflare Queues over their REST interface."""

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import AddressError, split
from tile38py.endpoints.registry import Surroundings, Traits, endpoint
from tile38py.interfaces import Batch

if TYPE_CHECKING:
    from aiohttp import ClientSession

BASE: Final = "https://api.cloudflare.com/client/v4/"
PAUSES_SECONDS: Final = (0.5, 0.8)  # before the second and the third try
REPEATED: Final = frozenset({408, 409, 429})
SERVER_ERROR: Final = 500
SUCCESS: Final = range(200, 300)
REQUEST_SECONDS_MAX: Final = 5.0
ANSWER_BYTES_MAX: Final = 64 * 1024
TRAITS: Final = Traits(extra="http", module="aiohttp", send_seconds_max=20.0)


@endpoint("cf-queue", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class CloudflareSettings:
    """Account, queue and token; the path's parts aren't decoded."""

    account: str
    queue: str
    token: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """All three are needed."""
        address = split(url)
        if not address.segments:
            raise AddressError("invalid CF Queue format, should be account_id/queue_id")
        if not address.segments[0]:
            raise AddressError("missing CF Queue queue ID")
        if not address.option("token"):
            raise AddressError("missing CF Queue API token")
        return cls(address.authority, address.segments[0], address.option("token"))

    async def connect(self, surroundings: Surroundings) -> "CloudflareEndpoint":
        """Open a session."""
        from aiohttp import ClientSession, ClientTimeout

        base = surroundings.environment.get("CLOUDFLARE_BASE_URL", BASE)
        url = f"{base.rstrip('/')}/accounts/{self.account}/queues/{self.queue}/messages"
        session = ClientSession(
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=ClientTimeout(total=REQUEST_SECONDS_MAX),
            trust_env=True,
        )
        return CloudflareEndpoint(session, url)


class CloudflareEndpoint:
    """A session."""

    def __init__(self, session: "ClientSession", url: str) -> None:
        self._session = session
        self._url = url

    async def send(self, batch: Batch) -> None:
        """The events of a hook one after the other, the hooks side by side."""
        outcomes = await asyncio.gather(
            *(self._send_group(batch, group) for group in batch.groups()), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _send_group(self, batch: Batch, group: list[int]) -> None:
        for index in group:
            problem = await self._post(batch.messages[index].body)
            if problem:
                batch.refused[index] = problem
                return
            batch.delivered.add(index)

    async def _post(self, body: bytes) -> str:
        """Send one event; what is wrong, if anything is."""
        problem = ""
        words = {"body": body.decode("utf-8", "replace"), "content_type": "text"}
        for pause_seconds in (*PAUSES_SECONDS, 0.0):
            async with self._session.post(self._url, json=words) as answer:
                text = await answer.content.read(ANSWER_BYTES_MAX)
                if answer.status in SUCCESS:
                    return "" if is_json(text) else f"status {answer.status} without JSON"
                problem = f"status {answer.status}"
                if answer.status not in REPEATED and answer.status < SERVER_ERROR:
                    break
            await asyncio.sleep(pause_seconds)
        return problem

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()


def is_json(text: bytes) -> bool:
    """Whether an answer has a JSON body; what it says doesn't count."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
