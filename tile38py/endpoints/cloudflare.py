"""cf-queue://account/queue?token=t: Cloudflare Queues over their REST interface."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import AddressError, split
from tile38py.endpoints.registry import (
    EndpointDependencies,
    Settings,
    TargetError,
    Traits,
    endpoint,
)
from tile38py.interfaces.delivery import Batch
from tile38py.limits import ENDPOINT_BATCHES_COUNT_MAX

if TYPE_CHECKING:
    from aiohttp import ClientSession

BASE: Final = "https://api.cloudflare.com/client/v4/"
PAUSES_SECONDS: Final = (0.5, 0.8)  # before the second and the third attempt
RETRIED: Final = frozenset({408, 409, 429})
SERVER_ERROR: Final = 500
SUCCESS: Final = range(200, 300)
REQUEST_SECONDS_MAX: Final = 5.0
ANSWER_BYTES_MAX: Final = 64 * 1024
BATCH_SECONDS_MAX: Final = 5.0  # after which no further request of a batch begins
TRAITS: Final = Traits(
    extra="http",
    module="aiohttp",
    send_seconds_max=25.0,
    batches_count_max=ENDPOINT_BATCHES_COUNT_MAX,
)


@endpoint("cf-queue", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class CloudflareSettings:
    """The account, the queue and the token of a cf-queue URL; segments aren't decoded."""

    account: str
    queue: str
    token: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL. Account, queue and token are required."""
        address = split(url)
        if not address.segments:
            raise AddressError("invalid CF Queue format, should be account_id/queue_id")
        if not address.segments[0]:
            raise AddressError("missing CF Queue queue ID")
        if not address.option("token"):
            raise AddressError("missing CF Queue API token")
        return cls(address.authority, address.segments[0], address.option("token"))

    @property
    def cluster(self) -> Hashable:
        """Always the same: all requests have the same server and each has its own token."""
        return ()

    async def connect(self, dependencies: EndpointDependencies) -> "CloudflareEndpoint":
        """Open a session of the HTTP client."""
        from aiohttp import ClientSession, ClientTimeout

        base = dependencies.environment.get("CLOUDFLARE_BASE_URL", BASE)
        timeout = ClientTimeout(total=REQUEST_SECONDS_MAX)
        session = ClientSession(timeout=timeout, trust_env=True)
        return CloudflareEndpoint(session, base.rstrip("/"))


class CloudflareEndpoint:
    """A session of the HTTP client."""

    def __init__(self, session: "ClientSession", base: str) -> None:
        self._session = session
        self._base = base

    async def send(self, batch: Batch, target: Settings) -> None:
        """Send the events of each hook in order, those of different hooks at the same time."""
        from aiohttp import ClientConnectorError, ClientError

        assert isinstance(target, CloudflareSettings)
        place = f"accounts/{target.account}/queues/{target.queue}/messages"
        post = partial(self._post, f"{self._base}/{place}", f"Bearer {target.token}")
        outcomes = await asyncio.gather(
            *(send_group(batch, group, post) for group in batch.groups()), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, ClientError | TimeoutError) and not isinstance(
                outcome, ClientConnectorError
            ):
                raise TargetError(str(outcome) or "no answer in time") from outcome
            if isinstance(outcome, BaseException):
                raise outcome

    async def _post(self, url: str, login: str, body: bytes) -> str:
        """Send one event, with retries; return the reason if it failed, else an empty text."""
        problem = ""
        words = {"body": body.decode("utf-8", "replace"), "content_type": "text"}
        headers = {"Authorization": login}
        for pause_seconds in (*PAUSES_SECONDS, 0.0):
            async with self._session.post(url, json=words, headers=headers) as answer:
                text = await answer.content.read(ANSWER_BYTES_MAX)
                if answer.status in SUCCESS:
                    return "" if is_json(text) else f"status {answer.status} without JSON"
                problem = f"status {answer.status}"
                if answer.status not in RETRIED and answer.status < SERVER_ERROR:
                    break
            await asyncio.sleep(pause_seconds)
        return problem

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()


async def send_group(
    batch: Batch, group: list[int], post: Callable[[bytes], Awaitable[str]]
) -> None:
    """Send events in order, until one is refused or BATCH_SECONDS_MAX have passed."""
    ends = asyncio.get_running_loop().time() + BATCH_SECONDS_MAX
    for index in group:
        if asyncio.get_running_loop().time() > ends:
            return
        problem = await post(batch.events[index].body)
        if problem:
            batch.refused[index] = problem
            return
        batch.delivered.add(index)


def is_json(text: bytes) -> bool:
    """Return whether a reply's body is JSON; its content doesn't matter."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
