"""Fences from a collection send what a model that goes through all zones finds."""

import json
from collections.abc import Callable

import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from tests.support.embedded import EngineClient, accept_commands, new_engine, rewritten_log
from tests.support.models.zones import Thing, Told, ZoneFence, ZoneModel
from tests.support.resp import encode_words

Step = Callable[["World"], None]
Words = tuple[str | float, ...]

TRUCKS = st.sampled_from(["t1", "t2", "t3"])
ZONES = st.sampled_from(["a1", "a2", "b1", "b2", "b10"])
CHANNELS = st.sampled_from(["c1", "c2"])
HALVES = st.integers(0, 20).map(lambda number: number / 2)
WHOLES = st.integers(0, 8)
DONUT = (((0, 0), (9, 0), (9, 9), (0, 9)), (((2, 2), (7, 2), (7, 7), (2, 7)),))


def box(x: float, y: float, width: float, height: float) -> BaseGeometry:
    return shapely.box(x, y, x + width, y + height)


SMALL_BOXES = st.builds(box, HALVES, HALVES, st.just(0.5), st.sampled_from([0.5, 1.5]))
POINTS = st.builds(shapely.Point, HALVES, HALVES)
AREAS = st.one_of(
    st.builds(box, WHOLES, WHOLES, st.integers(1, 6), st.integers(1, 6)),
    st.builds(lambda x, y: shapely.Polygon([(x, y), (x + 5, y + 1), (x, y + 5)]), WHOLES, WHOLES),
    st.just(shapely.Polygon(*DONUT)),
    st.builds(shapely.Point, WHOLES, WHOLES),
)
SPEEDS = st.sampled_from([{}, {"speed": 1.0}, {"speed": 5.0}])
KINDS = st.sampled_from([{}, {"kind": 1.0}, {"kind": 1.0, "meters": 120_000.0}])
RADII = st.sampled_from([{"meters": 60_000.0}, {"meters": 170_000.0}, {"meters": -1.0}])


class World:
    """An engine and the model, which go through the same changes."""

    def __init__(self) -> None:
        self.client = EngineClient()
        self.model = ZoneModel()
        self.groups: dict[tuple[str, str, str], str] = {}

    def run(self, *words: str | float) -> list[tuple[str, Told]]:
        """Run a command; return the messages of all channels."""
        data = encode_words(words)
        batch = self.client.session.feed(data, self.client.now_ns)
        assert not batch.replies.startswith(b"-"), (words, batch.replies)
        self.client.log += batch.log
        told = []
        for event in batch.events.channels if batch.events else []:
            message = json.loads(event.body)
            zone = message["fence"].get("id") if "fence" in message else None
            word = message.get("detect", message["command"])
            told.append((event.channel.decode(), Told(word, zone)))
            self.check_group(event.channel.decode(), message, zone)
        return told

    def check_group(self, channel: str, message: dict[str, str], zone: str | None) -> None:
        """The messages of a visit share a group, which no other visit has had."""
        word = message.get("detect")
        visit = (channel, message.get("id", ""), zone or "")
        if word == "enter":
            assert message["group"] not in self.groups.values()
            self.groups[visit] = message["group"]
        elif word in ("inside", "exit") and visit in self.groups:
            assert message["group"] == self.groups[visit]
        if word == "exit":
            self.groups.pop(visit, None)
        elif word is None:
            self.groups = {}

    def restart(self, log: bytes) -> None:
        """Go on with an engine that has loaded a log."""
        engine = new_engine()
        load = engine.load(log, self.client.now_ns)
        assert (load.error, load.consumed) == (None, len(log))
        engine.take_events()
        accept_commands(engine)
        self.client = EngineClient(engine)
        self.client.log = log


def words_of(thing: Thing) -> Words:
    """Return the words of SET that make an object."""
    fields = [word for name, value in thing.fields.items() for word in ("FIELD", name, value)]
    if thing.shape is None:
        return (*fields, "STRING", "text")
    return (*fields, "OBJECT", shapely.to_geojson(thing.shape))


def move(name: str, shape: BaseGeometry | None, fields: dict[str, float]) -> Step:
    def step(world: World) -> None:
        present = world.model.fleet.get(name, Thing(None)).fields
        thing = Thing(shape, present | fields)
        told = world.run("SET", "fleet", name, *words_of(Thing(shape, fields)))
        assert told == world.model.write("set", name, thing)

    return step


def set_speed(name: str, speed: float) -> Step:
    def step(world: World) -> None:
        thing = world.model.fleet.get(name)
        if thing is None or thing.fields.get("speed", 0) == speed:
            return
        told = world.run("FSET", "fleet", name, "speed", speed)
        changed = Thing(thing.shape, thing.fields | {"speed": speed})
        assert told == world.model.write("fset", name, changed)

    return step


def expire(name: str) -> Step:
    def step(world: World) -> None:
        if thing := world.model.fleet.get(name):
            told = world.run("EXPIRE", "fleet", name, 1000)
            assert told == world.model.write("expire", name, thing)

    return step


def delete(name: str) -> Step:
    def step(world: World) -> None:
        if name in world.model.fleet:
            assert world.run("DEL", "fleet", name) == world.model.delete(name)

    return step


def drop(world: World) -> None:
    if world.model.fleet:
        assert world.run("DROP", "fleet") == world.model.drop()


