"""How long others wait beside large writes: the longest of their PINGs, GETs and SETs.

`python -m benchmarks.large_writes [MEGABYTES]`; needs a release build.

Each command is sent by a process of its own, once a millisecond. One row is a large operation:
storing a FeatureCollection, replacing it, reading and deleting it. Another server follows and is
probed, too.
"""

import contextlib
import json
import multiprocessing
import random
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.servers import MeasuredServer, ours, refuse_debug_build
from tests.support.resp import Address, Connection
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from multiprocessing.connection import Connection as Pipe

MEGABYTES = 100
PAUSE_SECONDS = 0.001
SETTLE_SECONDS = 0.5
FOLLOW_SECONDS_MAX = 60.0
FEATURES_IN_PATTERN = 10_000
PROBES: dict[str, tuple[str, ...]] = {
    "PING": ("PING",),
    "GET": ("GET", "other", "a", "POINT"),
    "SET": ("SET", "other", "a", "POINT", "33", "-115"),
}


def collection(megabytes: float) -> str:
    """Return a FeatureCollection of small squares of about this size."""
    chance = random.Random(1)

    def square() -> str:
        x, y = chance.uniform(-170, 170), chance.uniform(-80, 80)
        ring = [[x, y], [x + 0.01, y], [x + 0.01, y + 0.01], [x, y + 0.01], [x, y]]
        ring = [[round(ordinate, 6) for ordinate in place] for place in ring]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        return json.dumps({"type": "Feature", "properties": {}, "geometry": geometry})

    pattern = ",".join(square() for _ in range(FEATURES_IN_PATTERN))
    count = max(1, round(megabytes * 1e6 / len(pattern)))
    head = json.dumps({"type": "FeatureCollection", "features": []})[:-2]
    return head + ",".join([pattern] * count) + "]}"


def probe(address: Address, command: tuple[str, ...], pipe: "Pipe[float, None]") -> None:
    """Send a command again and again; send the longest wait in seconds when asked for it."""
    # The server ends first.
    with contextlib.suppress(OSError, EOFError), Connection(address, 60.0) as connection:
        longest = 0.0
        while True:
            started = time.perf_counter()
            connection.call(*command)
            longest = max(longest, time.perf_counter() - started)
            if pipe.poll():
                pipe.recv()
                pipe.send(longest)
                longest = 0.0
            time.sleep(PAUSE_SECONDS)


class Probes:
    """Processes that send commands to a server."""

    def __init__(self, address: Address, names: tuple[str, ...]) -> None:
        self._pipes: dict[str, Pipe[None, float]] = {}
        for name in names:
            own, other = multiprocessing.Pipe()
            arguments = (address, PROBES[name], other)
            multiprocessing.Process(target=probe, args=arguments, daemon=True).start()
            self._pipes[name] = own

    def longest(self) -> dict[str, float]:
        """Return the longest wait for each command since the last call, in milliseconds."""
        time.sleep(SETTLE_SECONDS)
        for pipe in self._pipes.values():
            pipe.send(None)
        return {name: 1000 * pipe.recv() for name, pipe in self._pipes.items()}


def measure(leader: MeasuredServer, follower: MeasuredServer, megabytes: float) -> None:
    """Print a row for each operation."""
    text = collection(megabytes)
    store = ("SET", "areas", "a", "OBJECT", text)
    with leader.connect() as connection, follower.connect() as other:
        connection.call(*PROBES["SET"])
        other.call("FOLLOW", *leader.address)

        def is_equal() -> bool:
            return log_size(connection) == log_size(other)

        wait_until(is_equal, seconds_max=FOLLOW_SECONDS_MAX, what="the follower")
        probes = Probes(leader.address, ("PING", "GET", "SET"))
        follower_probes = Probes(follower.address, ("PING", "GET"))
        probes.longest(), follower_probes.longest()
        print("| operation | ms | PING | GET | SET | follower's PING | its GET |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for name, words in (
            ("none", ("PING",)),
            ("SET", store),
            ("SET again", store),
            ("GET", ("GET", "areas", "a")),
            ("DEL", ("DEL", "areas", "a")),
        ):
            started = time.perf_counter()
            connection.call(*words)
            took = 1000 * (time.perf_counter() - started)
            wait_until(is_equal, seconds_max=FOLLOW_SECONDS_MAX, what="the follower")
            waits = [*probes.longest().values(), *follower_probes.longest().values()]
            print(f"| {name} | {took:,.0f} | {' | '.join(f'{wait:.1f}' for wait in waits)} |")


def log_size(connection: Connection) -> str:
    """Return the bytes of a server's log as text; empty while it copies its leader's."""
    reply = connection.call("SERVER")
    if not isinstance(reply, list):
        return ""
    words = [str(word).removeprefix("$ ") for word in reply]
    return words[words.index("aof_size") + 1]


def main() -> None:
    """Measure as the command line says."""
    refuse_debug_build()
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES
    with ours() as leader, ours() as follower:
        measure(leader, follower, megabytes)


if __name__ == "__main__":
    main()
