"""kafka://host[:port][,host[:port]…]/topic: one producer for each cluster, records by object."""

import asyncio
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import Address, AddressError, first_name, host_and_port, split
from tile38py.endpoints.bootstrap import Broker, first_to_answer
from tile38py.endpoints.kafka_producer import (
    REQUEST_BYTES_MAX,
    TOPIC_SECONDS_MAX,
    TopicSender,
    abandon,
    find_partitions,
)
from tile38py.endpoints.kafka_transactions import (
    TRANSACTION_MILLISECONDS_MAX,
    TransactionalEndpoint,
    TransactionSettings,
)
from tile38py.endpoints.names import Names
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
    KIB,
    PRODUCER_LIFETIME_SECONDS_MAX,
)

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

PORT: Final = 9092
PRODUCE_SECONDS_MAX: Final = 10.0
METADATA_SECONDS: Final = 600
RETRY_MILLISECONDS: Final = 100
RECORD_BATCH_BYTES_MAX: Final = 256 * KIB  # of a record batch, unless a single event is larger
LOGINS: Final = frozenset({"", "none", "sasl", "tls"})
NO_TLS: Final = frozenset({"", "0", "f", "F", "FALSE", "false", "False"})
TRAITS: Final = Traits(
    extra="kafka",
    module="aiokafka",
    lifetime_seconds_max=PRODUCER_LIFETIME_SECONDS_MAX,
    send_seconds_max=TOPIC_SECONDS_MAX + PRODUCE_SECONDS_MAX + 1.0,
    batches_count_max=ENDPOINT_BATCHES_COUNT_MAX,
    linger_seconds=0.005,  # the Java client's
)


