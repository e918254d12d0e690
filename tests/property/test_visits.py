"""Fences with a memory of visits send what a model says that keeps the times of all visits."""

import json
from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.support.embedded import START_NS, EngineClient, accept_commands, new_engine
from tests.support.engine_logs import rewritten
from tests.support.models.visits import (
    SECOND_NS,
    Area,
    Box,
    Circle,
    Messages,
    Position,
    Told,
    VisitFence,
    VisitModel,
)
from tests.support.resp import encode_words
from tile38py._engine import Engine, Events

Step = Callable[["World"], None]
Words = tuple[str | float, ...]

UPKEEP_COUNT = 1000
STEP_DEGREES = 0.0005  # 55.6 metres; no position of this grid is near a border, in any sense
TRUCKS = st.sampled_from(["t1", "t2", "t3"])
ZONES = st.sampled_from(["a1", "a2", "b1"])
CHANNELS = st.sampled_from(["c1", "c2"])
STEPS_OF_GRID = st.integers(-1, 7)


class World:
    """An engine and the model, which go through the same changes."""

    def __init__(self) -> None:
        self.client = EngineClient()
        self.model = VisitModel(START_NS)
        self.engine_count = 1
        self.groups: dict[tuple[str, str, str], str | None] = {}

    def run(self, *words: str | float) -> Messages:
        """Run a command; return the messages."""
        batch = self.client.session.feed(encode_words(words), self.client.now_ns)
        assert not batch.replies.startswith(b"-"), (words, batch.replies)
        self.client.log += batch.log
        return self.told(batch.events)

    def sweep(self) -> Messages:
        """Let the engine do what is due; return the messages."""
        engine, now_ns = self.client.engine, self.client.now_ns
        log, _ = engine.expire(now_ns, UPKEEP_COUNT)
        due_log, count = engine.run_fence_upkeep(now_ns, UPKEEP_COUNT)
        assert count < UPKEEP_COUNT
        self.client.log += log + due_log
        return self.told(engine.take_events())

    def told(self, events: Events | None) -> Messages:
        """Return the messages with a detection."""
        found = []
        for event in events.channels if events else []:
            message = json.loads(event.body)
            if "detect" in message:
                zone = message["fence"].get("id", "") if "fence" in message else ""
                note = message.get("reason", message.get("dwell", ""))
                channel, word = event.channel.decode(), message["detect"]
                assert event.object_id == message["id"]
                found.append(Told(channel, message["id"], word, zone, note))
                self.check_group(found[-1], message["group"])
        return found

    def check_group(self, told: Told, group: str) -> None:
        """Each exit follows an enter, and the messages between them share a group."""
        visit = (told.channel, told.name, told.zone)
        if told.word == "enter":
            assert visit not in self.groups or not self.model.fences[told.channel].has_endings
            assert group not in self.groups.values()
            self.groups[visit] = group
        elif told.word != "outside" and visit in self.groups:
            assert self.groups[visit] in (None, group)
        if told.word == "exit":
            self.groups.pop(visit, None)

    def check(self, found: Messages, expected: Messages) -> None:
        """Compare the messages of a step and of the sweep behind it with the model's."""
        found = found + self.sweep()
        expected = expected + self.model.settle() + self.model.elapse()
        assert sorted(found, key=repr) == sorted(expected, key=repr)
        for channel, fence in self.model.fences.items():
            if fence.has_endings and "enter" in fence.detect:
                entered = {visit[1:] for visit in self.groups if visit[0] == channel}
                assert entered == set(fence.stays)

    def forget_groups(self) -> None:
        """A replay makes the groups of visits without times anew."""
        self.groups = dict.fromkeys(self.groups)

    def forget(self, channel: str) -> None:
        """Forget the visits to a channel that is gone."""
        self.groups = {visit: group for visit, group in self.groups.items() if visit[0] != channel}

    def adopt(self, engine: Engine) -> None:
        """Go on with another engine."""
        engine.take_events()
        accept_commands(engine)
        self.engine_count += 1
        engine.set_fence_context(utc_offset=0, group_seed=self.engine_count.to_bytes(5, "big"))
        log, now_ns = self.client.log, self.client.now_ns
        self.client = EngineClient(engine)
        self.client.log, self.client.now_ns = log, now_ns


def words_of(area: Area) -> Words:
    """Return the words of an area, without a verb."""
    if isinstance(area, Circle):
        return ("CIRCLE", area.y, area.x, area.meters)
    return ("BOUNDS", area.south, area.west, area.north, area.east)


