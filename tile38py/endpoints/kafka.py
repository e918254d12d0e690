"""kafka://host[:port]/topic: one producer for each cluster, events keyed by key and id."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import Address, first_name, host_and_port, split
from tile38py.endpoints.event import subject_of
from tile38py.endpoints.registry import (
    Settings,
    Surroundings,
    TargetError,
    Traits,
    endpoint,
)
from tile38py.endpoints.security import TlsFiles
from tile38py.interfaces import Batch
from tile38py.limits import (
    ENDPOINT_BATCHES_COUNT_MAX,
    ENDPOINT_CONNECT_SECONDS_MAX,
    MIB,
    PRODUCER_LIFETIME_SECONDS_MAX,
)

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

PORT: Final = 9092
PRODUCE_SECONDS_MAX: Final = 10.0
TOPIC_SECONDS_MAX: Final = 5.0  # to learn where a topic is
METADATA_SECONDS: Final = 600
RETRY_MILLISECONDS: Final = 100
ABANDON_SECONDS: Final = 0.05  # between two calls to a sender to end
RECORD_BYTES_MAX: Final = MIB
KEYS_REMEMBERED_COUNT: Final = 65_536
FNV_START: Final = 0x811C9DC5
FNV_PRIME: Final = 0x01000193
UINT32: Final = 0xFFFFFFFF
TRAITS: Final = Traits(
    extra="kafka",
    module="aiokafka",
    lifetime_seconds_max=PRODUCER_LIFETIME_SECONDS_MAX,
    send_seconds_max=TOPIC_SECONDS_MAX + PRODUCE_SECONDS_MAX + 1.0,
    batches_count_max=ENDPOINT_BATCHES_COUNT_MAX,
    has_host=True,
)


@endpoint("kafka", traits=TRAITS)
@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Bootstrap address, topic and how to log in."""

    host: str
    port: int
    topic: str
    auth: str
    is_ssl: bool
    mechanism: str
    files: TlsFiles

    @classmethod
    def parse(cls, url: str) -> Self:
        """Unreadable files fail the send, not the hook."""
        address = split(url)
        host, port = host_and_port(address.authority, PORT, "kafka")
        files = TlsFiles(address.option("cacert"), address.option("cert"), address.option("key"))
        return cls(
            host=host,
            port=port,
            topic=first_name(address, "kafka topic"),
            auth=address.option("auth"),
            # Without a known `auth`, `ssl` is ignored.
            is_ssl=address.is_true("ssl") and address.option("auth") in {"none", "sasl"},
            mechanism=mechanism_of(address),
            files=files,
        )

    @property
    def cluster(self) -> Hashable:
        """Bootstrap address and login: all but the topic."""
        return replace(self, topic="")

    async def connect(self, surroundings: Surroundings) -> "KafkaEndpoint":
        """Start a producer: it reads the cluster's metadata."""
        from aiokafka import AIOKafkaProducer
        from aiokafka.errors import KafkaConnectionError

        login = self._login(surroundings.environment)
        producer = AIOKafkaProducer(
            bootstrap_servers=f"{self.host}:{self.port}",
            client_id="tile38py",
            acks=1,
            request_timeout_ms=int(PRODUCE_SECONDS_MAX * 1000),
            metadata_max_age_ms=METADATA_SECONDS * 1000,
            retry_backoff_ms=RETRY_MILLISECONDS,
            max_request_size=RECORD_BYTES_MAX,
            partitioner=choose_partition,
            **login,
        )
        try:
            async with asyncio.timeout(ENDPOINT_CONNECT_SECONDS_MAX):
                await producer.start()
        except BaseException as error:
            await abandon(producer)
            if isinstance(error, KafkaConnectionError):
                await self._tell_why(login)
            raise
        return KafkaEndpoint(producer)

    async def _tell_why(self, login: Mapping[str, object]) -> None:
        """Fail as a connection does: a producer says no more than that it got none."""
        from aiokafka.conn import AIOKafkaConnection

        milliseconds = int(ENDPOINT_CONNECT_SECONDS_MAX * 1000)
        words = {**login, "request_timeout_ms": milliseconds}
        connection = AIOKafkaConnection(self.host, self.port, **words)
        try:
            await connection.connect()
        finally:
            connection.close()

    def _login(self, environment: Mapping[str, str]) -> dict[str, object]:
        is_tls = self.is_ssl or self.auth == "tls"
        protocol = "SSL" if is_tls else "PLAINTEXT"
        words: dict[str, object] = {}
        if is_tls:
            files = self.files if self.auth == "tls" else TlsFiles(self.files.authority)
            words["ssl_context"] = files.context()
        if self.auth == "sasl":
            protocol = "SASL_SSL" if is_tls else "SASL_PLAINTEXT"
            words["sasl_mechanism"] = self.mechanism
            words["sasl_plain_username"] = environment.get("KAFKA_USERNAME", "")
            words["sasl_plain_password"] = environment.get("KAFKA_PASSWORD", "")
        return {**words, "security_protocol": protocol}