def set_zone(name: str, thing: Thing) -> Step:
    def step(world: World) -> None:
        present = world.model.zones.get(name, Thing(None)).fields
        assert world.run("SET", "zones", name, *words_of(thing)) == []
        world.model.zones[name] = Thing(thing.shape, present | thing.fields)

    return step


def set_zone_fields(name: str, fields: dict[str, float]) -> Step:
    def step(world: World) -> None:
        if zone := world.model.zones.get(name):
            words = [word for pair in fields.items() for word in pair]
            assert world.run("FSET", "zones", name, *words) == []
            world.model.zones[name] = Thing(zone.shape, zone.fields | fields)

    return step


def delete_zone(name: str) -> Step:
    def step(world: World) -> None:
        world.model.zones.pop(name, None)
        assert world.run("DEL", "zones", name) == []

    return step


def drop_zones(world: World) -> None:
    world.model.zones.clear()
    assert world.run("DROP", "zones") == []


def replace_zones(name: str, thing: Thing) -> Step:
    def step(world: World) -> None:
        world.model.zones = {name: thing}
        assert world.run("SET", "spare", name, *words_of(thing)) == []
        assert world.run("RENAME", "spare", "zones") == []

    return step


def zone_words(fence: ZoneFence) -> list[str | float]:
    """Return the words that select the zones of a fence."""
    words: list[str | float] = ["IN", "zones"]
    if fence.kind is not None:
        words += ["WHERE", "kind", "==", fence.kind]
    if fence.has_radius:
        words += ["RADIUS", "meters"]
    if fence.pattern != "*":
        words += ["MATCH", fence.pattern]
    return words


def set_channel(name: str, fence: ZoneFence) -> Step:
    def step(world: World) -> None:
        words: list[str | float] = ["SETCHAN", name, fence.verb, "fleet"]
        if fence.least_speed is not None:
            words += ["WHERE", "speed", fence.least_speed, "inf"]
        if fence.detect is not None:
            words += ["DETECT", ",".join(sorted(fence.detect))]
        if fence.commands is not None:
            words += ["COMMANDS", ",".join(sorted(fence.commands))]
        if fence.is_following:
            words += ["GET", "zones", fence.pattern, "FOLLOWING"]
        else:
            words += zone_words(fence)
        world.run("DELCHAN", name)
        world.run(*words)
        world.model.fences[name] = fence

    return step


def delete_channel(name: str) -> Step:
    def step(world: World) -> None:
        world.run("DELCHAN", name)
        world.model.fences.pop(name, None)

    return step


def reload_log(world: World) -> None:
    """A log gives the memory back, with other groups."""
    world.groups = {}
    world.restart(world.client.log)


def reload_rewritten(world: World) -> None:
    """A rewritten log gives the memory back, groups included."""
    world.restart(rewritten_log(world.client.engine, world.client.now_ns))


DETECTS = st.one_of(
    st.none(), st.sets(st.sampled_from(["enter", "exit", "inside", "outside"]), min_size=1)
)
ZONE_THINGS = st.builds(Thing, AREAS, st.one_of(KINDS, RADII)) | st.just(Thing(None))
MOVES = st.builds(move, TRUCKS, st.one_of(POINTS, POINTS, SMALL_BOXES, st.none()), SPEEDS)


@st.composite
def fences(draw: st.DrawFn) -> ZoneFence:
    has_radius = draw(st.booleans())
    detect = draw(DETECTS)
    if not has_radius and detect is not None:
        detect |= draw(st.sampled_from([set(), {"cross"}]))
    elif has_radius and detect is None:
        detect = {"enter", "exit", "inside", "outside"}
    return ZoneFence(
        verb=draw(st.sampled_from(["WITHIN", "INTERSECTS", "NEARBY"])),
        detect=None if detect is None else frozenset(detect),
        commands=draw(st.sampled_from([None, None, frozenset({"set", "drop"})])),
        least_speed=draw(st.sampled_from([None, 2.0])),
        pattern=draw(st.sampled_from(["*", "*", "a*", "b1*"])),
        kind=draw(st.sampled_from([None, None, 1.0])),
        has_radius=has_radius,
    )


SET_CHANNEL = st.builds(set_channel, CHANNELS, fences())
STEPS = st.one_of(
    MOVES,
    MOVES,
    MOVES,
    st.builds(set_speed, TRUCKS, st.sampled_from([1.0, 5.0])),
    st.builds(expire, TRUCKS),
    st.builds(delete, TRUCKS),
    st.just(drop),
    st.builds(set_zone, ZONES, ZONE_THINGS),
    st.builds(set_zone, ZONES, ZONE_THINGS),
    st.builds(set_zone_fields, ZONES, st.one_of(KINDS, RADII).filter(bool)),
    st.builds(delete_zone, ZONES),
    st.just(drop_zones),
    st.builds(replace_zones, ZONES, ZONE_THINGS),
    SET_CHANNEL,
    st.builds(delete_channel, CHANNELS),
    st.just(reload_log),
    st.just(reload_rewritten),
)


@given(SET_CHANNEL, st.lists(st.builds(set_zone, ZONES, ZONE_THINGS)), st.lists(STEPS, max_size=60))
def test_channels_send_what_the_model_says(
    first: Step, zones: list[Step], steps: list[Step]
) -> None:
    world = World()
    for step in (*zones, first, *steps):
        step(world)
