"""Measure hooks: 70,000 on one key, 1,000 objects that move through them, and a real broker.

    python -m benchmarks.hooks                                  # Redis
    python -m benchmarks.hooks --endpoint kafka
    python -m benchmarks.hooks --hooks 70000 --events 2000000   # the defaults
    python -m benchmarks.hooks --quick                          # a smoke test

Every SET moves an object into a fence or out of one, so that it causes one message. RESULTS.md
has results. Needs a release build and the broker: .ci/brokers.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from benchmarks.consumers import Consumer, consume_kafka, consume_redis
from benchmarks.generators import ClientSettings, run_prepared
from benchmarks.report import WHOLE_FROM
from benchmarks.servers import MeasuredServer, ours, refuse_debug_build
from tests.support.brokers import Broker, redis_broker
from tests.support.kafka import kafka_broker
from tests.support.resp import Connection, encode_command, encode_words

OBJECTS = 1000
RADIUS_METERS = 5000
STEP_DEGREES = 0.0001  # about ten meters
STAY = 10  # SETs per message in the phase where not every SET causes one
LATITUDES = (-60.0, 60.0)
BATCH_COUNT = 200  # commands in one write
PACE_SECONDS = 0.005  # between two writes when the load is steady
HALF_LOAD_SECONDS = 20.0
PACE_MAX = 15_000.0  # events per second while delays are measured: half of the target rate
FLOOD_SHARE = 0.2  # share of the events that are sent at full speed
SAMPLES = 10  # of the memory in the long run
CLIENTS = 50
CLIENT_MOVES = 20  # different moves of each object in the phase with many clients
IDLE_SECONDS_MAX = 120.0
MIB = 1 << 20
Moves = Callable[[int, int], list[bytes]]  # returns count moves from a start on
TOPIC = "hooks"


@dataclass(frozen=True)
class FencePlace:
    """The center of a fence, and a point beside it that lies in no fence."""

    latitude: float
    longitude: float
    beside: float  # longitude of the point outside


class FenceGrid:
    """Fences in rows around the earth, none of which touches another."""

    def __init__(self, count: int) -> None:
        self.places: list[FencePlace] = []
        rows = max(int((count / 3) ** 0.5), 1)
        columns = -(-count // rows)
        step = 360 / columns
        height = (LATITUDES[1] - LATITUDES[0]) / rows
        for index in range(count):
            row, column = divmod(index, columns)
            latitude = round(LATITUDES[0] + (row + 0.5) * height, 6)
            longitude = round(-180 + (column + 0.25) * step, 6)
            self.places.append(FencePlace(latitude, longitude, round(longitude + step / 2, 6)))

    def moves(self, key: str, start: int, count: int, stay: int = 1) -> list[bytes]:
        """Return count SETs from a start on: each object enters a fence, leaves it, enters another.

        An object stays inside or outside for `stay` SETs, moving by ten meters each time.
        """
        commands: list[bytes] = []
        for number in range(start, start + count):
            position, identity = divmod(number, OBJECTS)
            visit, step = divmod(position, stay)
            place = self.places[(identity * 71 + (visit // 2) * 13) % len(self.places)]
            longitude = (place.beside if visit % 2 else place.longitude) + step * STEP_DEGREES
            point = (str(place.latitude), f"{longitude:.6f}")
            words = ("SET", key, f"o{stay}-{identity}", "POINT", *point)
            commands.append(encode_command([word.encode() for word in words]))
        return commands


class Measurements:
    """The results, each printed at once."""

    def __init__(self, name: str) -> None:
        self.rows: list[tuple[str, str]] = []
        self._name = name

    def add(self, what: str, value: float, unit: str) -> None:
        """Add and print a result."""
        shown = f"{value:,.0f}" if value >= WHOLE_FROM else f"{value:.3g}"
        self.rows.append((what, f"{shown} {unit}"))
        print(f"{self._name:<8} {what:<48} {shown:>12} {unit}", flush=True)


def send_all(connection: Connection, data: bytes, count: int, reply: bytes = b"+OK\r\n") -> None:
    """Send commands and wait for their replies, all of which have to be equal."""
    connection.send(data)
    left = count * len(reply)
    while left > 0:
        got = connection.socket.recv(1 << 16)
        assert got, "the server closed the connection"
        assert got[:1] in reply, f"the server refused: {got[:200]!r}"
        left -= len(got)


def batches(start: int, count: int) -> Iterator[tuple[int, int]]:
    """Yield the first number and the size of each batch."""
    for first in range(start, start + count, BATCH_COUNT):
        yield first, min(BATCH_COUNT, start + count - first)


def register(server: MeasuredServer, grid: FenceGrid, url: str) -> float:
    """Create all hooks; return the hooks per second."""
    with server.connect() as connection:
        started = time.perf_counter()
        for first, size in batches(0, len(grid.places)):
            data = b"".join(
                encode_words(hook_words(index, grid, url)) for index in range(first, first + size)
            )
            send_all(connection, data, size, b":1\r\n")
        return len(grid.places) / (time.perf_counter() - started)


def hook_words(index: int, grid: FenceGrid, url: str) -> Sequence[str | float]:
    """Return the words of a SETHOOK."""
    place = grid.places[index]
    fence = ("NEARBY", "fleet", "FENCE", "DETECT", "enter,exit", "POINT")
    circle = (place.latitude, place.longitude, RADIUS_METERS)
    return ("SETHOOK", f"hook{index:06}", url, *fence, *circle)


def flood(server: MeasuredServer, moves: Moves, start: int, count: int) -> float:
    """Send SETs on one connection as fast as possible; return the SETs per second."""
    prepared = [(b"".join(moves(first, size)), size) for first, size in batches(start, count)]
    with server.connect() as connection:
        started = time.perf_counter()
        for data, size in prepared:
            send_all(connection, data, size)
        return count / (time.perf_counter() - started)


def many_clients(server: MeasuredServer, grid: FenceGrid, key: str, count: int) -> float:
    """Send SETs from clients that wait for each reply; return the SETs per second."""
    commands = grid.moves(key, 0, CLIENT_MOVES * OBJECTS)
    setting = ClientSettings(clients=CLIENTS, pipeline=1, requests=count, ids=OBJECTS)
    return run_prepared(server.address, commands, count, setting)


def steady(server: MeasuredServer, grid: FenceGrid, start: int, count: int, rate: float) -> None:
    """Send SETs at a rate per second."""
    size = max(int(rate * PACE_SECONDS), 1)
    with server.connect() as connection:
        began = time.perf_counter()
        for first in range(start, start + count, size):
            now = min(size, start + count - first)
            send_all(connection, b"".join(grid.moves("fleet", first, now)), now)
            ahead = began + (first + now - start) / rate - time.perf_counter()
            if ahead > 0:
                time.sleep(ahead)


def sent(server: MeasuredServer) -> int:
    """Return the number of messages that were delivered since the server's start."""
    with server.connect() as connection:
        lines = str(connection.call("INFO", "stats")).splitlines()
    found = dict(line.partition(":")[::2] for line in lines)
    return int(found["total_messages_sent"])


