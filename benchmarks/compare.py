"""Measure this server and its peers in alternating rounds of one run.

    python -m benchmarks.compare                               # with redis-server, if installed
    python -m benchmarks.compare --peer tile38=127.0.0.1:9852  # and a Tile38 (it is emptied)
    python -m benchmarks.compare --only 'NEARBY*' --rounds 3
    python -m benchmarks.compare --quick                       # a smoke test

RESULTS.md describes the method. Needs a release build, redis-benchmark and the extra `bench`.
"""

import argparse
import contextlib
import fnmatch
import math
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import whole_server
from benchmarks.generators import ClientSettings, fill, measure
from benchmarks.report import Measurement, Report, Values
from benchmarks.servers import Dialect, MeasuredServer, ours, redis_server, refuse_debug_build
from benchmarks.workloads import WORKLOADS, Workload, fill_commands, string_commands

CONNECTIONS = (1, 50)
PIPELINES = (1, 32)
QUICK_REQUESTS = 200
QUICK_OBJECTS = 2000
REQUESTS_MIN = 50


def parse_peer(text: str) -> MeasuredServer:
    """Parse [NAME=]HOST:PORT. A name that begins with redis stands for a Redis server."""
    name, _, address = text.rpartition("=")
    host, _, port = address.rpartition(":")
    dialect = Dialect.REDIS if name.startswith("redis") else Dialect.TILE38
    return MeasuredServer(name or address, (host or "127.0.0.1", int(port)), dialect)


def prepare(servers: Sequence[MeasuredServer], ids: int) -> None:
    """Empty all servers and store the same points and strings in each, for GET to find."""
    for server in servers:
        server.empty()
        fill(server, fill_commands(server.dialect, ids, random.Random(ids)))
        fill(server, string_commands(server.dialect, ids))


def settings(workload: Workload, options: argparse.Namespace) -> Iterator[ClientSettings]:
    """Yield each number of connections with each pipeline."""
    for clients in CONNECTIONS:
        for pipeline in PIPELINES:
            # redis-benchmark may abort when the last batch isn't full.
            batches = max(options.requests * workload.share, REQUESTS_MIN) / (clients * pipeline)
            requests = math.ceil(batches) * clients * pipeline
            yield ClientSettings(clients, pipeline, requests, options.ids)


def measure_workloads(
    servers: Sequence[MeasuredServer], options: argparse.Namespace
) -> Iterator[Measurement]:
    """Measure the selected workloads with each setting on each server.

    The outermost loop is that of the rounds, which alternate the order of the servers. So a
    disturbance affects all rows alike, and the rows are comparable.
    """
    workloads = [one for one in WORKLOADS if fnmatch.fnmatch(one.name, options.only)]
    if not workloads:
        return
    prepare(servers, options.ids)
    rows: dict[tuple[str, ClientSettings], Values] = {}
    for number in range(options.rounds):
        for workload in workloads:
            for setting in settings(workload, options):
                values = rows.setdefault((workload.name, setting), {})
                for server in servers[:: -1 if number % 2 else 1]:
                    if workload.command(server.dialect):
                        rate = measure(server, workload, setting)
                        values.setdefault(server.name, []).append(rate)
    for (name, setting), values in rows.items():
        yield Measurement(name, str(setting), "requests/s", values)


def measure_whole_servers(
    servers: Sequence[MeasuredServer], options: argparse.Namespace
) -> Iterator[Measurement]:
    """Measure memory, stalls and log load with many objects.

    Log load comes last: it restarts our server, which gets another port.
    """

    def memory(server: MeasuredServer) -> float | None:
        return whole_server.bytes_per_object(server, options.objects)

    measures: tuple[tuple[str, str, bool, Callable[[MeasuredServer], float | None]], ...] = (
        ("resident memory of a point with a field", "bytes", False, memory),
        ("longest SET beside world-wide WHERE", "ms", False, whole_server.longest_stall),
        ("longer SET beside it, one in a thousand", "ms", False, whole_server.high_stall),
        ("log load", "commands/s", True, whole_server.log_load),
    )
    for name, unit, is_more_better, function in measures:
        if fnmatch.fnmatch(name, options.only):
            values: Values = {}
            for server in servers:
                if (value := function(server)) is not None:
                    values[server.name] = [value]
            yield Measurement(name, f"{options.objects:,} objects", unit, values, is_more_better)


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--peer", type=parse_peer, action="append", default=[])
    parser.add_argument("--only", default="*", help="measurements whose names match")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=100_000, help="of the cheapest loads")
    parser.add_argument("--ids", type=int, default=100_000, help="a power of ten")
    parser.add_argument("--objects", type=int, default=1_000_000, help="for memory and stalls")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--quick", action="store_true", help="tiny counts, meaningless numbers")
    parser.add_argument("--without-ours", action="store_true", help="measure only the peers")
    options = parser.parse_args()
    if options.quick:
        options.requests, options.ids, options.objects = QUICK_REQUESTS, 1000, QUICK_OBJECTS
        options.rounds = 1
    return options


def main() -> int:
    """Run the command line."""
    options = parse_arguments()
    if not shutil.which("redis-benchmark"):
        raise SystemExit("compare needs redis-benchmark: it is in Debian's package redis-tools")
    with contextlib.ExitStack() as stack:
        servers: list[MeasuredServer] = []
        if not options.without_ours:
            if not options.quick:
                refuse_debug_build()
            servers.append(stack.enter_context(ours()))
        servers += options.peer
        if redis := stack.enter_context(redis_server()):
            servers.append(redis)
        rows: list[Measurement] = []
        for measure_all in (measure_workloads, measure_whole_servers):
            for row in measure_all(servers, options):
                medians = (f"{server.name} {row.median(server.name)}" for server in servers)
                print(f"{row.name:<42} {row.setting:<18}", *medians, flush=True)
                rows.append(row)
    report = Report([server.name for server in servers], rows, options.rounds)
    print(report.markdown(), *report.write(options.output), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
