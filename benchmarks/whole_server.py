"""Measurements of a whole server: memory per object, log load, the longest stall of SET."""

import random
import re
import threading
import time

from benchmarks.generators import fill
from benchmarks.servers import Dialect, MeasuredServer
from benchmarks.workloads import SPEED_MAX, fill_commands

SEARCHES = 3
WORLD = ("BOUNDS", "-90", "-180", "90", "180")
LOADED = re.compile(r"AOF loaded \d+ commands: \S+, (\d+)/s")


def bytes_per_object(server: MeasuredServer, objects: int) -> float | None:
    """Fill a server with points that have a field; return the resident bytes per point."""
    server.empty()
    before = server.resident_bytes()
    fill(server, fill_commands(server.dialect, objects, random.Random(objects)))
    after = server.resident_bytes()
    return None if before is None or after is None else (after - before) / objects


def longest_stall(server: MeasuredServer) -> float | None:
    """Return the longest SET in milliseconds while searches scan all objects."""
    return _wait_beside_searches(server, 1.0)


def high_stall(server: MeasuredServer) -> float | None:
    """Return the 99.9th percentile of SET in milliseconds while searches scan all objects."""
    return _wait_beside_searches(server, 0.999)


def _wait_beside_searches(server: MeasuredServer, share: float) -> float | None:
    if server.dialect is not Dialect.TILE38:
        return None
    replies: list[object] = []

    def search() -> None:
        words = ("WITHIN", "points", "WHERE", "speed", "0", str(SPEED_MAX), "COUNT", *WORLD)
        with server.connect() as connection:
            replies.extend(connection.call(*words) for _ in range(SEARCHES))

    searches = threading.Thread(target=search, name="world-wide searches")
    waits: list[float] = []
    with server.connect() as connection:
        searches.start()
        while searches.is_alive():
            start = time.perf_counter()
            reply = connection.call("SET", "points", "mover", "POINT", "5", "5")
            waits.append(time.perf_counter() - start)
            assert reply == "+OK", reply
    searches.join()
    assert len(replies) == SEARCHES, "a search failed"
    assert all(str(reply).startswith(":") for reply in replies), replies
    waits.sort()
    return waits[min(int(len(waits) * share), len(waits) - 1)] * 1000


def log_load(server: MeasuredServer) -> float | None:
    """Restart our server; return the commands per second that it loads, from its own log line."""
    if server.process is None:
        return None
    server.process.stop()
    server.process.start()
    match = LOADED.search(server.process.log())
    return float(match[1]) if match else None