def wait_for(server: MeasuredServer, count: int) -> None:
    """Wait until so many messages were delivered."""
    deadline = time.monotonic() + IDLE_SECONDS_MAX
    while (now := sent(server)) < count:
        assert time.monotonic() < deadline, f"{now} of {count} messages were delivered"
        time.sleep(0.02)


def resident(server: MeasuredServer) -> float:
    """Return the resident memory of a server in megabytes."""
    return (server.resident_bytes() or 0) / MIB


def run_phases(server: MeasuredServer, broker: Broker, options: argparse.Namespace) -> None:
    """Run all phases in order. Each continues with the positions where the last one ended."""
    measurements, grid = Measurements(options.endpoint), FenceGrid(options.hooks)
    moves = partial(grid.moves, "fleet")
    url = f"{options.endpoint}://127.0.0.1:{broker.port}/{TOPIC}"
    with server.connect() as connection:
        # A dropped message is never delivered: wait_for() would fail.
        assert connection.call("CONFIG", "SET", "hook-queue-ttl", "0") == "+OK"
        assert connection.call("CONFIG", "SET", "hook-queue-max-size", "0") == "+OK"
    measurements.add("registrations", register(server, grid, url), "/s")
    measurements.add("resident with all hooks", resident(server), "MB")
    count = max(int(options.events * FLOOD_SHARE) // (2 * OBJECTS), 1) * 2 * OBJECTS
    free = flood(server, partial(grid.moves, "free"), 0, count)
    measurements.add("SETs without hooks, one connection, pipelined", free, "/s")
    clients_count = max(count // 4 // (2 * OBJECTS), 1) * 2 * OBJECTS
    free = many_clients(server, grid, "free", clients_count)
    measurements.add(f"SETs without hooks, {CLIENTS} connections", free, "/s")

    done = sent(server)
    flood(server, moves, 0, 2 * OBJECTS)  # warm-up: opens connections and creates objects
    done += 2 * OBJECTS
    wait_for(server, done)
    clients = many_clients(server, grid, "fleet", clients_count)
    measurements.add(f"SETs with hooks, {CLIENTS} connections", clients, "/s")
    done += clients_count
    wait_for(server, done)
    started = time.perf_counter()
    hooked = flood(server, moves, 2 * OBJECTS, count)
    measurements.add("SETs with hooks, one connection, pipelined", hooked, "/s")
    done += count
    wait_for(server, done)
    rate = count / (time.perf_counter() - started)
    measurements.add("deliveries", rate, "/s")
    measurements.add("resident after the flood", resident(server), "MB")
    hooked = flood(server, partial(grid.moves, "fleet", stay=STAY), 0, count)
    measurements.add(f"SETs with hooks, pipelined, a message for each {STAY}", hooked, "/s")
    done += -(-count // (OBJECTS * STAY)) * OBJECTS
    wait_for(server, done)
    start = 2 * OBJECTS + count

    consumer = Consumer(
        consume_redis if options.endpoint == "redis" else consume_kafka, broker.port, TOPIC
    )
    pace = min(rate / 2, PACE_MAX)
    half = max(int(pace * options.seconds) // OBJECTS, 2) * OBJECTS
    steady(server, grid, start, half, pace)
    done += half
    wait_for(server, done)
    time.sleep(1)  # until the consumer has the last messages
    delays = sorted(consumer.stop().delays[-max(half // 10, 1) :])
    measurements.add(f"delay at {pace:,.0f} events/s, p50", statistics.median(delays) * 1000, "ms")
    measurements.add(
        f"delay at {pace:,.0f} events/s, p99", delays[int(len(delays) * 0.99)] * 1000, "ms"
    )
    run_long(server, grid, measurements, LongRun(start + half, done, options.events, rate / 2))


@dataclass(frozen=True)
class LongRun:
    """The parameters of the long run."""

    start: int  # number of the first move
    done: int  # messages delivered before
    count: int  # moves
    rate: float  # moves per second


def run_long(
    server: MeasuredServer, grid: FenceGrid, measurements: Measurements, run: LongRun
) -> None:
    """Measure the memory while very many events are delivered."""
    part = max(run.count // SAMPLES // OBJECTS, 1) * OBJECTS
    sizes: list[float] = []
    for index in range(SAMPLES):
        steady(server, grid, run.start + index * part, part, run.rate)
        wait_for(server, run.done + (index + 1) * part)
        sizes.append(resident(server))
    measurements.add(f"resident after {part:,} more events", sizes[0], "MB")
    measurements.add(f"resident after {part * SAMPLES:,} more events", sizes[-1], "MB")
    measurements.add("resident, the most of these", max(sizes), "MB")


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hooks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--endpoint", choices=["redis", "kafka"], default="redis")
    parser.add_argument("--hooks", type=int, default=70_000)
    parser.add_argument("--events", type=int, default=2_000_000, help="of the long run")
    parser.add_argument("--seconds", type=float, default=HALF_LOAD_SECONDS, help="at half load")
    parser.add_argument("--quick", action="store_true", help="tiny counts, meaningless numbers")
    options = parser.parse_args()
    if options.quick:
        options.hooks, options.events, options.seconds = 700, 20_000, 1.0
    return options


def main() -> int:
    """Run the command line."""
    options = parse_arguments()
    if not options.quick:
        refuse_debug_build()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            broker = (redis_broker if options.endpoint == "redis" else kafka_broker)(folder)
        except pytest.skip.Exception as reason:
            raise SystemExit(str(reason)) from None
        stack.callback(broker.kill)
        broker.start()
        run_phases(stack.enter_context(ours()), broker, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
