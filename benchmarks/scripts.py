"""The rate of EVAL of one command beside that of the command itself, and the time of WHEREEVAL.

    python -m benchmarks.scripts            # five alternating rounds
    python -m benchmarks.scripts --quick    # a smoke test

Over a socket, redis-benchmark sends the requests; in process, a session of the engine gets them in
batches. RESULTS.md has results. Needs a release build.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable

from benchmarks.generators import ClientSettings, fill, join_chunks, run_native
from benchmarks.servers import MeasuredServer, ours, refuse_debug_build
from benchmarks.workloads import RANDOM
from tests.support.embedded import new_engine
from tests.support.resp import encode_command

IDS = 100_000
SCANNED_COUNT = 1_000_000
PIPELINE = 32  # requests of a batch in process
SPEEDS = 100
NOW_NS = 1_700_000_000 * 10**9
COMMANDS = {
    "GET": "GET fleet {id}",
    "GET POINT": "GET fleet {id} POINT",
    "SET": "SET moved {id} POINT 33.5 -112.25",  # another key: NEARBY needs places apart
    "NEARBY LIMIT 10": "NEARBY fleet LIMIT 10 POINT 33.5 -112.25",
}
TESTS = {
    "an argument": "return FIELDS.speed > tonumber(ARGV[1])",
    "a field": "return FIELDS.speed > 50",
    "an id": "return ID == 't5'",
}
Rates = dict[str, list[float]]


def scripted(words: list[str]) -> list[str]:
    """Return the EVAL that calls a command with its key and all further words as arguments."""
    passed = ", ".join(f"ARGV[{index}]" for index in range(1, len(words) - 1))
    script = f"return tile38.call('{words[0].lower()}', KEYS[1], {passed})"
    return ["EVAL", script, "1", *words[1:]]


def ratio(name: str, direct: list[float], script: list[float]) -> str:
    """Return a row of a table: the medians of both rates, and their ratio."""
    rates = statistics.median(direct), statistics.median(script)
    return f"| {name} | {rates[0]:,.0f} | {rates[1]:,.0f} | {rates[1] / rates[0]:.2f} |"


def compare(title: str, rounds: int, rate: Callable[[list[str]], float]) -> None:
    """Print the rates of the commands and of their scripts, measured in turn."""
    print(
        f"\n{title}\n\n| command | requests/s | as a script | ratio |\n| --- | ---: | ---: | ---: |"
    )
    for name, command in COMMANDS.items():
        words = command.split()
        pairs = [(rate(words), rate(scripted(words))) for _ in range(rounds)]
        print(ratio(name, [direct for direct, _ in pairs], [script for _, script in pairs]))


def object_id(number: int) -> str:
    """Return the id that redis-benchmark generates for a number."""
    return f"t{number:012}"


def points(key: str, count: int) -> list[bytes]:
    """Return the SETs of points with a speed from 1 on: a field of 0 isn't stored."""
    chance = random.Random(1)
    commands = []
    for number in range(count):
        speed = str(1 + number % SPEEDS)
        place = (f"{chance.uniform(-80, 80):.4f}", f"{chance.uniform(-170, 170):.4f}")
        words = ["SET", key, object_id(number), "FIELD", "speed", speed, "POINT", *place]
        commands.append(encode_command([word.encode() for word in words]))
    return commands


def rate_in_process(words: list[str], requests: int) -> float:
    """Return the requests per second of a session without a socket."""
    session = new_engine().session()
    chance = random.Random(1)
    session.feed(b"".join(points("fleet", 1000)), NOW_NS)

    def request() -> bytes:
        name = object_id(chance.randrange(1000))
        return encode_command([word.replace("{id}", name).encode() for word in words])

    batches = list(join_chunks([request() for _ in range(requests)], PIPELINE))
    started = time.perf_counter()
    for batch in batches:
        stop = session.feed(batch, NOW_NS).stop
        while stop is not None:
            stop = session.feed(b"", NOW_NS).stop
    return len(batches) * PIPELINE / (time.perf_counter() - started)


def measure_searches(server: MeasuredServer, rounds: int) -> None:
    """Print the seconds of a search with WHEREEVAL through all objects."""
    print(
        f"\nSCAN WHEREEVAL over {SCANNED_COUNT:,} points\n\n| test by | seconds |\n| --- | ---: |"
    )
    with server.connect() as connection:
        for name, script in TESTS.items():
            words = ("SCAN", "scanned", "WHEREEVAL", script, "1", "50", "COUNT")
            times = []
            for _ in range(rounds):
                started = time.perf_counter()
                connection.call(*(word.encode() for word in words))
                times.append(time.perf_counter() - started)
            print(f"| {name} | {statistics.median(times):.2f} |")


def main() -> None:
    """Measure in process, then over a socket."""
    refuse_debug_build()
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args().quick
    rounds, requests = (1, 3200) if is_quick else (5, 20_000)
    compare(
        f"In process, batches of {PIPELINE}",
        rounds,
        lambda words: rate_in_process(words, requests),
    )
    with ours() as server:
        fill(server, points("fleet", IDS))
        setting = ClientSettings(clients=50, pipeline=1, requests=requests, ids=IDS)

        def rate(words: list[str]) -> float:
            native = [word.replace("{id}", f"t{RANDOM}") for word in words]
            return run_native(server.address, native, setting)

        compare("50 connections without a pipeline", rounds, rate)
        fill(server, points("scanned", SCANNED_COUNT))
        measure_searches(server, rounds)


if __name__ == "__main__":
    main()
