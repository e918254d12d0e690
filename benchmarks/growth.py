"""The cost of a request by the size of the data that it searches, measured in process.

    python -m benchmarks.growth                # all series, and a picture of them
    python -m benchmarks.growth --only fences  # one series
    python -m benchmarks.growth --quick        # a smoke test

Each series has the nanoseconds of a request at some sizes, and the size's growth beside the cost's:
a request that takes log n has a cost that hardly grows. The last series starts a server and opens
idle connections. RESULTS.md has results. Needs a release build.
"""

import argparse
import contextlib
import dataclasses
import itertools
import math
import random
import resource
import socket
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.servers import ours, refuse_debug_build
from tests.support.embedded import EngineClient
from tests.support.resp import encode_words

PICTURE = Path(__file__).parents[1] / "docs" / "growth.svg"
BATCH = 500  # requests in one call of the engine while data is loaded
SECONDS_OF_A_ROW = 0.5
ROUNDS = 3
NEIGHBOURS = 10  # the objects that a circle holds on average
PINGS = 2000
WORLD_METERS = 111_195.0  # a degree of latitude on Tile38's sphere

Command = Sequence[str]
Requests = Callable[[random.Random], Command]


@dataclasses.dataclass(frozen=True, slots=True)
class Series:
    """A series: data of some sizes, and a request that meets it."""

    name: str
    unit: str
    sizes: tuple[int, ...]
    load: Callable[[int], Iterator[Command]]
    requests: Callable[[int], dict[str, Requests]]


def place(chance: random.Random) -> tuple[str, str]:
    """Return a latitude and a longitude within a square of ten degrees at the equator."""
    return f"{chance.uniform(-5, 5):.5f}", f"{chance.uniform(-5, 5):.5f}"


def points(count: int) -> Iterator[Command]:
    """Yield the SETs of points."""
    chance = random.Random(1)
    for number in range(count):
        yield ("SET", "fleet", f"t{number}", "POINT", *place(chance))


def object_requests(count: int) -> dict[str, Requests]:
    """Return requests that find a few of so many points."""
    radius = 10 * WORLD_METERS * math.sqrt(NEIGHBOURS / count / math.pi)
    identifier = "t{}".format

    def pick(chance: random.Random) -> str:
        return identifier(chance.randrange(count))

    return {
        "GET": lambda chance: ("GET", "fleet", pick(chance)),
        "SET": lambda chance: ("SET", "fleet", pick(chance), "POINT", *place(chance)),
        "NEARBY LIMIT 10": lambda chance: (
            "NEARBY",
            "fleet",
            "LIMIT",
            "10",
            "POINT",
            *place(chance),
        ),
        "WITHIN CIRCLE of 10": lambda chance: (
            *("WITHIN", "fleet", "IDS", "CIRCLE", *place(chance)),
            f"{radius:.1f}",
        ),
    }


def result_requests(count: int) -> dict[str, Requests]:
    """Return requests with so many results."""
    limit = str(count)
    world = ("BOUNDS", "-90", "-180", "90", "180")
    return {
        "WITHIN IDS": lambda _: ("WITHIN", "fleet", "LIMIT", limit, "IDS", *world),
        "NEARBY IDS": lambda _: ("NEARBY", "fleet", "LIMIT", limit, "IDS", "POINT", "0", "0"),
        "SCAN": lambda _: ("SCAN", "fleet", "LIMIT", limit),
    }


def star(corners: int) -> str:
    """Return a GeoJSON polygon in the shape of a star, with corners on two circles in turn."""
    ring = []
    for number in range(corners):
        angle = 2 * math.pi * number / corners
        radius = 4.0 + 0.5 * (number % 2)
        ring.append(f"[{radius * math.cos(angle):.9f},{radius * math.sin(angle):.9f}]")
    return f'{{"type":"Polygon","coordinates":[[{",".join([*ring, ring[0]])}]]}}'


