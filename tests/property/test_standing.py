"""The differences that standing queries send add up to the answers that a model finds."""

import json
import random
from collections import defaultdict
from collections.abc import Sequence

import pytest

from tests.support.embedded import EngineClient, accept_commands, new_engine, rewritten_log
from tests.support.models.seeds import seeds
from tests.support.models.standing import Board, CountQuery, Keys, Thing, TopQuery
from tests.support.resp import encode_words
from tile38py._engine import ChannelEvent

STEPS = 2500
SECOND_NS = 10**9
VEHICLES = [f"{kind}{number}" for kind in "ab" for number in range(15)]
EVERY_SECONDS = 10
STOPS_COUNT = 6
FAST = ("WHERE", "speed", "3", "inf")


def longitude_of(x: float) -> float:
    """Return the longitude of a place: the vehicles drive around 180 degrees."""
    return (x + 178) % 360 if x + 178 <= 180 else x + 178 - 360


PLACE = (5.0, longitude_of(2.0))
QUERIES: dict[str, TopQuery | CountQuery] = {
    "place": TopQuery(5, PLACE),
    "near": TopQuery(4, PLACE, meters=400_000.0),
    "fast": TopQuery(3, PLACE, least_speed=3.0),
    "boat": TopQuery(3, anchor=("boats", "anna")),
    "mate": TopQuery(5, anchor=("fleet", "a1"), meters=900_000.0),
    "kind": TopQuery(50, PLACE, prefix="b"),
    "slow-top": TopQuery(5, anchor=("boats", "anna")),
    "box": CountQuery(box=(1.0, longitude_of(-4.0), 8.0, longitude_of(1.5))),
    "circle": CountQuery(circle=(*PLACE, 500_000.0)),
    "fast-box": CountQuery(box=(1.0, longitude_of(-4.0), 8.0, longitude_of(1.5)), least_speed=3.0),
    "slow-box": CountQuery(box=(1.0, longitude_of(-4.0), 8.0, longitude_of(1.5))),
}


def words_of(name: str, query: TopQuery | CountQuery) -> list[str]:
    """Return the words of SETCHAN that make a query."""
    every = ["EVERY", f"{EVERY_SECONDS}s"] if name.startswith("slow") else []
    filters = list(FAST) if query.least_speed > 0 else []
    if isinstance(query, TopQuery):
        words = ["NEARBY", "fleet", *filters, "TOP", str(query.count), *every, "FENCE"]
        words += ["MATCH", query.prefix + "*"] if query.prefix else []
        words += ["IDS", "POINT" if query.anchor is None else "OBJECT"]
        words += map(str, query.anchor or PLACE)
        return words if query.meters == float("inf") else [*words, str(query.meters)]
    if query.circle is not None:
        return ["NEARBY", "fleet", "COUNTS", *filters, "POINT", *map(str, query.circle)]
    assert query.box is not None
    return ["WITHIN", "fleet", "COUNTS", *every, *filters, "BOUNDS", *map(str, query.box)]