@endpoint("kafka", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Bootstrap brokers, topic and login."""

    brokers: tuple[Broker, ...]
    topic: str
    auth: str
    is_tls: bool
    mechanism: str
    files: TlsFiles
    transaction: TransactionSettings | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL. Files are read at the first send, which fails if they are unreadable."""
        address = split(url)
        words = {"malformed": "invalid kafka url", "bad_port": "invalid kafka url port"}
        places = [host_and_port(place, PORT, **words) for place in address.authority.split(",")]
        # A user may stand before a host, but means nothing.
        brokers = [(host.rpartition("@")[2], port) for host, port in places]
        if len(brokers) > 1 and not all(host for host, _ in brokers):
            raise AddressError("invalid kafka url")
        topic = first_name(address, "kafka topic")
        files = TlsFiles(address.option("cacert"), address.option("cert"), address.option("key"))
        auth = address.option("auth")
        if auth not in LOGINS:
            # Tile38 sends in plaintext then, whatever else the URL asks for.
            raise AddressError("invalid kafka auth value")
        return cls(
            brokers=tuple(brokers),
            topic=topic,
            auth=auth,
            is_tls=asks_for_tls(address, files),
            mechanism=mechanism_of(address),
            files=files,
            transaction=TransactionSettings.parse(address, topic),
        )

    @property
    def cluster(self) -> Hashable:
        """All settings but the topic. A producer of transactions has one topic."""
        return replace(self, topic="") if self.transaction is None else self

    async def connect(
        self, dependencies: EndpointDependencies
    ) -> "KafkaEndpoint | TransactionalEndpoint":
        """Start a producer: it reads the cluster's metadata."""
        from aiokafka import AIOKafkaProducer
        from aiokafka.errors import KafkaConnectionError

        login = self._login(dependencies.environment)
        host, port = await self._choose(dependencies.names, login)
        servers = f"{host}:{port}"
        producer = AIOKafkaProducer(
            bootstrap_servers=servers,
            client_id="tile38py",
            acks=1 if self.transaction is None else "all",
            transactional_id=None if self.transaction is None else self.transaction.id,
            transaction_timeout_ms=TRANSACTION_MILLISECONDS_MAX,
            request_timeout_ms=int(PRODUCE_SECONDS_MAX * 1000),
            metadata_max_age_ms=METADATA_SECONDS * 1000,
            retry_backoff_ms=RETRY_MILLISECONDS,
            max_batch_size=RECORD_BATCH_BYTES_MAX,
            max_request_size=REQUEST_BYTES_MAX,
            **login,
        )
        try:
            async with asyncio.timeout(ENDPOINT_CONNECT_SECONDS_MAX):
                await producer.start()
        except BaseException as error:
            await abandon(producer)
            if isinstance(error, KafkaConnectionError):
                await probe((host, port), login)
            raise
        if self.transaction is None:
            return KafkaEndpoint(producer)
        return await TransactionalEndpoint.open(
            producer, self.topic, self.transaction, {"bootstrap_servers": servers, **login}
        )

    async def _choose(self, names: Names, login: Mapping[str, object]) -> Broker:
        """Return the broker for the bootstrap."""

        async def find_and_probe(broker: Broker) -> None:
            await names.find(*broker)
            await probe(broker, login)

        if len(self.brokers) > 1:
            return await first_to_answer(self.brokers, find_and_probe)
        await names.find(*self.brokers[0])
        return self.brokers[0]

    def _login(self, environment: Mapping[str, str]) -> dict[str, object]:
        protocol = "SSL" if self.is_tls else "PLAINTEXT"
        words: dict[str, object] = {}
        if self.is_tls:
            words["ssl_context"] = self.files.context()
        if self.auth == "sasl":
            protocol = "SASL_SSL" if self.is_tls else "SASL_PLAINTEXT"
            words["sasl_mechanism"] = self.mechanism
            words["sasl_plain_username"] = environment.get("KAFKA_USERNAME", "")
            words["sasl_plain_password"] = environment.get("KAFKA_PASSWORD", "")
        return {**words, "security_protocol": protocol}


class KafkaEndpoint:
    """A producer, shared by all topics of a cluster."""

    def __init__(self, producer: "AIOKafkaProducer") -> None:
        self._producer = producer

    async def send(self, batch: Batch, target: Settings) -> None:
        """Send all events and wait until the leader of each partition has them."""
        from aiokafka.errors import (
            InvalidTopicError,
            TopicAuthorizationFailedError,
            UnknownTopicOrPartitionError,
        )

        assert isinstance(target, KafkaSettings)
        try:
            partitions = await find_partitions(self._producer, target.topic)
            sender = TopicSender(self._producer, target.topic, batch)
            await sender.send(batch.waiting(), partitions)
        except (
            InvalidTopicError,
            TopicAuthorizationFailedError,
            UnknownTopicOrPartitionError,
        ) as error:
            raise TargetError(str(error)) from error
        except asyncio.CancelledError:
            # Events would leave later, behind those that are sent anew.
            await abandon(self._producer)
            raise

    async def close(self) -> None:
        """Close; a send that ended well has left nothing to flush.

        What one that failed has left is dropped: it is in the hook's queue still, and must not
        arrive behind what the next producer sends.
        """
        await abandon(self._producer)


async def probe(broker: Broker, login: Mapping[str, object]) -> None:
    """Log in and close. Raises what a producer keeps to itself, which only says that it failed."""
    from aiokafka.conn import AIOKafkaConnection

    milliseconds = int(ENDPOINT_CONNECT_SECONDS_MAX * 1000)
    connection = AIOKafkaConnection(*broker, **{**login, "request_timeout_ms": milliseconds})
    try:
        await connection.connect()
    finally:
        connection.close()


def asks_for_tls(address: Address, files: TlsFiles) -> bool:
    """Whether a URL asks for TLS: by `auth=tls`, by `ssl`, or by files that only TLS needs."""
    ssl = address.option("ssl")
    if address.is_true("ssl") or address.option("auth") == "tls":
        return True
    if ssl not in NO_TLS:
        # Tile38 takes it for false; plaintext is no answer to a word that may have meant yes.
        raise AddressError("invalid kafka ssl value")
    return not ssl and files.is_any


def mechanism_of(address: Address) -> str:
    """Return the SASL mechanism of a URL."""
    if address.is_true("sha512"):
        return "SCRAM-SHA-512"
    return "SCRAM-SHA-256" if address.is_true("sha256") else "PLAIN"
