"""A slow model of fences from a collection: goes through all zones for each write. No tests.

Positions are (longitude, latitude). Shapes are shapely's; a zone that is a point with a radius is a
circle, compared by great-circle distances.
"""

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass, field

import shapely
from shapely.geometry.base import BaseGeometry

from tests.support.sphere import distance_meters

RANKS = {"cross": 0, "del": 0, "drop": 0, "exit": 1, "outside": 2, "enter": 3, "inside": 4}


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of either collection; a string has no shape."""

    shape: BaseGeometry | None
    fields: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class ZoneFence:
    """A channel, and the zones that each object was in by its last write."""

    verb: str
    detect: frozenset[str] | None = None
    commands: frozenset[str] | None = None
    least_speed: float | None = None
    pattern: str = "*"
    kind: float | None = None
    has_radius: bool = False
    is_following: bool = False  # the pattern is the id of the only zone
    inside: dict[str, set[str]] = field(default_factory=dict)

    def lists(self, word: str) -> bool:
        """Return whether DETECT lists a word."""
        return self.detect is None or word in self.detect


@dataclass(slots=True)
class Told:
    """A message: the detection or command, and the zone; none for all zones."""

    word: str
    zone: str | None = None


class ZoneModel:
    """Two collections and channels on the first, whose zones are the objects of the second."""

    def __init__(self) -> None:
        self.fleet: dict[str, Thing] = {}
        self.zones: dict[str, Thing] = {}
        self.fences: dict[str, ZoneFence] = {}

    def write(self, command: str, name: str, thing: Thing) -> list[tuple[str, Told]]:
        """Store an object and return the messages of all channels."""
        previous = self.fleet.get(name)
        self.fleet[name] = thing
        former = previous if command == "set" else None
        return self._collect(
            {
                channel: list(self._decide(fence, command, name, thing, former))
                for channel, fence in self.fences.items()
            }
        )

    def delete(self, name: str) -> list[tuple[str, Told]]:
        """Delete an object and return the messages of all channels."""
        thing = self.fleet.pop(name)
        told = {}
        for channel, fence in self.fences.items():
            left = sorted(fence.inside.pop(name, set()))
            messages = [Told("del", zone) for zone in left]
            if not left and thing.shape is not None and fence.lists("outside"):
                messages = [Told("del")]
            is_told = fence.commands is None or "del" in fence.commands
            told[channel] = messages if is_told else []
        return self._collect(told)

    def drop(self) -> list[tuple[str, Told]]:
        """Delete all objects and return the messages of all channels."""
        self.fleet.clear()
        told = {}
        for channel, fence in self.fences.items():
            fence.inside.clear()
            is_told = fence.commands is None or "drop" in fence.commands
            told[channel] = [Told("drop")] if is_told and fence.lists("outside") else []
        return self._collect(told)

    @staticmethod
    def _collect(told: dict[str, list[Told]]) -> list[tuple[str, Told]]:
        """Return the messages in the order of sending."""
        ranked = [
            (RANKS[message.word], channel, at, message)
            for channel, messages in told.items()
            for at, message in enumerate(messages)
        ]
        return [(channel, message) for _, channel, _, message in sorted(ranked, key=_order)]

    def _decide(
        self, fence: ZoneFence, command: str, name: str, thing: Thing, former: Thing | None
    ) -> Iterator[Told]:
        is_fast = fence.least_speed is None or thing.fields.get("speed", 0) >= fence.least_speed
        is_passing = is_fast and thing.shape is not None
        before = fence.inside.pop(name, set())
        now = {
            zone
            for zone, area in self.zones.items()
            if is_passing and _is_selected(fence, zone, area) and _is_in(fence, thing, area)
        }
        if now:
            fence.inside[name] = now
        crossed = self._crossed(fence, former, thing) if is_passing else set()
        if fence.commands is None or command in fence.commands:
            yield from _messages(fence, crossed, before, now, is_passing=is_passing)

    def _crossed(self, fence: ZoneFence, former: Thing | None, thing: Thing) -> set[str]:
        if former is None or former.shape is None or thing.shape is None:
            return set()
        ends = [_center(former.shape), _center(thing.shape)]
        if ends[0] == ends[1]:
            return set()
        way = shapely.LineString(ends)
        return {
            zone
            for zone, area in self.zones.items()
            if _is_selected(fence, zone, area) and area.shape and way.intersects(area.shape)
        }


def _messages(
    fence: ZoneFence, crossed: set[str], before: set[str], now: set[str], *, is_passing: bool
) -> Iterator[Told]:
    zones = {
        "cross": crossed - before - now,
        "exit": before - now,
        "outside": {""} if not now and (before or is_passing) else set(),
        "enter": now - before,
        "inside": now,
    }
    for word, names in zones.items():
        if fence.lists(word):
            yield from (Told(word, name or None) for name in sorted(names))


def _order(ranked: tuple[int, str, int, Told]) -> tuple[int, str, int]:
    return ranked[:3]


def _center(shape: BaseGeometry) -> tuple[float, float]:
    west, south, east, north = shape.bounds
    return (west + east) / 2, (south + north) / 2


def _is_selected(fence: ZoneFence, zone: str, area: Thing) -> bool:
    is_meant = fence.kind is None or area.fields.get("kind", 0) == fence.kind
    return is_meant and fnmatch.fnmatchcase(zone, fence.pattern)


def _is_in(fence: ZoneFence, thing: Thing, area: Thing) -> bool:
    if thing.shape is None or area.shape is None:
        return False
    meters = area.fields.get("meters", 0)
    if fence.has_radius and meters > 0 and isinstance(area.shape, shapely.Point):
        return _is_in_circle(fence, thing.shape, area.shape, meters)
    if fence.verb == "WITHIN":
        return bool(area.shape.covers(thing.shape))
    return bool(area.shape.intersects(thing.shape))


def _is_in_circle(
    fence: ZoneFence, shape: BaseGeometry, center: shapely.Point, meters: float
) -> bool:
    west, south, east, north = shape.bounds
    if fence.verb == "WITHIN":
        places = [(x, y) for x in (west, east) for y in (south, north)]
    else:
        places = [(min(max(center.x, west), east), min(max(center.y, south), north))]
    return all(distance_meters(y, x, center.y, center.x) <= meters for x, y in places)
