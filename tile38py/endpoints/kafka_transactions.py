"""kafka://…?transactional=yes: events and the hooks' progress in one transaction.

A compacted topic has the number of each hook's last event. It is read when the producer starts,
after the broker has ended what a former producer with the same transactional id left behind: so
after any kill, events up to there are known to be delivered, and no other is.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from tile38py.endpoints.address import Address, AddressError
from tile38py.endpoints.kafka_producer import (
    REQUEST_BYTES_MAX,
    TopicSender,
    abandon,
    find_partitions,
    record_key,
    record_size,
)
from tile38py.endpoints.registry import Settings, TargetError
from tile38py.interfaces.delivery import Batch

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

TRANSACTION_MILLISECONDS_MAX: Final = 15_000  # after which the broker aborts a transaction
PROGRESS_SECONDS_MAX: Final = 30.0  # to read the progress of all hooks
POLL_MILLISECONDS: Final = 200
PROGRESS_COPIES_MAX: Final = 3  # of the topic, where there are so many brokers
PROGRESS_SUFFIX: Final = "-progress"
SWITCHES: Final = {"": False, "no": False, "yes": True}
Progress = tuple[int, int]  # the time of a hook's first event, the number of its last one


@dataclass(frozen=True, slots=True)
class TransactionSettings:
    """The identity of a producer, and the topic of its progress."""

    id: str
    progress_topic: str

    @classmethod
    def parse(cls, address: Address, topic: str) -> Self | None:
        """Parse a URL; None if it asks for no transactions. Raises AddressError."""
        is_on = SWITCHES.get(address.option("transactional"))
        if is_on is None:
            raise AddressError("invalid kafka transactional value")
        if not is_on:
            return None
        name = address.option("id") or topic
        return cls(f"tile38py-{name}", address.option("progress") or name + PROGRESS_SUFFIX)


class TransactionalEndpoint:
    """A producer that sends each batch in a transaction, to one topic."""

    def __init__(
        self,
        producer: "AIOKafkaProducer",
        topic: str,
        progress_topic: str,
        progress: dict[str, Progress],
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._progress_topic = progress_topic
        self._progress = progress
        self._lock = asyncio.Lock()  # a producer has one transaction at a time

    @classmethod
    async def open(
        cls,
        producer: "AIOKafkaProducer",
        topic: str,
        settings: TransactionSettings,
        connection: Mapping[str, object],
    ) -> Self:
        """Read the progress of all hooks. The producer has started, which ended transactions."""
        try:
            await make_compacted(settings.progress_topic, connection)
            async with asyncio.timeout(PROGRESS_SECONDS_MAX):
                progress = await read_progress(settings.progress_topic, connection)
        except BaseException:
            await abandon(producer)
            raise
        return cls(producer, topic, settings.progress_topic, progress)

    async def send(self, batch: Batch, target: Settings) -> None:
        """Send the events that Kafka doesn't have yet, all or none."""
        del target
        async with self._lock:
            waiting = self._without_delivered(batch)
            if not waiting:
                return
            try:
                await self._send(batch, waiting)
            except asyncio.CancelledError:
                await abandon(self._producer)
                raise

    def _without_delivered(self, batch: Batch) -> list[int]:
        """Mark the events that Kafka has; return the others, up to each hook's first refused."""
        waiting: list[int] = []
        held: set[str] = set()
        for index in batch.waiting():
            event = batch.events[index]
            began_ns, last = self._progress.get(event.hook, (0, 0))
            if event.sequence and began_ns == event.began_ns and event.sequence <= last:
                batch.delivered.add(index)
            elif event.hook in held:
                continue
            elif (size := record_size(record_key(event), event)) > REQUEST_BYTES_MAX:
                batch.refused[index] = f"a record of {size} bytes is too large for Kafka"
                held.add(event.hook)
            else:
                waiting.append(index)
        return waiting

    async def _send(self, batch: Batch, waiting: Sequence[int]) -> None:
        from aiokafka.errors import (
            InvalidTopicError,
            MessageSizeTooLargeError,
            ProducerFenced,
            TopicAuthorizationFailedError,
            UnknownTopicOrPartitionError,
        )

        producer = self._producer
        progress = self._progress_of(batch, waiting)
        await producer.begin_transaction()
        try:
            partitions = await find_partitions(producer, self._topic)
            sent: set[int] = set()
            await TopicSender(producer, self._topic, batch, sent).send(waiting, partitions)
            await self._send_progress(progress)
        except (
            InvalidTopicError,
            TargetError,
            TopicAuthorizationFailedError,
            UnknownTopicOrPartitionError,
        ) as error:
            await producer.abort_transaction()
            raise TargetError(str(error)) from error
        except MessageSizeTooLargeError as error:
            # The producer can't go on: the broker expects the records that it has refused.
            reason = "an event is too large for the topic"
            if len(waiting) == 1:
                batch.refused[waiting[0]] = reason
            raise ConnectionError(reason) from error
        except ProducerFenced as error:
            raise ConnectionError("another server sends with the same id: see id=") from error
        # If this fails, the outcome is unknown until the next producer has read the progress.
        await producer.commit_transaction()
        self._progress.update(progress)
        batch.delivered.update(waiting)

    def _progress_of(self, batch: Batch, waiting: Sequence[int]) -> dict[str, Progress]:
        """Return the progress of the hooks once these events are delivered."""
        events = (batch.events[index] for index in waiting)
        return {event.hook: (event.began_ns, event.sequence) for event in events if event.sequence}

    async def _send_progress(self, progress: Mapping[str, Progress]) -> None:
        """Send the progress of hooks, all in few record batches: there may be thousands."""
        producer = self._producer
        send = partial(producer.send_batch, topic=self._progress_topic, partition=0)
        record_batch, sent = producer.create_batch(), []
        for hook, (began_ns, sequence) in progress.items():
            key = hook.encode("utf-8", "surrogateescape")
            value = json.dumps({"began": began_ns, "sequence": sequence}).encode()
            if record_batch.append(timestamp=None, key=key, value=value) is None:
                sent.append(await send(record_batch))
                record_batch = producer.create_batch()
                record_batch.append(timestamp=None, key=key, value=value)
        sent.append(await send(record_batch))
        await asyncio.gather(*sent)

    async def close(self) -> None:
        """Close. What is under way ends with the transaction that the broker aborts."""
        await abandon(self._producer)


