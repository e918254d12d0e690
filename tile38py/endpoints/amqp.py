"""amqp and amqps: an exchange named like the queue, publisher confirms."""

from collections.abc import Coroutine, Hashable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, Self

from tile38py.endpoints.address import AddressError, decoded, first_name, split
from tile38py.endpoints.event_request import CLOUD_EVENT_TYPE
from tile38py.endpoints.publishing import publish_each
from tile38py.endpoints.registry import (
    EndpointDependencies,
    Settings,
    TargetError,
    Traits,
    endpoint,
)
from tile38py.interfaces.delivery import Batch
from tile38py.limits import ENDPOINT_BATCHES_COUNT_MAX, ENDPOINT_TARGETS_COUNT_MAX

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange

PORTS: Final = {"amqp": 5672, "amqps": 5671}
PRIORITY_COUNT: Final = 256


TRAITS: Final = Traits(
    extra="amqp",
    module="aio_pika",
    batches_count_max=ENDPOINT_BATCHES_COUNT_MAX,
    has_host=True,
)


@endpoint("amqp", "amqps", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class AmqpSettings:
    """Broker, queue, and the properties of declarations and messages."""

    url: str  # without path and query
    vhost: str
    queue: str
    route: str
    kind: str
    is_durable: bool
    is_deleted_when_unused: bool
    is_internal: bool
    is_mandatory: bool
    is_immediate: bool
    delivery_mode: int
    priority: int

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL: the last of two segments is the queue, the first the virtual host."""
        address = split(url)
        names = [first_name(address, "AMQP queue")]
        if len(address.segments) > 1:
            names.append(decoded(address.segments[1], "invalid AMQP queue name"))
        if not names[-1]:
            names.pop()

        def flag(name: str, *, default: bool) -> bool:
            return address.is_set(name) if name in address.query else default

        return cls(
            url=f"{address.scheme}://{address.authority}",
            vhost=names[0] if len(names) > 1 else "/",
            queue=names[-1],
            route=address.option("route", "tile38"),
            kind=address.option("type", "direct"),
            is_durable=flag("durable", default=True),
            is_deleted_when_unused=flag("auto_delete", default=False),
            is_internal=flag("internal", default=False),
            is_mandatory=flag("mandatory", default=False),
            is_immediate=flag("immediate", default=False),
            delivery_mode=integer(address.option("delivery_mode"), 1),
            priority=integer(address.option("priority"), 0) % PRIORITY_COUNT,
        )

    @property
    def cluster(self) -> Hashable:
        """Broker, login and virtual host."""
        return self.url, self.vhost, self.is_immediate

    async def connect(self, _dependencies: EndpointDependencies) -> "AmqpEndpoint":
        """Log in."""
        from aio_pika import connect
        from yarl import URL

        try:
            url = URL(self.url, encoded=True)
        except ValueError as error:
            # Tile38 looks at host and port only here.
            raise AddressError("invalid AMQP url") from error
        connection = await connect(
            host=url.host or "",
            port=url.explicit_port or PORTS[url.scheme],
            login=url.user or "guest",
            password=url.password or "guest",
            virtualhost=self.vhost,
            ssl=url.scheme == "amqps",
        )
        try:
            channel = await connection.channel(publisher_confirms=True)
            return AmqpEndpoint(connection, channel)
        except BaseException:
            await connection.close()
            raise

    async def declare(self, connection: "AbstractConnection") -> None:
        """Declare an exchange named like the queue, and the queue.

        Raises TargetError if there is neither one nor the permission to make it.
        """

        async def exchange(channel: "AbstractChannel", *, passive: bool) -> None:
            await channel.declare_exchange(
                self.queue,
                self.kind,
                durable=self.is_durable,
                auto_delete=self.is_deleted_when_unused,
                internal=self.is_internal,
                passive=passive,
            )

        async def queue(channel: "AbstractChannel", *, passive: bool) -> None:
            await channel.declare_queue(
                self.queue,
                durable=self.is_durable,
                auto_delete=self.is_deleted_when_unused,
                passive=passive,
            )

        async def binding(channel: "AbstractChannel", *, passive: bool) -> None:
            if not passive:  # nobody can ask whether there is one
                place = await channel.get_queue(self.queue, ensure=False)
                await place.bind(self.queue, self.route)

        await declare_or_find(connection, exchange)
        if self.kind != "topic":
            await declare_or_find(connection, queue)
            await declare_or_find(connection, binding)


class AmqpEndpoint:
    """One connection, with one channel to publish on."""

    def __init__(self, connection: "AbstractConnection", channel: "AbstractChannel") -> None:
        self._connection = connection
        self._channel = channel
        self._exchanges: dict[AmqpSettings, AbstractExchange] = {}

    async def send(self, batch: Batch, target: Settings) -> None:
        """Publish all, then wait for the confirmations."""
        from aio_pika.exceptions import DeliveryError

        assert isinstance(target, AmqpSettings)
        exchange = self._exchanges.get(target) or await self._prepare(target)
        publish = partial(self._publish, exchange, target)
        await publish_each(
            batch,
            publish,
            publish_cloud_event=partial(publish, content_type=CLOUD_EVENT_TYPE),
            refusals=(DeliveryError,),
        )

    async def _prepare(self, target: AmqpSettings) -> "AbstractExchange":
        await target.declare(self._connection)
        if len(self._exchanges) >= ENDPOINT_TARGETS_COUNT_MAX:
            self._exchanges.clear()
        exchange = await self._channel.get_exchange(target.queue, ensure=False)
        self._exchanges[target] = exchange
        return exchange

    async def _publish(
        self,
        exchange: "AbstractExchange",
        settings: AmqpSettings,
        body: bytes,
        *,
        content_type: str = "application/json",
    ) -> None:
        from aio_pika import Message

        message = Message(
            body,
            content_type=content_type,
            delivery_mode=settings.delivery_mode,
            priority=settings.priority or None,
        )
        await exchange.publish(
            message,
            settings.route,
            mandatory=settings.is_mandatory,
            immediate=settings.is_immediate,
        )

    async def close(self) -> None:
        """Close channel and connection."""
        await self._connection.close()


class Declaration(Protocol):
    """Declares something on a channel, or only finds it, if passive."""

    def __call__(
        self, channel: "AbstractChannel", /, *, passive: bool
    ) -> Coroutine[object, object, None]:
        """Declare or find it. Raises the broker's refusal."""


async def declare_or_find(connection: "AbstractConnection", declare: Declaration) -> None:
    """Declare something; find it where it exists with other arguments or may not be configured.

    Raises TargetError for any other refusal, and if it can't be found.
    """
    from aio_pika.exceptions import ChannelClosed
    from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed

    # On channels of their own: the broker closes a channel with each refusal.
    try:
        async with connection.channel() as channel:
            await declare(channel, passive=False)
    except (ChannelAccessRefused, ChannelPreconditionFailed) as refusal:
        try:
            async with connection.channel() as channel:
                await declare(channel, passive=True)
        except ChannelClosed:
            raise TargetError(str(refusal)) from refusal
    except ChannelClosed as error:
        raise TargetError(str(error)) from error


def integer(text: str, default: int) -> int:
    """A number, or the default for what isn't one."""
    try:
        return int(text)
    except ValueError:
        return default
