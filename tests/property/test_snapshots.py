"""Clients that open a fence with SNAPSHOT at any moment have the objects that a search finds."""

import json
import random

import pytest

from tests.support.bench import Bench, FakeSocket
from tests.support.models.area_client import AreaClient
from tests.support.models.seeds import seeds
from tests.support.resp import encode_words

STEPS = 1500
CLIENTS_COUNT_MAX = 3
NAMES = [f"truck{number}" for number in range(25)]
AREAS = [
    ("WITHIN", ("BOUNDS", "2", "2", "8", "8")),
    ("INTERSECTS", ("CIRCLE", "5", "5", "400000")),
    ("NEARBY", ("POINT", "5", "5", "300000")),
]
OPTIONS: list[tuple[str, ...]] = [
    (),
    ("WHERE", "speed", "3", "9"),
    ("WHERE", "speed", "3", "9", "NOFIELDS"),
    ("MATCH", "truck1*"),
    ("DETECT", "enter,exit"),
    ("DETECT", "inside,outside"),
]


class Watcher:
    """A connection with a live fence, and the copy that its messages give."""

    def __init__(self, bench: Bench, choice: random.Random) -> None:
        self.verb, self.area = choice.choice(AREAS)
        self.options = choice.choice(OPTIONS)
        self.bench = bench
        self.copy = AreaClient()
        self.is_open = False
        self.data = b""
        self.socket = FakeSocket(bench)
        words = (self.verb, "fleet", "FENCE", "SNAPSHOT", *self.options, *self.area)
        self.data += self.socket.call(*(word.encode() for word in words))

    def take(self) -> None:
        """Apply the messages that have come."""
        self.data += self.socket.transport.taken()
        # The reply that opens the fence comes first, whether it waits for the log or not.
        assert self.data[:1] in (b"", b"+", b"$")
        *lines, self.data = self.data.split(b"\r\n")
        for line in lines:
            if line.startswith(b"+OK"):
                assert not self.is_open
                self.is_open = True
            elif line.startswith(b"{"):
                assert self.is_open
                self.copy.apply(json.loads(line))

    def be_slow(self, *, is_slow: bool) -> None:
        """Stop or resume reading."""
        if is_slow:
            self.socket.connection.pause_writing()
        else:
            self.socket.connection.resume_writing()

    def check(self) -> None:
        """Compare the copy with a search, behind all messages."""
        self.bench.fake_journal.flush()
        self.be_slow(is_slow=False)
        while self.bench.loop.soon:
            self.bench.loop.turn()
        self.take()
        assert self.copy.is_complete
        filters = self.options if self.options[:1] != ("DETECT",) else ()
        reply = self.bench.call(self.verb, "fleet", "LIMIT", "99999", *filters, *self.area)
        rows = json.loads(reply.split(b"\r\n")[1])["objects"]
        found = {row["id"]: row["object"] for row in rows}
        if "enter,exit" in self.options:
            # Nothing tells movements inside.
            assert self.copy.inside.keys() == found.keys(), self.verb
        else:
            assert self.copy.inside == found, (self.verb, self.options)


class World:
    """A server, random writes, and watchers that come and go."""

    def __init__(self, seed: int, *, count: int = 0) -> None:
        self.random = random.Random(seed)
        self.bench = Bench()
        self.bench.call("OUTPUT", "json")
        self.watchers: list[Watcher] = []
        self.cuts_count = 0
        self.restarts_count = 0
        parked = [("SET", "fleet", f"parked{at}", "POINT", *self.place()) for at in range(count)]
        self.bench.send(b"".join(map(encode_words, parked)))

    def place(self) -> tuple[str, str]:
        """Return a random place."""
        return (str(self.random.uniform(0, 10)), str(self.random.uniform(0, 10)))

    def write(self) -> None:
        """Change something."""
        name = self.random.choice(NAMES)
        speed = ("FIELD", "speed", str(self.random.randrange(7)))
        words: tuple[str, ...] = self.random.choices(
            [
                ("SET", "fleet", name, *speed, "POINT", *self.place()),
                ("SET", "fleet", name, "POINT", *self.place()),
                ("FSET", "fleet", name, *speed[1:]),
                ("DEL", "fleet", name),
                ("SET", "fleet", name, "STRING", "text"),
                ("EXPIRE", "fleet", name, "1000"),
                ("PDEL", "fleet", "truck2*"),
                ("DROP", "fleet"),
                ("RENAME", "fleet", "old"),
                ("RENAME", "old", "fleet"),
                ("FLUSHDB",),
            ],
            [40, 20, 20, 8, 3, 3, 1, 0.3, 0.5, 1, 0.2],
        )[0]
        self.bench.call(*words)

    def step(self) -> None:
        """Write, connect, deliver a part, or compare and disconnect."""
        self.write()
        if len(self.watchers) < CLIENTS_COUNT_MAX and self.random.random() < 0.4:
            self.watchers.append(Watcher(self.bench, self.random))
        if self.random.random() < 0.5:
            self.bench.fake_journal.flush()
        for _ in range(self.random.randrange(3)):
            if self.bench.loop.soon:
                self.bench.loop.turn()
        for watcher in self.watchers:
            watcher.take()
            watcher.be_slow(is_slow=self.random.random() < 0.2)
        if self.watchers and self.random.random() < 0.3:
            watcher = self.watchers.pop(self.random.randrange(len(self.watchers)))
            watcher.check()
            self.cuts_count += 1
            self.restarts_count += watcher.copy.snapshots_count - 1
            watcher.socket.call(b"QUIT")
            watcher.socket.connection.connection_lost(None)
            watcher.socket.pool.shutdown()


@pytest.mark.parametrize("seed", seeds(4))
@pytest.mark.parametrize("count", [0, 3000])
async def test_a_copy_is_what_a_search_finds(seed: int, count: int) -> None:
    world = World(seed, count=count)
    for _ in range(STEPS):
        world.step()
    assert world.cuts_count > STEPS / 5
    assert world.restarts_count > 0


async def test_large_areas_are_read_by_id() -> None:
    world = World(0, count=40_000)
    for _ in range(100):
        world.step()
    assert world.cuts_count > 10