async def make_compacted(topic: str, connection: Mapping[str, object]) -> None:
    """Create the topic of the progress, unless it exists."""
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic
    from aiokafka.errors import TopicAlreadyExistsError, for_code

    admin = AIOKafkaAdminClient(client_id="tile38py", **connection)
    await admin.start()
    try:
        brokers = (await admin.describe_cluster())["brokers"]
        copies = min(len(brokers), PROGRESS_COPIES_MAX)
        configs = {"cleanup.policy": "compact"}
        wanted = NewTopic(topic, 1, copies, topic_configs=configs)
        response = await admin.create_topics([wanted])
        for name, code, *_ in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise TargetError(f"the topic '{name}' cannot be created: {error.__name__}")
    finally:
        await admin.close()


async def read_progress(topic: str, connection: Mapping[str, object]) -> dict[str, Progress]:
    """Return the committed progress of all hooks."""
    from aiokafka import AIOKafkaConsumer, TopicPartition

    consumer = AIOKafkaConsumer(
        client_id="tile38py",
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **connection,
    )
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        return await _read_until(consumer, partition, end)
    finally:
        await consumer.stop()


async def _read_until(
    consumer: "AIOKafkaConsumer", partition: object, end: int
) -> dict[str, Progress]:
    progress: dict[str, Progress] = {}
    while await consumer.position(partition) < end:
        found = await consumer.getmany(partition, timeout_ms=POLL_MILLISECONDS)
        for record in found.get(partition, ()):
            if record.key is not None and record.value is not None:
                value = json.loads(record.value)
                hook = record.key.decode("utf-8", "surrogateescape")
                progress[hook] = value["began"], value["sequence"]
    return progress
