"""Consumer processes of hooks' messages, which count the messages and measure their delay."""

import asyncio
import multiprocessing
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

TIME = re.compile(rb'"time":"([^"]+)"')
RECEIVE_BYTES = 1 << 18
SAMPLE_STEP = 8  # messages per measured delay
SAMPLES_COUNT_MAX = 1_000_000
FETCH_COUNT = 4000
PAUSE_SECONDS = 0.2  # between two checks whether to end
STOP_SECONDS_MAX = 30.0


class PipeEnd(Protocol):
    """The consumer's end of the pipe to the benchmark."""

    def send(self, message: object, /) -> None:
        """Send a message to the benchmark."""

    def poll(self) -> bool:
        """Whether the benchmark sent a message."""


@dataclass
class ReceivedMessages:
    """The number of messages that a consumer received, and a sample of their delays."""

    count: int = 0
    delays: list[float] = field(default_factory=list)  # seconds

    def add(self, data: bytes) -> None:
        """Count the messages in some bytes and measure their delays."""
        now = time.time()
        times = TIME.findall(data)
        if len(self.delays) < SAMPLES_COUNT_MAX:
            start = -self.count % SAMPLE_STEP
            self.delays += [now - seconds_of(each) for each in times[start::SAMPLE_STEP]]
        self.count += len(times)


def seconds_of(text: bytes) -> float:
    """Return the Unix time of a message's time, which has up to nine decimals."""
    whole, dot, rest = text.decode().partition(".")
    if not dot:
        return datetime.fromisoformat(whole.replace("Z", "+00:00")).timestamp()
    digits = re.match("[0-9]+", rest)
    assert digits is not None
    zone = rest[digits.end() :].replace("Z", "+00:00")
    return datetime.fromisoformat(whole + zone).timestamp() + float(f"0.{digits[0]}")


def consume_redis(port: int, topic: str, pipe: PipeEnd) -> None:
    """Subscribe to a channel until the benchmark sends a message."""
    received = ReceivedMessages()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"SUBSCRIBE {topic}\r\n".encode())
        connection.recv(RECEIVE_BYTES)
        pipe.send("ready")
        connection.settimeout(PAUSE_SECONDS)
        rest = b""
        while not pipe.poll():
            try:
                data = rest + connection.recv(RECEIVE_BYTES)
            except TimeoutError:
                continue
            # Only complete messages are counted; each ends like this.
            whole = data.rfind(b"}\r\n") + 1
            received.add(data[:whole])
            rest = data[whole:]
    pipe.send(received)


def consume_kafka(port: int, topic: str, pipe: PipeEnd) -> None:
    """Read a topic until the benchmark sends a message."""
    asyncio.run(_consume_kafka(port, topic, pipe))


async def _consume_kafka(port: int, topic: str, pipe: PipeEnd) -> None:
    from aiokafka import AIOKafkaConsumer

    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=f"127.0.0.1:{port}", auto_offset_reset="earliest"
    )
    received = ReceivedMessages()
    await consumer.start()
    try:
        pipe.send("ready")
        while not pipe.poll():
            found = await consumer.getmany(timeout_ms=200, max_records=FETCH_COUNT)
            for messages in found.values():
                received.add(b"".join(message.value for message in messages))
    finally:
        await consumer.stop()
    pipe.send(received)


class Consumer:
    """A running consumer process."""

    def __init__(self, target: Callable[[int, str, PipeEnd], None], port: int, topic: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=target, args=(port, topic, other), daemon=True)
        self._process.start()
        assert self._pipe.recv() == "ready"

    def stop(self) -> ReceivedMessages:
        """Stop the consumer; return the messages that it received."""
        self._pipe.send("stop")
        assert self._pipe.poll(STOP_SECONDS_MAX), "the consumer doesn't answer"
        received = self._pipe.recv()
        assert isinstance(received, ReceivedMessages)
        self._process.join(STOP_SECONDS_MAX)
        return received