class World:
    """An engine with channels, the model, and the boards of their subscribers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.client = EngineClient()
        self.keys: Keys = {}
        self.stops: list[tuple[float, float]] = []
        self.boards: dict[str, Board] = defaultdict(Board)
        self.message_counts: dict[str, int] = defaultdict(int)
        for name, query in QUERIES.items():
            self.run("SETCHAN", name, *words_of(name, query))

    def run(self, *words: str | float) -> None:
        """Run a command and apply the messages."""
        data = encode_words(words)
        batch = self.client.session.feed(data, self.client.now_ns)
        assert not batch.replies.startswith(b"-"), (words, batch.replies)
        self.client.log += batch.log
        self.take(batch.events.channels if batch.events else [])

    def take(self, events: Sequence[ChannelEvent]) -> None:
        """Apply messages to the boards."""
        for event in events:
            name = event.channel.decode()
            self.message_counts[name] += 1
            self.boards[name].apply(json.loads(event.body))

    def sweep(self) -> None:
        """Send the messages that are due."""
        self.client.engine.expire(self.client.now_ns, 100)
        events = self.client.engine.take_events()
        self.take(events.channels if events else [])

    def place(self) -> tuple[float, float]:
        """Return a random place; some come again, so that objects are equally far."""
        if self.stops and self.random.random() < 0.2:
            return self.random.choice(self.stops)
        place = (self.random.uniform(0, 10), longitude_of(self.random.uniform(-5, 5)))
        if len(self.stops) < STOPS_COUNT:
            self.stops.append(place)
        return place

    def step(self) -> None:
        """Change something."""
        self.client.now_ns += self.random.choice([0, SECOND_NS // 10, 3 * SECOND_NS])
        fleet = self.keys.setdefault("fleet", {})
        name = self.random.choice(VEHICLES)
        match self.random.choices(
            ["move", "speed", "del", "text", "boat", "sink", "drop", "load", "expire"],
            [60, 12, 10, 2, 12, 1, 0.3, 0.4, 2],
        )[0]:
            case "move":
                thing = Thing(self.place(), fleet[name].speed if name in fleet else 0.0)
                fleet[name] = thing
                self.run("SET", "fleet", name, "POINT", *self.place_of(thing))
            case "speed" if name in fleet:
                fleet[name].speed = float(self.random.randrange(7))
                self.run("FSET", "fleet", name, "speed", fleet[name].speed)
            case "del" if name in fleet:
                del fleet[name]
                self.run("DEL", "fleet", name)
            case "text":
                fleet[name] = Thing(None, fleet[name].speed if name in fleet else 0.0)
                self.run("SET", "fleet", name, "STRING", "text")
            case "boat":
                boat = self.keys.setdefault("boats", {})["anna"] = Thing(self.place())
                self.run("SET", "boats", "anna", "POINT", *self.place_of(boat))
            case "sink":
                self.keys.pop("boats", None)
                self.run("DROP", "boats")
            case "drop":
                self.keys["fleet"] = {}
                words = self.random.choice([("PDEL", "fleet", "*"), ("DROP", "fleet")])
                self.run(*words)
            case "load":
                self.load()
            case "expire" if name in fleet:
                self.run("EXPIRE", "fleet", name, 1000)

    @staticmethod
    def place_of(thing: Thing) -> tuple[float, float]:
        """Return a position that is there."""
        assert thing.position is not None
        return thing.position

    def load(self) -> None:
        """Go on with an engine that has loaded a rewritten log."""
        log = rewritten_log(self.client.engine, self.client.now_ns)
        engine = new_engine()
        load = engine.load(log, self.client.now_ns)
        assert (load.error, load.consumed) == (None, len(log))
        assert engine.take_events() is None
        accept_commands(engine)
        now_ns = self.client.now_ns
        self.client = EngineClient(engine)
        self.client.now_ns = now_ns
        # All answers come again.
        for board in self.boards.values():
            board.count = None
        self.sweep()

    def check(self, name: str) -> None:
        """Compare a board with the model."""
        board, query = self.boards[name], QUERIES[name]
        if isinstance(query, CountQuery):
            assert board.count == query.answer(self.keys), name
            return
        expected = query.answer(self.keys)
        assert [found for _, found in board.ranked()] == [found for _, found in expected], name
        told = [distance for distance, _ in board.ranked()]
        assert told == pytest.approx([distance for distance, _ in expected], abs=1e-3), name


@pytest.mark.parametrize("seed", seeds(4))
def test_differences_add_up_to_the_answers(seed: int) -> None:
    world = World(seed)
    for at in range(STEPS):
        world.step()
        for name in QUERIES:
            if not name.startswith("slow"):
                world.check(name)
        if at % 50 == 49:
            world.client.now_ns += EVERY_SECONDS * SECOND_NS
            world.sweep()
            for name in QUERIES:
                world.check(name)
    assert all(world.message_counts[name] > 50 for name in QUERIES)
