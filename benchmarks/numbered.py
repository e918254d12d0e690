"""Measure numbered events: deliveries with and without SEQUENCE, and Kafka's transactions.

    python -m benchmarks.numbered                  # Redis: plain and numbered hooks
    python -m benchmarks.numbered --endpoint kafka # plain, numbered and transactional
    python -m benchmarks.numbered --quick          # a smoke test

1,000 objects move into 200 fences and out of them; each SET causes one message. A round is a flood
of SETs until the last message is delivered, in turn for each kind of hook. RESULTS.md has results.
Needs a release build and the broker: .ci/brokers.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import pytest

from benchmarks.hooks import OBJECTS, TOPIC, FenceGrid, flood, hook_words, sent, wait_for
from benchmarks.servers import MeasuredServer, ours, refuse_debug_build
from tests.support.brokers import redis_broker
from tests.support.kafka import kafka_broker

HOOKS = 200
KINDS = {
    "plain": ("", ()),
    "numbered": ("", ("SEQUENCE", "yes")),
    "transactional": ("?transactional=yes", ()),
}


def register(server: MeasuredServer, grid: FenceGrid, place: str, kind: str) -> None:
    """Create hooks of a kind on a key of that name."""
    query, options = KINDS[kind]
    with server.connect() as connection:
        for index in range(HOOKS):
            words = hook_words(index, grid, f"{place}/{TOPIC}-{kind}{query}")
            name, url, search = f"{kind}-{words[1]}", words[2], list(words[3:])
            search[1] = kind
            assert connection.call("SETHOOK", name, url, *options, *search) == ":1"


def run(server: MeasuredServer, place: str, kinds: list[str], count: int, rounds: int) -> None:
    """Print the deliveries per second of each kind, and their ratios to the plain ones."""
    grid = FenceGrid(HOOKS)
    with server.connect() as connection:
        assert connection.call("CONFIG", "SET", "hook-queue-ttl", "0") == "+OK"
        assert connection.call("CONFIG", "SET", "hook-queue-max-size", "0") == "+OK"
    for kind in kinds:
        register(server, grid, place, kind)
    rates: dict[str, list[float]] = {kind: [] for kind in kinds}
    start = 0
    for number in range(rounds + 1):  # the first one opens connections and makes topics
        for kind in kinds:
            done = sent(server)
            began = time.perf_counter()
            flood(server, partial(grid.moves, kind), start, count)
            wait_for(server, done + count)
            if number:
                rates[kind].append(count / (time.perf_counter() - began))
        start += count
    plain = statistics.median(rates["plain"])
    for kind, found in rates.items():
        rate = statistics.median(found)
        print(f"{kind:<14} {rate:>10,.0f} deliveries/s {rate / plain:>6.2f}", flush=True)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--endpoint", choices=["redis", "kafka"], default="redis")
    parser.add_argument("--events", type=int, default=100_000, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="tiny counts, meaningless numbers")
    options = parser.parse_args()
    if not options.quick:
        refuse_debug_build()
    count = (2_000 if options.quick else options.events) // (2 * OBJECTS) * 2 * OBJECTS
    kinds = [*KINDS][: 2 if options.endpoint == "redis" else 3]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        make = redis_broker if options.endpoint == "redis" else kafka_broker
        try:
            broker = make(Path(folder))
        except pytest.skip.Exception as missing:
            sys.exit(f"{missing}: run .ci/brokers")
        broker.start()
        stack.callback(broker.kill)
        server = stack.enter_context(ours())
        place = f"{options.endpoint}://127.0.0.1:{broker.port}"
        run(server, place, kinds, count, 1 if options.quick else options.rounds)


if __name__ == "__main__":
    main()
