"""Load generators: redis-benchmark, or prepared bytes for the commands that it can't generate.

redis-benchmark is fast enough not to limit the server. For other commands all bytes are prepared
before the clock starts, and replies are counted by their line ends.
"""

import csv
import dataclasses
import io
import random
import selectors
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence

from benchmarks.servers import MeasuredServer
from benchmarks.workloads import Workload
from tests.support.resp import Address

RUN_SECONDS_MAX = 600.0
RECEIVE_BYTES = 1 << 18
FILL_PIPELINE = 512
DRAWN_COMMANDS_MAX = 20_000  # different commands, which are repeated


@dataclasses.dataclass(frozen=True, slots=True)
class ClientSettings:
    """Settings of a load generator."""

    clients: int  # connections
    pipeline: int  # commands in one write
    requests: int
    ids: int  # different ids

    def __str__(self) -> str:
        """Return the text in the table of results."""
        return f"{self.clients} × {self.pipeline}"


def measure(server: MeasuredServer, workload: Workload, setting: ClientSettings) -> float:
    """Run a workload against a server; return the requests per second."""
    if workload.is_native:
        words = workload.native_words(server.dialect, setting.ids)
        return run_native(server.address, words, setting)
    chance = random.Random(setting.requests)
    drawn = max(min(setting.requests, DRAWN_COMMANDS_MAX), setting.pipeline)
    commands = [workload.draw(server.dialect, setting.ids, chance) for _ in range(drawn)]
    chunks = list(join_chunks(commands, setting.pipeline))
    count = max(setting.requests // setting.pipeline, 1)
    return run_prepared(server.address, chunks, count, setting)


def run_native(address: Address, words: list[str], setting: ClientSettings) -> float:
    """Run redis-benchmark with a command; return the requests per second."""
    command = ["redis-benchmark", "-h", address[0], "-p", str(address[1]), "--csv"]
    numbers = {"-n": setting.requests, "-r": setting.ids}
    numbers |= {"-c": setting.clients, "-P": setting.pipeline}
    command += [text for pair in numbers.items() for text in map(str, pair)]
    result = subprocess.run(
        [*command, *words], capture_output=True, text=True, check=False, timeout=RUN_SECONDS_MAX
    )
    if result.returncode or "Error from server" in result.stderr:
        raise RuntimeError(f"{' '.join(words)}: {result.stderr.strip()}")
    rows = list(csv.DictReader(io.StringIO(result.stdout[result.stdout.index('"test"') :])))
    # redis-benchmark measures whole milliseconds: a shorter run would have an infinite rate.
    return min(float(rows[-1]["rps"]), setting.requests * 1000.0)


def join_chunks(commands: Sequence[bytes], size: int) -> Iterator[bytes]:
    """Yield chunks of so many commands, each of which is sent in one write."""
    for start in range(0, len(commands) - size + 1, size):
        yield b"".join(commands[start : start + size])


def run_prepared(
    address: Address, chunks: Sequence[bytes], count: int, setting: ClientSettings
) -> float:
    """Send count chunks, one at a time on each connection; return the requests per second.

    Every reply has to be a single line.
    """
    # Pending replies of each connection.
    missing = {connect(address): 0 for _ in range(setting.clients)}
    sent = answered = 0

    def send(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(chunks[sent % len(chunks)])
        missing[connection] = setting.pipeline
        sent += 1

    with selectors.DefaultSelector() as selector:
        for connection in missing:
            selector.register(connection, selectors.EVENT_READ, connection)
        start = time.perf_counter()
        for connection in list(missing)[:count]:
            send(connection)
        while answered < count * setting.pipeline:
            for key, _ in selector.select(RUN_SECONDS_MAX):
                lines = receive_lines(key.data)
                missing[key.data] -= lines
                answered += lines
                if missing[key.data] == 0 and sent < count:
                    send(key.data)
        seconds = time.perf_counter() - start
    for connection in missing:
        connection.close()
    return count * setting.pipeline / seconds


def connect(address: Address) -> socket.socket:
    """Open a connection with TCP_NODELAY."""
    connection = socket.create_connection(address, RUN_SECONDS_MAX)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def receive_lines(connection: socket.socket) -> int:
    """Receive bytes; return the number of replies. Raises RuntimeError for an error reply."""
    data = connection.recv(RECEIVE_BYTES)
    if not data or data.startswith(b"-"):
        raise RuntimeError(f"the server says: {data[:200].decode(errors='replace')}")
    return data.count(b"\n")


def fill(server: MeasuredServer, commands: Sequence[bytes]) -> float:
    """Send commands on one connection as fast as possible; return the commands per second."""
    size = min(FILL_PIPELINE, len(commands))
    chunks = list(join_chunks(commands, size))
    setting = ClientSettings(clients=1, pipeline=size, requests=len(commands), ids=len(commands))
    rate = run_prepared(server.address, chunks, len(chunks), setting)
    if rest := commands[len(chunks) * size :]:
        last = dataclasses.replace(setting, pipeline=len(rest))
        run_prepared(server.address, [b"".join(rest)], 1, last)
    return rate
