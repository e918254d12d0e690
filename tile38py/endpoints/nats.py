"""nats://host:port/subject: core NATS, confirmed by a round trip, or JetStream."""

import asyncio
import contextlib
from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import PORT_MAX, form_decoded, number_of, pair_of, split
from tile38py.endpoints.event_request import CLOUD_EVENT_TYPE
from tile38py.endpoints.publishing import publish_each
from tile38py.endpoints.registry import (
    EndpointDependencies,
    Settings,
    TargetError,
    Traits,
    endpoint,
)
from tile38py.endpoints.security import TlsFiles
from tile38py.interfaces.delivery import Batch
from tile38py.limits import (
    ENDPOINT_BATCHES_COUNT_MAX,
    ENDPOINT_CONNECT_SECONDS_MAX,
    ENDPOINT_SEND_SECONDS_MAX,
)

if TYPE_CHECKING:
    from nats.aio.client import Client

PORT: Final = 4222
CLOSE_SECONDS_MAX: Final = 0.5  # after a failed handshake
LOST: Final = "connection lost"
STREAM_SECONDS_MAX: Final = 20.0  # for a stream's acknowledgement


TRAITS: Final = Traits(
    extra="nats",
    module="nats",
    send_seconds_max=STREAM_SECONDS_MAX + 1,
    batches_count_max=ENDPOINT_BATCHES_COUNT_MAX,
    has_host=True,
)
CLOUD_EVENT_HEADERS: Final = {"content-type": CLOUD_EVENT_TYPE}


@endpoint("nats", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class NatsSettings:
    """The server, the subject and the login of a nats URL."""

    server: str
    subject: str
    user: str
    password: str
    token: str
    is_secure: bool
    has_certificate: bool
    files: TlsFiles
    credentials: str
    is_jetstream: bool

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL. As in Tile38, the port is required but needn't be a number."""
        address = split(url)
        host, port = pair_of(address.authority, "invalid NATS url")
        number = number_of(port, PORT_MAX)
        segment = address.segments[0] if address.segments else ""
        return cls(
            server=f"nats://{host}:{PORT if number is None else number}",
            # An invalid subject is refused when an event is sent to it.
            subject=form_decoded(segment) or "",
            user=address.option("user"),
            password=address.option("pass"),
            token=address.option("token"),
            is_secure=address.is_set("secure"),
            has_certificate=address.is_set("tls"),
            files=TlsFiles("", address.option("tlscert"), address.option("tlskey")),
            credentials=address.option("credential"),
            is_jetstream=address.is_set("jetstream"),
        )

    @property
    def cluster(self) -> Hashable:
        """The server and the login: all settings except the subject and the use of JetStream."""
        return replace(self, subject="", is_jetstream=False)

    async def connect(self, _dependencies: EndpointDependencies) -> "NatsEndpoint":
        """Connect without retries, which are the pool's."""
        from nats.aio.client import Client

        has_login = bool(self.user and self.password)
        is_tls = self.is_secure or self.has_certificate
        files = self.files if self.has_certificate else TlsFiles()
        client = Client()
        endpoint = NatsEndpoint(client)
        errors: list[Exception] = []

        async def note(error: Exception) -> None:
            errors.append(error)

        try:
            await client.connect(
                self.server,
                allow_reconnect=False,
                connect_timeout=int(ENDPOINT_CONNECT_SECONDS_MAX),
                error_cb=note,
                disconnected_cb=endpoint.note_end,
                user=self.user if has_login else None,
                password=self.password if has_login else None,
                token=self.token or None,
                tls=files.context() if is_tls else None,
                user_credentials=self.credentials or None,
            )
        except asyncio.CancelledError:
            cut(client)
            raise
        except Exception as error:  # noqa: BLE001 - raised again, with the client's reason
            # After a failed handshake, close() may wait for the server in vain.
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSE_SECONDS_MAX):
                    await client.close()
            cut(client)
            raise (errors[-1] if errors and not str(error) else error) from None
        return endpoint


class NatsEndpoint:
    """A connection to a NATS server."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._is_over = False
        self._sending: set[asyncio.Timeout] = set()

    async def note_end(self) -> None:
        """End all sends: the connection is lost, which the client's own calls wouldn't notice."""
        self._is_over = True
        for deadline in self._sending:
            deadline.reschedule(0)

    async def send(self, batch: Batch, target: Settings) -> None:
        """Publish all events and wait until the server has received or stored them."""
        assert isinstance(target, NatsSettings)
        if not target.subject:
            raise TargetError("nats: invalid subject")
        if self._is_over:
            raise ConnectionError(LOST)
        try:
            async with asyncio.timeout(STREAM_SECONDS_MAX) as deadline:
                self._sending.add(deadline)
                try:
                    await self._send(batch, target)
                finally:
                    self._sending.discard(deadline)
        except TimeoutError:
            if target.is_jetstream and not self._is_over:
                raise TargetError("no stream's acknowledgement in time") from None
            raise ConnectionError(LOST if self._is_over else "no answer in time") from None

    async def _send(self, batch: Batch, target: NatsSettings) -> None:
        if target.is_jetstream:
            await self._send_to_stream(batch, target.subject)
        else:
            await self._send_to_subject(batch, target.subject)

    async def _send_to_subject(self, batch: Batch, subject: str) -> None:
        # The server has received all events when it replies to the PING that follows them.
        from nats.errors import MaxPayloadError

        sent: list[int] = []
        for group in batch.groups():
            for index in group:
                try:
                    body, headers = batch.events[index].body, headers_of(batch, index)
                    await self._client.publish(subject, body, headers=headers)
                except MaxPayloadError as error:
                    batch.refused[index] = str(error)
                    break
                sent.append(index)
        await self._client.flush(int(ENDPOINT_SEND_SECONDS_MAX))
        batch.delivered.update(sent)

    async def _send_to_stream(self, batch: Batch, subject: str) -> None:
        from nats.errors import MaxPayloadError
        from nats.js.errors import APIError, NoStreamResponseError

        stream = self._client.jetstream(timeout=STREAM_SECONDS_MAX)
        try:
            publish = partial(stream.publish, subject)
            await publish_each(
                batch,
                publish,
                publish_cloud_event=partial(publish, headers=CLOUD_EVENT_HEADERS),
                refusals=(MaxPayloadError, APIError),
            )
        except NoStreamResponseError as error:
            raise TargetError(str(error)) from error

    async def close(self) -> None:
        """Flush and close."""
        try:
            await self._client.close()
        finally:
            cut(self._client)


def headers_of(batch: Batch, index: int) -> dict[str, str] | None:
    """Return the headers of an event: none unless it is an envelope of CloudEvents."""
    return CLOUD_EVENT_HEADERS if batch.is_cloud_event(index) else None


def cut(client: "Client") -> None:
    """Close the socket that a failed client leaves open."""
    writer = getattr(client._transport, "_io_writer", None)
    if writer is not None:
        writer.transport.abort()
