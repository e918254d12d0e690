"""amqp and amqps: an exchange named like the queue, publisher confirms."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import AddressError, decoded, split
from tile38py.endpoints.each import send_each
from tile38py.endpoints.registry import Surroundings, Traits, endpoint
from tile38py.interfaces import Batch

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange

PORTS: Final = {"amqp": 5672, "amqps": 5671}
PRIORITY_COUNT: Final = 256


@endpoint("amqp", "amqps", traits=Traits(extra="amqp", module="aio_pika"))
@dataclass(frozen=True, slots=True)
class AmqpSettings:
    """Broker, queue and the properties of what is declared and sent."""

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
        """One segment is the queue, of two the first is the virtual host."""
        address = split(url)
        segments = [segment for segment in address.segments[:2] if segment]
        if not segments:
            raise AddressError("missing AMQP queue name")
        names = [decoded(segment, "invalid AMQP queue name") for segment in segments]
        host = address.authority.rpartition("@")[2]
        port = host.partition(":")[2]
        if not host or (port and not port.isdigit()):
            raise AddressError("invalid AMQP url")

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

    async def connect(self, _surroundings: Surroundings) -> "AmqpEndpoint":
        """Log in and declare what is sent to."""
        from aio_pika import connect
        from yarl import URL

        url = URL(self.url, encoded=True)
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
            return AmqpEndpoint(self, connection, await self._declare(channel))
        except BaseException:
            await connection.close()
            raise

    async def _declare(self, channel: "AbstractChannel") -> "AbstractExchange":
        exchange = await channel.declare_exchange(
            self.queue,
            self.kind,
            durable=self.is_durable,
            auto_delete=self.is_deleted_when_unused,
            internal=self.is_internal,
        )
        if self.kind != "topic":
            queue = await channel.declare_queue(
                self.queue, durable=self.is_durable, auto_delete=self.is_deleted_when_unused
            )
            await queue.bind(exchange, self.route)
        return exchange


class AmqpEndpoint:
    """One connection with one channel."""

    def __init__(
        self, settings: AmqpSettings, connection: "AbstractConnection", exchange: "AbstractExchange"
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._exchange = exchange

    async def send(self, batch: Batch) -> None:
        """Publish all, then wait for the confirmations."""
        await send_each(batch, self._publish)

    async def _publish(self, body: bytes) -> None:
        from aio_pika import Message

        settings = self._settings
        message = Message(
            body,
            content_type="application/json",
            delivery_mode=settings.delivery_mode,
            priority=settings.priority or None,
        )
        await self._exchange.publish(
            message,
            settings.route,
            mandatory=settings.is_mandatory,
            immediate=settings.is_immediate,
        )

    async def close(self) -> None:
        """Close channel and connection."""
        await self._connection.close()


def integer(text: str, default: int) -> int:
    """A number, or the default for what isn't one."""
    try:
        return int(text)
    except ValueError:
        return default
