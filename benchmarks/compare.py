"""Measure this server and its peers side by side, in alternating rounds of one run.

    python -m benchmarks.compare                               # with redis-server, if installed
    python -m benchmarks.compare --peer tile38=127.0.0.1:9852  # and a Tile38 (it is emptied)
    python -m benchmarks.compare --only 'NEARBY*' --rounds 3
    python -m benchmarks.compare --quick                       # does it run at all?

RESULTS.md says how it measures. Needs a release build, redis-benchmark and the extra `bench`.
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

from benchmarks import whole
from benchmarks.generators import Setting, fill, measure
from benchmarks.loads import LOADS, Load, fill_commands, string_commands
from benchmarks.report import Report, Row, Values
from benchmarks.servers import Dialect, Server, ours, redis_server, refuse_debug_build

CONNECTIONS = (1, 50)
PIPELINES = (1, 32)
QUICK_REQUESTS = 200
QUICK_OBJECTS = 2000
REQUESTS_MIN = 50


def parse_peer(text: str) -> Server:
    """[NAME=]HOST:PORT; a name that begins with redis has Redis's commands."""
    name, _, address = text.rpartition("=")
    host, _, port = address.rpartition(":")
    dialect = Dialect.REDIS if name.startswith("redis") else Dialect.TILE38
    return Server(name or address, (host or "127.0.0.1", int(port)), dialect)


def prepare(servers: Sequence[Server], ids: int) -> None:
    """Empty all servers and give them the same points and strings, so that all GETs find some."""
    for server in servers:
        server.empty()
        fill(server, fill_commands(server.dialect, ids, random.Random(ids)))
        fill(server, string_commands(server.dialect, ids))


def settings(load: Load, options: argparse.Namespace) -> Iterator[Setting]:
    """Each number of connections with each pipeline."""
    for clients in CONNECTIONS:
        for pipeline in PIPELINES:
            # redis-benchmark may abort when a last batch isn't full.
            batches = max(options.requests * load.share, REQUESTS_MIN) / (clients * pipeline)
            requests = math.ceil(batches) * clients * pipeline
            yield Setting(clients, pipeline, requests, options.ids)


def measure_loads(servers: Sequence[Server], options: argparse.Namespace) -> Iterator[Row]:
    """Every load that was asked for, in each setting, server after server.

    Rounds are outermost, each in the other direction of servers: so a disturbance hits all rows
    alike, and rows can be compared with each other.
    """
    loads = [load for load in LOADS if fnmatch.fnmatch(load.name, options.only)]
    if not loads:
        return
    prepare(servers, options.ids)
    rows: dict[tuple[str, Setting], Values] = {}
    for turn in range(options.rounds):
        for load in loads:
            for setting in settings(load, options):
                values = rows.setdefault((load.name, setting), {})
                for server in servers[:: -1 if turn % 2 else 1]:
                    if load.command(server.dialect):
                        rate = measure(server, load, setting)
                        values.setdefault(server.name, []).append(rate)
    for (name, setting), values in rows.items():
        yield Row(name, str(setting), "requests/s", values)


def measure_whole(servers: Sequence[Server], options: argparse.Namespace) -> Iterator[Row]:
    """Memory, stalls and log load, with many objects. Log load comes last: it moves our port."""

    def memory(server: Server) -> float | None:
        return whole.bytes_per_object(server, options.objects)

    measures: tuple[tuple[str, str, bool, Callable[[Server], float | None]], ...] = (
        ("resident memory of a point with a field", "bytes", False, memory),
        ("longest SET beside world-wide WHERE", "ms", False, whole.longest_stall),
        ("longer SET beside it, one in a thousand", "ms", False, whole.high_stall),
        ("log load", "commands/s", True, whole.log_load),
    )
    for name, unit, is_more_better, function in measures:
        if fnmatch.fnmatch(name, options.only):
            values: Values = {}
            for server in servers:
                if (value := function(server)) is not None:
                    values[server.name] = [value]
            yield Row(name, f"{options.objects:,} objects", unit, values, is_more_better)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
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
        servers: list[Server] = []
        if not options.without_ours:
            if not options.quick:
                refuse_debug_build()
            servers.append(stack.enter_context(ours()))
        servers += options.peer
        if redis := stack.enter_context(redis_server()):
            servers.append(redis)
        rows: list[Row] = []
        for measurements in (measure_loads, measure_whole):
            for row in measurements(servers, options):
                medians = (f"{server.name} {row.median(server.name)}" for server in servers)
                print(f"{row.name:<42} {row.setting:<18}", *medians, flush=True)
                rows.append(row)
    report = Report([server.name for server in servers], rows, options.rounds)
    print(report.markdown(), *report.write(options.output), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
