"""kafka://host[:port][,host[:port]…]/topic: one producer for each cluster, records by object."""

import asyncio
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Self

from tile38py._engine import QueuedEvent
from tile38py.endpoints.address import Address, AddressError, first_name, host_and_port, split
from tile38py.endpoints.bootstrap import Broker, first_to_answer
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
    MIB,
    PRODUCER_LIFETIME_SECONDS_MAX,
)

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer
    from aiokafka.producer.message_accumulator import BatchBuilder

PORT: Final = 9092
PRODUCE_SECONDS_MAX: Final = 10.0
TOPIC_SECONDS_MAX: Final = 5.0  # to learn where a topic is
METADATA_SECONDS: Final = 600
RETRY_MILLISECONDS: Final = 100
ABANDON_SECONDS: Final = 0.05  # between two calls to a sender to end
REQUEST_BYTES_MAX: Final = MIB
RECORD_BYTES: Final = 100  # what a record and its batch occupy besides key and value, at most
RECORD_BATCH_BYTES_MAX: Final = 256 * KIB  # of a record batch, unless a single event is larger
LOGINS: Final = frozenset({"", "none", "sasl", "tls"})
NO_TLS: Final = frozenset({"", "0", "f", "F", "FALSE", "false", "False"})
KEYS_REMEMBERED_COUNT: Final = 65_536
FNV_START: Final = 0x811C9DC5
FNV_PRIME: Final = 0x01000193
UINT32: Final = 0xFFFFFFFF
CLOUD_EVENT_HEADERS: Final = (("content-type", b"application/cloudevents+json; charset=utf-8"),)
Keyed = tuple[int, bytes]  # an event's index in its batch and its record's key
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
        )

    @property
    def cluster(self) -> Hashable:
        """All settings but the topic."""
        return replace(self, topic="")

    async def connect(self, dependencies: EndpointDependencies) -> "KafkaEndpoint":
        """Start a producer: it reads the cluster's metadata."""
        from aiokafka import AIOKafkaProducer
        from aiokafka.errors import KafkaConnectionError

        login = self._login(dependencies.environment)
        host, port = await self._choose(dependencies.names, login)
        producer = AIOKafkaProducer(
            bootstrap_servers=f"{host}:{port}",
            client_id="tile38py",
            acks=1,
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
        return KafkaEndpoint(producer)

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
            partitions = await self._find(target.topic)
            await TopicSender(self._producer, target.topic, batch).send(partitions)
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

    async def _find(self, topic: str) -> set[int]:
        """Return a topic's partitions; the broker may create the topic now."""
        try:
            async with asyncio.timeout(TOPIC_SECONDS_MAX):
                found: set[int] = await self._producer.partitions_for(topic)
                return found
        except TimeoutError:
            if any(broker.connected() for broker in self._producer.client._conns.values()):
                raise TargetError(f"no broker has the topic '{topic}'") from None
            raise

    async def close(self) -> None:
        """Close; a send that ended well has left nothing to flush.

        What one that failed has left is dropped: it is in the hook's queue still, and must not
        arrive behind what the next producer sends.
        """
        await abandon(self._producer)


class TopicSender:
    """Sends one batch to a topic."""

    def __init__(self, producer: "AIOKafkaProducer", topic: str, batch: Batch) -> None:
        self._producer = producer
        self._topic = topic
        self._batch = batch
        self._held: set[str] = set()  # hooks with a refused event: what follows it has to wait

    async def send(self, partitions: Collection[int]) -> None:
        """Send each partition's events in order, those of different ones at the same time."""
        shares: dict[int, list[Keyed]] = {}
        for index in self._batch.waiting():
            key = record_key(self._batch.events[index])
            shares.setdefault(choose_partition(key, partitions), []).append((index, key))
        sends = (self._send_share(partition, share) for partition, share in shares.items())
        # When this ends, nothing of the batch is under way any more.
        for failure in await asyncio.gather(*sends, return_exceptions=True):
            if failure is not None:
                raise failure

    async def _send_share(self, partition: int, share: Sequence[Keyed]) -> None:
        """Send events to a partition, one record batch after the other."""
        from aiokafka.errors import MessageSizeTooLargeError

        while share:
            record_batch, indexes, count = self._packed(share)
            part, share = share[:count], share[count:]
            if not indexes:
                continue
            try:
                sent = await self._producer.send_batch(
                    record_batch, self._topic, partition=partition
                )
                await sent
            except MessageSizeTooLargeError as error:
                if len(indexes) == 1:
                    self._refuse(indexes[0], str(error))
                else:
                    # This topic takes less than others do.
                    middle = len(part) // 2
                    await self._send_share(partition, part[:middle])
                    await self._send_share(partition, part[middle:])
            else:
                self._batch.delivered.update(indexes)

    def _packed(self, share: Sequence[Keyed]) -> tuple["BatchBuilder", list[int], int]:
        """Pack a record batch; return it, its events' indexes and the number of events used up."""
        record_batch = self._producer.create_batch()
        indexes: list[int] = []
        for count, (index, key) in enumerate(share):
            event = self._batch.events[index]
            size = len(key) + len(event.body) + RECORD_BYTES
            if event.hook in self._held:
                continue
            if size > REQUEST_BYTES_MAX:
                self._refuse(index, f"a record of {size} bytes is too large for Kafka")
            elif not self._add(record_batch, key, event):
                return record_batch, indexes, count
            else:
                indexes.append(index)
        return record_batch, indexes, len(share)

    def _add(self, record_batch: "BatchBuilder", key: bytes, event: QueuedEvent) -> bool:
        """Add a record; return whether there was room."""
        options = self._batch.options.get(event.hook)
        is_cloud_event = options is not None and options.is_cloud_event
        headers = list(CLOUD_EVENT_HEADERS) if is_cloud_event else []
        added = record_batch.append(timestamp=None, key=key, value=event.body, headers=headers)
        return added is not None

    def _refuse(self, index: int, reason: str) -> None:
        self._batch.refused[index] = reason
        self._held.add(self._batch.events[index].hook)


async def probe(broker: Broker, login: Mapping[str, object]) -> None:
    """Log in and close. Raises what a producer keeps to itself, which only says that it failed."""
    from aiokafka.conn import AIOKafkaConnection

    milliseconds = int(ENDPOINT_CONNECT_SECONDS_MAX * 1000)
    connection = AIOKafkaConnection(*broker, **{**login, "request_timeout_ms": milliseconds})
    try:
        await connection.connect()
    finally:
        connection.close()


async def abandon(producer: "AIOKafkaProducer") -> None:
    """Close a producer without a flush: its own stop() waits for a broker that may be gone."""
    from aiokafka.errors import ProducerClosed

    sender, client = producer._sender, producer.client  # it offers no other way
    task: asyncio.Task[None] | None = sender.sender_task
    producer._message_accumulator.fail_all(ProducerClosed())
    if task is not None:
        task.cancel()
    try:
        await client.close()
    finally:
        while task is not None and not task.done():
            # It waits for requests under way; each further call ends one of these.
            task.cancel()
            await asyncio.wait([task], timeout=ABANDON_SECONDS)
    producer._closed = True  # or it complains when it is collected


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


def record_key(event: QueuedEvent) -> bytes:
    """Return the record key `key-id`, so that an object's events share a partition."""
    return f"{event.key}-{event.object_id}".encode()


@lru_cache(KEYS_REMEMBERED_COUNT)
def fnv1a(key: bytes) -> int:
    """The 32-bit FNV-1a hash."""
    value = FNV_START
    for byte in key:
        value = (value ^ byte) * FNV_PRIME & UINT32
    return value


def choose_partition(key: bytes, partitions: Collection[int]) -> int:
    """Choose the partition as Tile38 does, so that ids keep theirs after a migration."""
    value = fnv1a(key)
    signed = value - (1 << 32) if value >> 31 else value
    return sorted(partitions)[abs(signed) % len(partitions)]
