"""Measure the costs of AOFSHRINK and of followers, with a million objects.

    python -m benchmarks.replication            # everything
    python -m benchmarks.replication --quick    # a smoke test

Rows: the latency of SET without and during AOFSHRINK, in alternating rounds; the duration of
AOFSHRINK; log load; the rate at which a new follower catches up; the lag of a follower whose leader
gets many SETs per second. Needs a release build.
"""

import argparse
import contextlib
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generators import connect, fill, join_chunks, receive_lines
from benchmarks.report import number
from benchmarks.servers import Dialect, MeasuredServer, refuse_debug_build
from benchmarks.whole_server import log_load
from benchmarks.workloads import fill_commands
from tests.support.process import ServerProcess
from tests.support.resp import Connection
from tests.support.waiting import wait_until

OBJECTS = 1_000_000
OBJECTS_QUICK = 5_000
ROUNDS = 5
LOAD_RATE = 50_000  # SETs a second on the leader
LOAD_PIPELINE = 50
LOAD_SECONDS = 10.0
LOAD_SECONDS_QUICK = 0.5
SET_WORDS = ("SET", "points", "mover", "POINT", "5", "5")
WAIT_SECONDS_MAX = 300.0


@dataclass(frozen=True, slots=True)
class Latencies:
    """Latencies of requests."""

    seconds: Sequence[float]

    def milliseconds(self, share: float) -> float:
        """Return a quantile in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000

    def __str__(self) -> str:
        """Return the median, the 99.9th percentile and the maximum, in milliseconds."""
        figures = (self.milliseconds(share) for share in (0.5, 0.999, 1.0))
        return " / ".join(f"{figure:.2f}" for figure in figures)


@contextlib.contextmanager
def server(name: str) -> Iterator[MeasuredServer]:
    """Run a server of ours for the length of a block."""
    with tempfile.TemporaryDirectory() as folder, ServerProcess(Path(folder)) as process:
        yield MeasuredServer(name, process.address, process=process)


def timed_sets(connection: Connection, is_over: Callable[[], bool]) -> Iterator[float]:
    """Send SETs one after the other; yield the seconds that each took."""
    while not is_over():
        start = time.perf_counter()
        reply = connection.call(*SET_WORDS)
        yield time.perf_counter() - start
        assert reply == "+OK", reply


def is_rewriting(connection: Connection) -> bool:
    """Whether AOFSHRINK runs."""
    return "aof_rewrite_in_progress:1" in str(connection.call("INFO", "persistence"))


def shrink_round(leader: MeasuredServer) -> tuple[Latencies, Latencies, float]:
    """Measure SET during one AOFSHRINK, then for the same time without one.

    Returns the latencies without it, those during it, and its duration in seconds.
    """
    over = threading.Event()
    took = 0.0

    def shrink() -> None:
        nonlocal took
        with leader.connect() as connection:
            start = time.perf_counter()
            assert connection.call("AOFSHRINK") == "+OK"
            while is_rewriting(connection):
                time.sleep(0.005)
            took = time.perf_counter() - start
        over.set()

    with leader.connect() as connection:
        thread = threading.Thread(target=shrink, name="AOFSHRINK")
        thread.start()
        during = Latencies(list(timed_sets(connection, over.is_set)))
        thread.join()
        end = time.perf_counter() + took
        without = Latencies(list(timed_sets(connection, lambda: time.perf_counter() > end)))
    return without, during, took


def catch_up(leader: MeasuredServer, follower: MeasuredServer, objects: int) -> float:
    """Send FOLLOW and wait until the follower has caught up; return the commands per second."""
    start = time.perf_counter()
    with follower.connect() as connection:
        reply = connection.call("FOLLOW", leader.address[0], leader.address[1])
        assert reply == "+OK", reply
        wait_until(
            lambda: connection.call("HEALTHZ") == "+OK",
            seconds_max=WAIT_SECONDS_MAX,
            what="a follower that has caught up",
        )
    return objects / (time.perf_counter() - start)


def paced_load(leader: MeasuredServer, is_over: threading.Event) -> Iterator[int]:
    """Send SETs of random ids at LOAD_RATE; yield the number of SETs so far."""
    chance = random.Random(LOAD_RATE)
    chunks = list(join_chunks(fill_commands(Dialect.TILE38, LOAD_RATE, chance), LOAD_PIPELINE))
    connection = connect(leader.address)
    start, sent = time.perf_counter(), 0
    while not is_over.is_set():
        connection.sendall(chunks[sent // LOAD_PIPELINE % len(chunks)])
        answered = 0
        while answered < LOAD_PIPELINE:
            answered += receive_lines(connection)
        sent += LOAD_PIPELINE
        yield sent
        ahead = sent / LOAD_RATE - (time.perf_counter() - start)
        if ahead > 0:
            time.sleep(ahead)
    connection.close()


def lag(
    leader: MeasuredServer, follower: MeasuredServer, seconds: float
) -> tuple[Latencies, float]:
    """Measure the delay of writes on the follower under load; return it and the SETs per second."""
    over = threading.Event()
    sent = 0

    def load() -> None:
        nonlocal sent
        for count in paced_load(leader, over):
            sent = count

    thread = threading.Thread(target=load, name="SETs")
    delays: list[float] = []
    start = time.perf_counter()
    thread.start()
    with leader.connect() as writer, follower.connect() as reader:
        while time.perf_counter() - start < seconds:
            mark = str(len(delays))
            written = time.perf_counter()
            assert writer.call("SET", "probe", "mark", "STRING", mark) == "+OK"
            while str(reader.call("GET", "probe", "mark")).removeprefix("$ ") != mark:
                assert time.perf_counter() - written < WAIT_SECONDS_MAX, "the mark never came"
            delays.append(time.perf_counter() - written)
            time.sleep(0.01)
    took = time.perf_counter() - start
    over.set()
    thread.join()
    return Latencies(delays), sent / took


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smoke test with few objects")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    if not options.quick:
        refuse_debug_build()
    objects = OBJECTS_QUICK if options.quick else OBJECTS
    seconds = LOAD_SECONDS_QUICK if options.quick else LOAD_SECONDS
    rows: list[tuple[str, str, str]] = []
    with server("leader") as leader, server("follower") as follower:
        fill(leader, fill_commands(Dialect.TILE38, objects, random.Random(objects)))
        rates = [log_load(leader) or 0.0 for _ in range(options.rounds)]
        rows.append(("log load", "commands/s", number(statistics.median(rates))))
        leader = MeasuredServer(
            "leader", leader.process.address if leader.process else leader.address
        )
        rounds = [shrink_round(leader) for _ in range(options.rounds)]
        without = Latencies([wait for waits, _, _ in rounds for wait in waits.seconds])
        during = Latencies([wait for _, waits, _ in rounds for wait in waits.seconds])
        rows.append(("SET without AOFSHRINK, median / p99.9 / longest", "ms", str(without)))
        rows.append(("SET during AOFSHRINK, median / p99.9 / longest", "ms", str(during)))
        took = statistics.median(seconds for _, _, seconds in rounds)
        rows.append(("AOFSHRINK", "s", f"{took:.2f}"))
        rate = catch_up(leader, follower, objects)
        rows.append(("follower catches up", "commands/s", number(rate)))
        delays, load = lag(leader, follower, seconds)
        rows.append((f"lag at {load:,.0f} SETs/s, median / p99.9 / longest", "ms", str(delays)))
    print(f"{objects:,} objects, {options.rounds} rounds.\n")
    print("| measured | unit | tile38py |\n| --- | --- | ---: |")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
