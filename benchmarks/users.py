"""The rates of PING, SET, GET and NEARBY without users, as a user with few rights, and before.

    python -m benchmarks.users                    # seven alternating rounds
    python -m benchmarks.users --before FOLDER    # also another checkout with a release build
    python -m benchmarks.users --quick            # a smoke test

All servers run at the same time and are measured in turn, with 50 connections of redis-benchmark.
RESULTS.md has results. Needs a release build.
"""

import argparse
import contextlib
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.generators import ClientSettings, fill, run_native
from benchmarks.scripts import IDS, points
from benchmarks.servers import (
    START_SECONDS_MAX,
    MeasuredServer,
    free_port,
    is_listening,
    ours,
    refuse_debug_build,
)
from benchmarks.workloads import RANDOM
from tests.support.waiting import wait_until

USERS = 100
RULES = ("on", ">secret", "~fleet*", "~moved*", "+@read", "+@write", "+ping")
LOGIN = ["--user", "u5", "-a", "secret"]
COMMANDS = {
    "PING": (["PING"], 100_000, 2_000_000),
    "SET": (["SET", "moved", f"t{RANDOM}", "POINT", "33.5", "-112.25"], 80_000, 600_000),
    "GET": (["GET", "fleet", f"t{RANDOM}"], 100_000, 1_500_000),
    "NEARBY LIMIT 10": (
        ["NEARBY", "fleet", "LIMIT", "10", "POINT", "33.5", "-112.25"],
        40_000,
        100_000,
    ),
}


@contextlib.contextmanager
def checkout(folder: Path) -> Iterator[MeasuredServer]:
    """Run the server of another checkout, with its own virtual environment."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        python = str(folder / ".venv/bin/python")
        process = subprocess.Popen(
            [python, "-m", "tile38py", "-p", str(port), "-d", data],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: is_listening(port), seconds_max=START_SECONDS_MAX, what="a server")
            yield MeasuredServer("before", ("127.0.0.1", port))
        finally:
            process.terminate()
            process.wait(START_SECONDS_MAX)


def add_users(server: MeasuredServer) -> None:
    """Add users with few rights."""
    with server.connect() as connection:
        for number in range(USERS):
            words = ("ACL", "SETUSER", f"u{number}", *RULES)
            assert connection.call(*(word.encode() for word in words)) == "+OK"


def main() -> None:
    """Print the median of each rate, and the median of the ratios of rates in one round."""
    refuse_debug_build()
    parser = argparse.ArgumentParser()
    parser.add_argument("--before", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    rounds, share = (1, 100) if options.quick else (7, 1)
    with contextlib.ExitStack() as stack:
        plain, restricted = (stack.enter_context(ours()) for _ in range(2))
        servers = {"plain": (plain, []), "as a user": (restricted, LOGIN)}
        if options.before:
            servers["before"] = (stack.enter_context(checkout(options.before)), [])
        for server, _ in servers.values():
            fill(server, points("fleet", IDS))
        add_users(restricted)
        names = list(servers)
        reference = "before" if options.before else "plain"
        print(f"medians of {rounds} rounds; ratios to: {reference}\n")
        print(f"| command | pipeline | {' | '.join(f'{name} | ratio' for name in names)} |")
        print(f"| --- | ---: | {' | '.join('---: | ---:' for _ in names)} |")
        for command, (words, *counts) in COMMANDS.items():
            for pipeline, requests in zip((1, 32), counts, strict=True):
                settings = ClientSettings(50, pipeline, requests // share, IDS)
                rates: dict[str, list[float]] = {name: [] for name in names}
                for _ in range(rounds):
                    for name, (server, login) in servers.items():
                        rates[name].append(run_native(server.address, [*login, *words], settings))
                cells = [f"{command} | {pipeline}"]
                for name in names:
                    pairs = zip(rates[name], rates[reference], strict=True)
                    ratio = statistics.median(one / other for one, other in pairs)
                    cells.append(f"{statistics.median(rates[name]):,.0f} | {ratio:.2f}")
                print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