def move(name: str, x: int, y: int, accuracy: float) -> Step:
    def step(world: World) -> None:
        position = Position(x * STEP_DEGREES, y * STEP_DEGREES, accuracy)
        words = ("FIELD", "accuracy", accuracy, "POINT", position.y, position.x)
        told = world.run("SET", "fleet", name, *words)
        world.check(told, world.model.write(name, position))

    return step


def expire(name: str) -> Step:
    def step(world: World) -> None:
        if position := world.model.fleet.get(name):
            told = world.run("EXPIRE", "fleet", name, 1)
            world.check(told, world.model.write(name, position))
            world.client.now_ns += 2 * SECOND_NS
            world.model.now_ns += 2 * SECOND_NS
            world.check([], world.model.delete(name, "expired"))

    return step


def delete(name: str) -> Step:
    def step(world: World) -> None:
        if name in world.model.fleet:
            told = world.run("DEL", "fleet", name)
            world.check(told, world.model.delete(name, "deleted"))

    return step


def drop(world: World) -> None:
    if world.model.fleet:
        world.check(world.run("DROP", "fleet"), world.model.drop("dropped"))


def wait(seconds: int, *, is_swept: bool) -> Step:
    """Let the clock go on, or back; without a sweep, what is due comes with the next write."""

    def step(world: World) -> None:
        world.client.now_ns += seconds * SECOND_NS
        world.model.now_ns += seconds * SECOND_NS
        if is_swept:
            world.check([], [])

    return step


def set_zone(name: str, area: Area) -> Step:
    def step(world: World) -> None:
        assert world.run("SET", "zones", name, *words_of(area)) == []
        world.model.zones[name] = area
        world.check([], [])

    return step


def delete_zone(name: str) -> Step:
    def step(world: World) -> None:
        assert world.run("DEL", "zones", name) == []
        world.model.zones.pop(name, None)
        world.check([], [])

    return step


def rename_zones(name: str, area: Area) -> Step:
    """Put another collection in the place of the zones."""

    def step(world: World) -> None:
        world.run("SET", "spare", name, *words_of(area))
        assert world.run("RENAME", "spare", "zones") == []
        world.model.zones = {name: area}
        world.check([], [])

    return step


