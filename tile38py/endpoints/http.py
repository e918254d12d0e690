"""http and https: a POST for each event or batch; those of different hooks at the same time."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import split
from tile38py.endpoints.event_request import EventRequest, request_of
from tile38py.endpoints.names import Names
from tile38py.endpoints.registry import (
    BusyError,
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
    from aiohttp.abc import AbstractResolver
    from yarl import URL

REQUEST_SECONDS_MAX: Final = 5.0  # with the reading of the answer
BATCH_SECONDS_MAX: Final = 5.0  # after which no further request of a batch begins
CONNECTIONS_COUNT_MAX: Final = 256  # to one host
REQUESTS_COUNT_MAX: Final = 20  # of a batch at a time: a URL that hangs leaves room for others
IDLE_SECONDS_MAX: Final = 30.0
REDIRECTS_COUNT_MAX: Final = 10
ANSWER_BYTES_MAX: Final = 64 * 1024  # read, so that the connection can be used again
SUCCESS_CLASS: Final = 2  # the first digit of a status
REDIRECTS: Final = frozenset({307, 308})  # those that keep method and body
BUSY: Final = frozenset({429, 503})
PRINTABLE: Final = re.compile("[!-~]+")
RETRY_AFTER_DIGITS_MAX: Final = 12
TRAITS: Final = Traits(
    extra="http",
    module="aiohttp",
    idle_seconds_max=60.0,  # of the session; its connections are closed sooner
    send_seconds_max=REQUEST_SECONDS_MAX + BATCH_SECONDS_MAX + 1.0,
    attempt_seconds_max=REQUEST_SECONDS_MAX,
    batches_count_max=ENDPOINT_BATCHES_COUNT_MAX,
)


@endpoint("http", "https", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The URL, as written, and its origin."""

    url: str
    origin: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL. Raises AddressError."""
        address = split(url)
        return cls(url, f"{address.scheme}://{address.authority}")

    @property
    def cluster(self) -> Hashable:
        """Scheme, login, host and port."""
        return self.origin

    async def connect(self, dependencies: EndpointDependencies) -> "HttpEndpoint":
        """Open a session; its connections are made when they are needed."""
        from aiohttp import ClientSession, ClientTimeout, TCPConnector

        connector = TCPConnector(
            limit=CONNECTIONS_COUNT_MAX,
            keepalive_timeout=IDLE_SECONDS_MAX,
            resolver=resolver_of(dependencies.names),
        )
        timeout = ClientTimeout(total=None)  # each request has its own
        headers = {"Content-Type": "application/json"}
        return HttpEndpoint(ClientSession(connector=connector, timeout=timeout, headers=headers))


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a request that was answered."""

    failure: str  # empty if the event is delivered
    retry_seconds: float | None = None  # for which the server wants to be left alone


DELIVERED: Final = Answer("")


class HttpEndpoint:
    """A session with its connections."""

    def __init__(self, session: "ClientSession") -> None:
        self._session = session

    async def send(self, batch: Batch, target: Settings) -> None:
        """Send one request after the other for each hook, and those of several hooks at a time."""
        from aiohttp import ClientConnectorError, ClientError
        from yarl import URL

        assert isinstance(target, HttpSettings)
        seconds = batch.timeout_seconds or REQUEST_SECONDS_MAX
        post = partial(self._post, URL(target.url, encoded=True), seconds)
        sender = BatchSender(batch, post)
        down = await sender.send()
        for outcome in down:
            if not isinstance(outcome, ClientError | TimeoutError | TargetError) or isinstance(
                outcome, ClientConnectorError
            ):
                raise outcome
        if sender.busy is not None:
            raise sender.busy
        if down:
            raise TargetError(str(down[0]) or "no answer in time") from down[0]

    async def _post(self, url: "URL", seconds_max: float, request: EventRequest) -> Answer:
        """Send a request, and send it again to where it is redirected."""
        from aiohttp import ClientConnectorError

        origin = url.origin()
        async with asyncio.timeout(seconds_max):
            for count in range(REDIRECTS_COUNT_MAX + 1):
                try:
                    answer, place = await self._post_once(url, request)
                except ClientConnectorError as error:
                    if not count:
                        raise
                    # Not the server of this URL is down, but the one that it redirects to.
                    raise TargetError(str(error)) from error
                if place is None:
                    return answer
                if place.origin() != origin:
                    request = request.for_strangers()
                url = place
        return Answer(f"more than {REDIRECTS_COUNT_MAX} redirects")

    async def _post_once(self, url: "URL", request: EventRequest) -> "tuple[Answer, URL | None]":
        # aiohttp would follow 301, 302 and 303, too, with a GET that has no body.
        if request.has_login:
            url = url.with_user(None)  # aiohttp refuses two logins
        async with self._session.post(
            url, data=request.body, headers=request.headers, allow_redirects=False
        ) as response:
            await response.content.read(ANSWER_BYTES_MAX)
            status, headers = response.status, response.headers
            if status in REDIRECTS:
                place = redirected(url, headers.get("Location", ""))
                return Answer(f"status {status} without a usable Location"), place
            if status // 100 == SUCCESS_CLASS:
                return DELIVERED, None
            seconds = retry_after(headers) if status in BUSY else None
            return Answer(f"status {status}", seconds), None

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def resolver_of(names: Names) -> "AbstractResolver":
    """Make aiohttp's resolver of ours."""
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


class BatchSender:
    """Sends one batch: the events of a hook in order, several hooks at the same time."""

    def __init__(self, batch: Batch, post: Callable[[EventRequest], Awaitable[Answer]]) -> None:
        self.busy: BusyError | None = None
        self._batch = batch
        self._post = post
        self._ends = asyncio.get_running_loop().time() + BATCH_SECONDS_MAX
        self._slots = asyncio.Semaphore(REQUESTS_COUNT_MAX)

    async def send(self) -> list[BaseException]:
        """Send what waits; return the errors of requests without an answer."""
        groups = map(self._send_group, self._batch.groups())
        outcomes = await asyncio.gather(*groups, return_exceptions=True)
        return [outcome for outcome in outcomes if outcome is not None]

    async def _send_group(self, indexes: list[int]) -> None:
        batch = self._batch
        options = batch.options.get(batch.events[indexes[0]].hook)
        count = options.rule.batch_count if options is not None and options.rule is not None else 1
        for start in range(0, len(indexes), count):
            part = indexes[start : start + count]
            async with self._slots:
                if self.busy is not None or asyncio.get_running_loop().time() > self._ends:
                    return
                answer = await self._post(request_of(batch, part))
            if answer is DELIVERED:
                batch.delivered.update(part)
                continue
            if answer.retry_seconds is None:
                batch.refused[part[0]] = answer.failure
            else:
                self.busy = BusyError(answer.failure, answer.retry_seconds)
            return


def redirected(url: "URL", location: str) -> "URL | None":
    """The place that a redirect names; None if it is none. A login stays with its server."""
    from yarl import URL

    try:
        # As written, unless that can't stand in a request.
        place = url.join(URL(location, encoded=PRINTABLE.fullmatch(location) is not None))
        if not location or place.scheme not in {"http", "https"} or not place.host:
            return None
        if place.origin() == url.origin() and place.user is None:
            place = place.with_user(url.user).with_password(url.password)
    except ValueError:
        return None
    return place


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds for which a busy server wants to be left alone; None if it doesn't say."""
    value = headers.get("Retry-After", "")
    if value.isascii() and value.isdigit():
        return float(value[:RETRY_AFTER_DIGITS_MAX])
    try:
        # By the server's own clock, which may differ from ours.
        later = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return max(later.total_seconds(), 0.0)