class KafkaEndpoint:
    """A producer."""

    def __init__(self, producer: "AIOKafkaProducer") -> None:
        self._producer = producer

    async def send(self, batch: Batch, target: Settings) -> None:
        """Hand all over, then wait until the leader of each partition has them."""
        from aiokafka.errors import (
            InvalidTopicError,
            TopicAuthorizationFailedError,
            UnknownTopicOrPartitionError,
        )

        assert isinstance(target, KafkaSettings)
        try:
            await self._find(target.topic)
            await self._send(batch, target.topic)
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

    async def _find(self, topic: str) -> None:
        """Learn where a topic is; the broker may make it now."""
        try:
            async with asyncio.timeout(TOPIC_SECONDS_MAX):
                await self._producer.partitions_for(topic)
        except TimeoutError:
            if any(link.connected() for link in self._producer.client._conns.values()):
                raise TargetError(f"no broker has the topic '{topic}'") from None
            raise

    async def _send(self, batch: Batch, topic: str) -> None:
        from aiokafka.errors import MessageSizeTooLargeError

        pending: list[tuple[int, asyncio.Future[object]]] = []
        for group in batch.groups():
            for index in group:
                body = batch.messages[index].body
                try:
                    sent = await self._producer.send(topic, body, record_key(body))
                except MessageSizeTooLargeError as error:
                    batch.refused[index] = str(error)
                    break
                # Whatever ends this send, somebody has looked at what became of it.
                sent.add_done_callback(look_at)
                pending.append((index, sent))
        if not pending:
            return
        await asyncio.wait([sent for _, sent in pending])
        failures: list[BaseException] = []
        for index, sent in pending:
            failure = sent.exception()
            if failure is None:
                batch.delivered.add(index)
            elif isinstance(failure, MessageSizeTooLargeError):
                batch.refused[index] = str(failure)
            else:
                failures.append(failure)
        if failures:
            raise failures[0]

    async def close(self) -> None:
        """Close; a send that ended well has left nothing to flush.

        What one that failed has left is dropped: it is in the hook's queue still, and must not
        arrive behind what the next producer sends.
        """
        await abandon(self._producer)


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


def look_at(sent: "asyncio.Future[object]") -> None:
    """Take note of a failure, so that asyncio doesn't report it as overlooked."""
    if not sent.cancelled():
        sent.exception()


def mechanism_of(address: Address) -> str:
    """The SASL mechanism that a URL asks for."""
    if address.is_true("sha512"):
        return "SCRAM-SHA-512"
    return "SCRAM-SHA-256" if address.is_true("sha256") else "PLAIN"


def record_key(body: bytes) -> bytes:
    """`key-id`, so that an object's events stay on one partition."""
    subject = subject_of(body)
    return f"{subject.key}-{subject.object_id}".encode()


@lru_cache(KEYS_REMEMBERED_COUNT)
def fnv1a(key: bytes) -> int:
    """The 32-bit FNV-1a hash."""
    value = FNV_START
    for byte in key:
        value = (value ^ byte) * FNV_PRIME & UINT32
    return value


def choose_partition(
    key: bytes, partitions: Sequence[int], _available: Sequence[int] | None = None
) -> int:
    """Tile38's choice, so that ids stay on their partitions after a move from there."""
    value = fnv1a(key)
    signed = value - (1 << 32) if value >> 31 else value
    return sorted(partitions)[abs(signed) % len(partitions)]