def definition(fence: VisitFence) -> Words:
    words: list[str | float] = ["WITHIN", "fleet", "DETECT", ",".join(sorted(fence.detect))]
    if fence.has_endings:
        words += ["ENDINGS", "yes"]
    if fence.dwells:
        words += ["DWELL", ",".join(fence.dwells)]
    if fence.every_ns is not None:
        words += ["EVERY", fence.every_ns // SECOND_NS]
    if fence.linger_ns is not None:
        words += ["LINGER", f"{fence.linger_ns // SECOND_NS}s"]
    if fence.has_accuracy:
        words += ["ACCURACY", "accuracy"]
    if fence.hysteresis:
        words += ["HYSTERESIS", fence.hysteresis]
    return (*words, *(("IN", "zones") if fence.area is None else words_of(fence.area)))


def set_channel(name: str, make: Callable[[], VisitFence]) -> Step:
    def step(world: World) -> None:
        fence, present = make(), world.model.fences.get(name)
        told = world.run("SETCHAN", name, *definition(fence))
        if present is not None and definition(present) == definition(fence):
            return
        expected = world.model.end_fence(name, "hook changed")
        world.forget(name)
        world.model.fences[name] = fence
        world.check(told, expected)

    return step


def delete_channel(name: str) -> Step:
    def step(world: World) -> None:
        told = world.run("DELCHAN", name)
        expected = world.model.end_fence(name, "hook deleted")
        world.forget(name)
        world.check(told, expected)

    return step


def flush(world: World) -> None:
    told = world.run("FLUSHDB")
    expected = [
        message
        for name in list(world.model.fences)
        for message in world.model.end_fence(name, "flushed")
    ]
    world.model.fleet.clear()
    world.model.zones.clear()
    world.groups = {}
    world.check(told, expected)


def reload(world: World, log: bytes) -> None:
    """Go on with an engine that has loaded a log, at another time."""
    engine = new_engine()
    engine.set_state(
        loading=True,
        requires_password=False,
        following=False,
        caught_up_once=False,
        read_only=False,
    )
    load = engine.load(log, world.client.now_ns + 1000 * SECOND_NS)
    assert (load.error, load.consumed) == (None, len(log))
    world.adopt(engine)
    world.check([], [])


def restart(world: World) -> None:
    world.forget_groups()
    reload(world, world.client.log)


def restart_rewritten(world: World) -> None:
    reload(world, rewritten(world.client.engine))


def fail_over(world: World) -> None:
    """Go on with a follower, whose clock differs."""
    engine = new_engine()
    engine.set_state(
        loading=False,
        requires_password=False,
        following=True,
        caught_up_once=True,
        read_only=False,
    )
    log, now_ns = world.client.log, world.client.now_ns - 1000 * SECOND_NS
    assert engine.follow(log, 0, now_ns).consumed == len(log)
    log, _ = engine.run_fence_upkeep(now_ns + 10**6 * SECOND_NS, UPKEEP_COUNT)
    assert (engine.take_events(), log) == (None, b"")
    world.forget_groups()
    world.adopt(engine)
    world.check([], [])


HALF = 0.5 * STEP_DEGREES
BOXES = st.builds(
    lambda x, y, width, height: Box(
        x * STEP_DEGREES - HALF,
        y * STEP_DEGREES - HALF,
        (x + width) * STEP_DEGREES + HALF,
        (y + height) * STEP_DEGREES + HALF,
    ),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(1, 3),
    st.integers(1, 3),
)
CIRCLES = st.builds(
    lambda x, y, meters: Circle(x * STEP_DEGREES, y * STEP_DEGREES, meters),
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from([130.0, 250.0]),
)
DETECTS = st.one_of(
    st.just({"enter", "exit", "inside", "outside"}),
    st.just({"enter", "exit"}),
    st.sets(st.sampled_from(["enter", "exit", "inside", "outside"]), min_size=1),
)


@st.composite
def fences(draw: st.DrawFn) -> VisitFence:
    detect = set(draw(DETECTS))
    dwells = draw(st.sampled_from([{}, {"30s": 30}, {"1m": 60, "5m": 300}]))
    fence = VisitFence(
        detect=frozenset(detect | ({"dwell"} if dwells else set())),
        area=draw(st.one_of(BOXES, CIRCLES, st.none())),
        has_endings="exit" in detect and draw(st.booleans()),
        dwells={text: seconds * SECOND_NS for text, seconds in dwells.items()},
        every_ns=60 * SECOND_NS if "inside" in detect and draw(st.booleans()) else None,
        linger_ns=draw(st.sampled_from([None, 20 * SECOND_NS])),
        has_accuracy=draw(st.booleans()),
        hysteresis=draw(st.sampled_from([0, 50, 100])),
    )
    if not (fence.has_endings or dwells or fence.every_ns or fence.linger_ns):
        fence.hysteresis = fence.hysteresis or 50
    return fence


def copy_of(fence: VisitFence) -> Callable[[], VisitFence]:
    return lambda: replace(fence, stays={}, insides={})


FENCES = st.builds(copy_of, fences())
SET_CHANNEL = st.builds(set_channel, CHANNELS, FENCES)
ACCURACIES = st.sampled_from([0, 0, 0, 10, 60, 120, 300])
MOVES = st.builds(move, TRUCKS, STEPS_OF_GRID, STEPS_OF_GRID, ACCURACIES)
WAITS = st.builds(
    lambda seconds, is_swept: wait(seconds, is_swept=is_swept),
    st.sampled_from([1, 10, 19, 20, 30, 60, 300, -40]),
    st.booleans(),
)
# one_of() draws each alternative and each part of it equally often.
STEPS = st.sampled_from(
    [MOVES] * 12
    + [WAITS] * 8
    + [st.one_of(st.builds(delete, TRUCKS), st.builds(expire, TRUCKS))] * 3
    + [st.one_of(st.builds(set_zone, ZONES, BOXES), st.builds(delete_zone, ZONES))] * 3
    + [st.one_of(st.builds(rename_zones, ZONES, BOXES), st.just(drop), st.just(flush))]
    + [st.one_of(SET_CHANNEL, st.builds(delete_channel, CHANNELS))]
    + [st.sampled_from([restart, restart_rewritten, fail_over])] * 2
).flatmap(lambda steps: steps)


@given(
    SET_CHANNEL,
    st.lists(st.builds(set_zone, ZONES, BOXES), max_size=3),
    st.lists(STEPS, min_size=30, max_size=80),
)
def test_channels_send_what_the_model_says(
    first: Step, zones: list[Step], steps: list[Step]
) -> None:
    world = World()
    for step in (first, *zones, *steps):
        step(world)