def squares(count: int) -> str:
    """Return a GeoJSON collection of so many square polygons."""
    columns = math.isqrt(count - 1) + 1
    side = 10.0 / columns
    polygons = []
    for number in range(count):
        west, south = -5 + side * (number % columns), -5 + side * (number // columns)
        east, north = west + side / 2, south + side / 2
        corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
        ring = ",".join(f"[{x:.7f},{y:.7f}]" for x, y in corners)
        polygons.append(f'{{"type":"Polygon","coordinates":[[{ring}]]}}')
    return f'{{"type":"GeometryCollection","geometries":[{",".join(polygons)}]}}'


def point_requests(_: int) -> dict[str, Requests]:
    """Return a request that tests a random point against the stored shape."""
    return {
        "TEST of a point": lambda chance: (
            *("TEST", "POINT", *place(chance), "INTERSECTS", "GET", "areas", "shape"),
        )
    }


def fences(count: int) -> Iterator[Command]:
    """Yield the SETCHANs of circles; ten of them cover a place on average."""
    chance = random.Random(2)
    radius = 10 * WORLD_METERS * math.sqrt(10 / count / math.pi)
    for number in range(count):
        where = ("CIRCLE", *place(chance), f"{min(radius, 1e5):.1f}")
        yield ("SETCHAN", f"c{number}", "WITHIN", "fleet", "FENCE", "DETECT", "exit", *where)


def fence_requests(_: int) -> dict[str, Requests]:
    """Return SETs of objects that many fences watch, and few of them at one place."""
    return {
        "SET": lambda chance: ("SET", "fleet", f"t{chance.randrange(100)}", "POINT", *place(chance))
    }


SERIES = (
    Series("objects", "objects", (1_000, 10_000, 100_000, 1_000_000), points, object_requests),
    Series(
        "results",
        "results",
        (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000),
        lambda _: points(1_000_000),
        result_requests,
    ),
    Series(
        "vertices",
        "corners of a polygon",
        (4, 100, 1_000, 10_000, 100_000, 1_000_000),
        lambda count: iter([("SET", "areas", "shape", "OBJECT", star(count))]),
        point_requests,
    ),
    Series(
        "parts",
        "polygons of a collection",
        (1, 100, 1_000, 10_000, 100_000),
        lambda count: iter([("SET", "areas", "shape", "OBJECT", squares(count))]),
        point_requests,
    ),
    Series("fences", "fences", (1, 100, 1_000, 10_000, 100_000), fences, fence_requests),
)


def loaded(commands: Iterator[Command]) -> EngineClient:
    """Return a client of an engine that has run the commands."""
    client = EngineClient()
    while batch := [encode_words(command) for command in itertools.islice(commands, BATCH)]:
        client.feed(b"".join(batch))
        client.log = b""
    return client


def measure(client: EngineClient, request: Requests) -> float:
    """Return the nanoseconds of a request: the median of the rounds' averages."""
    averages = []
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        encoded = [encode_words(request(chance)) for _ in range(BATCH)]
        done, started = 0, time.perf_counter()
        for one in itertools.cycle(encoded):
            client.feed(one)
            client.log = b""
            done += 1
            if (elapsed := time.perf_counter() - started) > SECONDS_OF_A_ROW:
                break
        averages.append(elapsed / done * 1e9)
    return statistics.median(averages)


def run(series: Series, sizes: Sequence[int]) -> dict[str, list[tuple[int, float]]]:
    """Print the table of a series; return the points of its curves."""
    curves: dict[str, list[tuple[int, float]]] = {}
    client = None
    for size in sizes:
        if client is None or series.name != "results":
            client = loaded(series.load(size))
        for name, request in series.requests(size).items():
            curves.setdefault(name, []).append((size, measure(client, request)))
    print(f"\n| {series.unit} | {' | '.join(f'{name}, ns' for name in curves)} |")
    print(f"| ---: | {' | '.join('---:' for _ in curves)} |")
    for row in zip(*curves.values(), strict=True):
        print(f"| {row[0][0]:,} | {' | '.join(f'{cost:,.0f}' for _, cost in row)} |")
    return curves


def measure_connections(sizes: Sequence[int]) -> None:
    """Print the memory of a server with idle connections, and the delay of another's PINGs."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print("\n| idle connections | resident MB | PING p50, µs | p99, µs |")
    print("| ---: | ---: | ---: | ---: |")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(ours())
        idle: list[socket.socket] = []
        for size in sizes:
            while len(idle) < size:
                idle.append(stack.enter_context(socket.create_connection(server.address)))
                idle[-1].sendall(b"PING\r\n")
                assert idle[-1].recv(64) == b"+PONG\r\n"
            delays = []
            with server.connect() as connection:
                for _ in range(PINGS):
                    started = time.perf_counter()
                    connection.call("PING")
                    delays.append((time.perf_counter() - started) * 1e6)
            memory = (server.resident_bytes() or 0) / 1e6
            delays.sort()
            p50, p99 = delays[PINGS // 2], delays[PINGS * 99 // 100]
            print(f"| {size:,} | {memory:,.0f} | {p50:,.0f} | {p99:,.0f} |")


def draw(curves: dict[str, dict[str, list[tuple[int, float]]]]) -> None:
    """Draw the curves on logarithmic scales."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, all_axes = plt.subplots(1, len(curves), figsize=(4 * len(curves), 3.5), squeeze=False)
    for axes, (name, lines) in zip(all_axes[0], curves.items(), strict=True):
        for label, line in lines.items():
            axes.plot(*zip(*line, strict=True), marker="o", markersize=3, label=label)
        axes.set(xscale="log", yscale="log", xlabel=name, ylabel="ns")
        axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(PICTURE)
    plt.close(figure)


def main() -> None:
    """Measure the series that are wanted."""
    refuse_debug_build()
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=[*(series.name for series in SERIES), "connections"])
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    wanted = [series for series in SERIES if options.only in (None, series.name)]
    curves = {
        series.unit: run(series, series.sizes[:2] if options.quick else series.sizes)
        for series in wanted
    }
    if options.only in (None, "connections"):
        measure_connections((1, 100) if options.quick else (1, 100, 1_000, 10_000))
    if options.only is None and not options.quick:
        draw(curves)


if __name__ == "__main__":
    main()
