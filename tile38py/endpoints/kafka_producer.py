"""Sending batches of events to a topic of Kafka, with a producer that others may share."""

import asyncio
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tile38py._engine import QueuedEvent
from tile38py.endpoints.registry import TargetError
from tile38py.interfaces.delivery import Batch
from tile38py.limits import MIB

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer
    from aiokafka.producer.message_accumulator import BatchBuilder

TOPIC_SECONDS_MAX: Final = 5.0  # to learn where a topic is
ABANDON_SECONDS: Final = 0.05  # between two calls to a sender to end
REQUEST_BYTES_MAX: Final = MIB
RECORD_BYTES: Final = 100  # what a record and its batch occupy besides key and value, at most
KEYS_REMEMBERED_COUNT: Final = 65_536
FNV_START: Final = 0x811C9DC5
FNV_PRIME: Final = 0x01000193
UINT32: Final = 0xFFFFFFFF
CLOUD_EVENT_HEADERS: Final = (("content-type", b"application/cloudevents+json; charset=utf-8"),)
Keyed = tuple[int, bytes]  # an event's index in its batch and its record's key


class TopicSender:
    """Sends one batch to a topic."""

    def __init__(
        self,
        producer: "AIOKafkaProducer",
        topic: str,
        batch: Batch,
        sent: set[int] | None = None,
    ) -> None:
        self.sent = batch.delivered if sent is None else sent  # indexes of events
        self._producer = producer
        self._topic = topic
        self._batch = batch
        self._held: set[str] = set()  # hooks with a refused event: what follows it has to wait

    async def send(self, indexes: Sequence[int], partitions: Collection[int]) -> None:
        """Send each partition's events in order, those of different ones at the same time."""
        shares: dict[int, list[Keyed]] = {}
        for index in indexes:
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
                if self.sent is not self._batch.delivered:
                    raise  # of a transaction, none is sent
                if len(indexes) == 1:
                    self._refuse(indexes[0], str(error))
                else:
                    # This topic takes less than others do.
                    middle = len(part) // 2
                    await self._send_share(partition, part[:middle])
                    await self._send_share(partition, part[middle:])
            else:
                self.sent.update(indexes)

    def _packed(self, share: Sequence[Keyed]) -> tuple["BatchBuilder", list[int], int]:
        """Pack a record batch; return it, its events' indexes and the number of events used up."""
        record_batch = self._producer.create_batch()
        indexes: list[int] = []
        for count, (index, key) in enumerate(share):
            event = self._batch.events[index]
            size = record_size(key, event)
            if event.hook in self._held:
                continue
            if size > REQUEST_BYTES_MAX:
                self._refuse(index, f"a record of {size} bytes is too large for Kafka")
            elif not self._add(record_batch, key, index):
                return record_batch, indexes, count
            else:
                indexes.append(index)
        return record_batch, indexes, len(share)

    def _add(self, record_batch: "BatchBuilder", key: bytes, index: int) -> bool:
        """Add a record; return whether there was room."""
        event = self._batch.events[index]
        headers = list(CLOUD_EVENT_HEADERS) if self._batch.is_cloud_event(index) else []
        added = record_batch.append(timestamp=None, key=key, value=event.body, headers=headers)
        return added is not None

    def _refuse(self, index: int, reason: str) -> None:
        self._batch.refused[index] = reason
        self._held.add(self._batch.events[index].hook)


async def find_partitions(producer: "AIOKafkaProducer", topic: str) -> set[int]:
    """Return a topic's partitions; the broker may create the topic now."""
    try:
        async with asyncio.timeout(TOPIC_SECONDS_MAX):
            found: set[int] = await producer.partitions_for(topic)
            return found
    except TimeoutError:
        if any(broker.connected() for broker in producer.client._conns.values()):
            raise TargetError(f"no broker has the topic '{topic}'") from None
        raise


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


def record_size(key: bytes, event: QueuedEvent) -> int:
    """Return the most bytes that an event's record occupies."""
    return len(key) + len(event.body) + RECORD_BYTES


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
