"""mqtt://host[:port]/topic: MQTT 3.1.1; TLS for mqtts:// and when any of its files is named."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import (
    AddressError,
    decoded,
    first_name,
    host_and_port,
    number_of,
    split,
)
from tile38py.endpoints.publishing import publish_each
from tile38py.endpoints.registry import EndpointDependencies, Settings, Traits, endpoint
from tile38py.endpoints.security import TlsFiles
from tile38py.interfaces.delivery import Batch
from tile38py.limits import (
    ENDPOINT_BATCHES_COUNT_MAX,
    ENDPOINT_CONNECT_SECONDS_MAX,
    HOOK_BATCH_COUNT_MAX,
)

if TYPE_CHECKING:
    from aiomqtt import Client

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
KEEPALIVE_SECONDS: Final = 30
QOS_MAX: Final = 2
RETAINED_MAX: Final = 255  # a larger number has another error text
ID_PARTS: Final = (0, 8, 12, 16, 20, 32)  # positions of the dashes in a client id's digits


TRAITS: Final = Traits(
    extra="mqtt",
    module="aiomqtt",
    batches_count_max=ENDPOINT_BATCHES_COUNT_MAX,
    has_host=True,
)


@endpoint("mqtt", "mqtts", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class MqttSettings:
    """The broker, the topic and the quality of service of an mqtt URL."""

    host: str
    port: int
    is_tls: bool
    user: str | None
    password: str | None
    topic: str
    qos: int
    is_retained: bool
    files: TlsFiles

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL. All segments together are the topic; a final slash is part of it."""
        address = split(url)
        # The first colon is the port's: there can be a user, but no password.
        place, port = host_and_port(
            address.authority,
            PORTS[address.scheme],
            malformed="invalid MQTT url",
            bad_port="invalid MQTT url port",
        )
        user, at, host = place.rpartition("@")
        first_name(address, "MQTT topic")
        topic = "/".join(decoded(part, "invalid MQTT topic name") for part in address.segments)
        qos = number_of(address.option("qos", "0"), QOS_MAX)
        if qos is None:
            # Tile38 accepts values up to 255 and loses the events then.
            raise AddressError("invalid MQTT qos value")
        retained = number_of(address.option("retained", "0"), RETAINED_MAX)
        if retained is None:
            raise AddressError("invalid MQTT retained value")
        if retained > 1:
            raise AddressError("invalid MQTT retained, should be [0, 1]")
        files = TlsFiles(address.option("cacert"), address.option("cert"), address.option("key"))
        return cls(
            host=host,
            port=port,
            is_tls=address.scheme == "mqtts" or files.is_any,
            user=address.option("user") or (user if at else None),
            password=address.option("pass") or None,
            topic=topic,
            qos=qos,
            is_retained=retained == 1,
            files=files,
        )

    @property
    def cluster(self) -> Hashable:
        """The broker and the login."""
        return self.host, self.port, self.is_tls, self.user, self.password, self.files

    async def connect(self, dependencies: EndpointDependencies) -> "MqttEndpoint":
        """Connect with a client id that no other connection has."""
        from aiomqtt import Client, ProtocolVersion

        digits = dependencies.new_id()
        parts = [digits[at:end] for at, end in pairwise(ID_PARTS)]
        client = Client(
            self.host,
            self.port,
            username=self.user,
            password=self.password,
            identifier="-".join(["tile38", *parts]),
            protocol=ProtocolVersion.V311,
            clean_session=True,
            keepalive=KEEPALIVE_SECONDS,
            timeout=ENDPOINT_CONNECT_SECONDS_MAX,
            tls_context=self.files.context() if self.is_tls else None,
        )
        # The client warns of many pending calls, but a batch makes them on purpose.
        client.pending_calls_threshold = HOOK_BATCH_COUNT_MAX * ENDPOINT_BATCHES_COUNT_MAX
        await client.__aenter__()
        return MqttEndpoint(client)


class MqttEndpoint:
    """An MQTT session."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._sending: set[asyncio.Timeout] = set()
        client._disconnected.add_done_callback(self._note_end)  # the client has no public callback

    def _note_end(self, end: asyncio.Future[None]) -> None:
        """End all sends: the connection is lost, which the client's own calls wouldn't notice."""
        if not end.cancelled():
            end.exception()  # else asyncio reports that nobody retrieved it
        for deadline in self._sending:
            deadline.reschedule(0)

    async def send(self, batch: Batch, target: Settings) -> None:
        """Publish all events; wait until they are written (QoS 0) or acknowledged (1 and 2)."""
        assert isinstance(target, MqttSettings)
        try:
            async with asyncio.timeout(None) as deadline:
                self._sending.add(deadline)
                try:
                    await publish_each(batch, partial(self._publish, target))
                finally:
                    self._sending.discard(deadline)
        except TimeoutError:
            raise ConnectionError("connection lost") from None

    async def _publish(self, target: MqttSettings, body: bytes) -> None:
        await self._client.publish(target.topic, body, qos=target.qos, retain=target.is_retained)

    async def close(self) -> None:
        """Disconnect."""
        await self._client.__aexit__(None, None, None)
