"""A slow model of fences with a memory of visits. No tests.

It keeps, for each fence, object and zone, the times of the visit. Positions are (longitude,
latitude) near the equator; areas are boxes and circles.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.support.sphere import distance_meters

SECOND_NS = 10**9


@dataclass(frozen=True, slots=True)
class Box:
    """A box of longitudes and latitudes."""

    west: float
    south: float
    east: float
    north: float

    def contains(self, x: float, y: float) -> bool:
        """Return whether a position is inside."""
        return self.west <= x <= self.east and self.south <= y <= self.north

    def border_meters(self, x: float, y: float) -> float:
        """Return the distance of a position from the border."""
        nearest_x = min(max(x, self.west), self.east)
        nearest_y = min(max(y, self.south), self.north)
        places = [(nearest_x, nearest_y)]
        if self.contains(x, y):
            places = [(self.west, y), (self.east, y), (x, self.south), (x, self.north)]
        return min(distance_meters(y, x, place[1], place[0]) for place in places)


@dataclass(frozen=True, slots=True)
class Circle:
    """All positions up to so many metres from a center."""

    x: float
    y: float
    meters: float

    def contains(self, x: float, y: float) -> bool:
        """Return whether a position is inside."""
        return distance_meters(y, x, self.y, self.x) <= self.meters

    def border_meters(self, x: float, y: float) -> float:
        """Return the distance of a position from the border."""
        return abs(distance_meters(y, x, self.y, self.x) - self.meters)


Area = Box | Circle


@dataclass(frozen=True, slots=True)
class Position:
    """The stored position of an object, and the number in its field `accuracy`."""

    x: float
    y: float
    accuracy: float = 0


@dataclass(frozen=True, slots=True)
class Told:
    """A message: the channel, the object, the detection, the zone, and a reason or a duration."""

    channel: str
    name: str
    word: str
    zone: str = ""
    note: str = ""


@dataclass(slots=True)
class Stay:
    """A visit that goes on."""

    entered_ns: int
    dwells: set[str] = field(default_factory=set)
    left_ns: int | None = None


@dataclass(slots=True)
class VisitFence:
    """A channel with a memory. Without an area, its zones are the objects of another key."""

    detect: frozenset[str]
    area: Area | None = None
    has_endings: bool = False
    dwells: dict[str, int] = field(default_factory=dict)
    every_ns: int | None = None
    linger_ns: int | None = None
    has_accuracy: bool = False
    hysteresis: float = 0
    stays: dict[tuple[str, str], Stay] = field(default_factory=dict)
    insides: dict[tuple[str, str], int] = field(default_factory=dict)


Messages = list[Told]
Visit = tuple[str, str]  # the object and the zone
Selection = Callable[[Visit], bool]


class VisitModel:
    """Objects, zones, channels on the objects, and a clock."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self.fleet: dict[str, Position] = {}
        self.zones: dict[str, Area] = {}
        self.fences: dict[str, VisitFence] = {}

    def write(self, name: str, position: Position) -> Messages:
        """Store an object; return the messages of all channels."""
        self.fleet[name] = position
        return [
            told
            for channel, fence in self.fences.items()
            for told in self._observe(channel, fence, name, position)
        ]

    def _places(self, fence: VisitFence) -> dict[str, Area]:
        return self.zones if fence.area is None else {"": fence.area}

    def _observe(
        self, channel: str, fence: VisitFence, name: str, position: Position
    ) -> Iterator[Told]:
        found = list(self._elapse(channel, fence, only=name))
        places = self._places(fence)
        known = {zone for object_name, zone in fence.stays if object_name == name}
        for zone in sorted(known | set(places)):
            is_inside = self._is_inside(fence, places.get(zone), position, zone in known)
            found += self._step(channel, fence, (name, zone), is_inside=is_inside)
        if not any(object_name == name for object_name, _ in fence.stays):
            found.append(Told(channel, name, "outside"))
        yield from (told for told in found if told.word in fence.detect)

    def _is_inside(
        self, fence: VisitFence, area: Area | None, position: Position, was_inside: bool
    ) -> bool:
        if area is None:
            return False
        meters = area.border_meters(position.x, position.y)
        is_vague = fence.has_accuracy and position.accuracy > meters
        if area.contains(position.x, position.y):
            return was_inside or not is_vague
        return was_inside and (is_vague or meters < fence.hysteresis)

    def _step(
        self, channel: str, fence: VisitFence, visit: Visit, *, is_inside: bool
    ) -> Iterator[Told]:
        stay = fence.stays.get(visit)
        if is_inside:
            if stay is None:
                stay = fence.stays[visit] = Stay(self.now_ns)
                yield Told(channel, visit[0], "enter", visit[1])
            stay.left_ns = None
            if self._may_tell_inside(fence, visit):
                fence.insides[visit] = self.now_ns
                yield Told(channel, visit[0], "inside", visit[1])
            yield from self._dwell(channel, fence, visit)
        elif stay is not None and fence.linger_ns is None:
            del fence.stays[visit]
            is_missing = fence.has_endings and visit[1] not in self._places(fence)
            yield Told(channel, visit[0], "exit", visit[1], "zone deleted" if is_missing else "")
        elif stay is not None and stay.left_ns is None:
            stay.left_ns = self.now_ns

    def _may_tell_inside(self, fence: VisitFence, visit: Visit) -> bool:
        last_ns = fence.insides.get(visit)
        if fence.every_ns is None or last_ns is None:
            return True
        return not last_ns <= self.now_ns < last_ns + fence.every_ns

    def _dwell(self, channel: str, fence: VisitFence, visit: Visit) -> Iterator[Told]:
        stay = fence.stays[visit]
        for text, duration_ns in fence.dwells.items():
            if text not in stay.dwells and self.now_ns - stay.entered_ns >= duration_ns:
                stay.dwells.add(text)
                yield Told(channel, visit[0], "dwell", visit[1], text)

    def _elapse(
        self, channel: str, fence: VisitFence, *, only: str | None = None
    ) -> Iterator[Told]:
        """Let the time pass for the visits of all objects or of one."""
        for visit, stay in list(fence.stays.items()):
            if only not in (None, visit[0]):
                continue
            if stay.left_ns is None:
                yield from self._dwell(channel, fence, visit)
            elif fence.linger_ns is not None and self.now_ns - stay.left_ns >= fence.linger_ns:
                del fence.stays[visit]
                yield Told(channel, visit[0], "exit", visit[1])

    def elapse(self) -> Messages:
        """Let the time pass for all visits; return the messages."""
        found: Messages = []
        for channel, fence in self.fences.items():
            told = list(self._elapse(channel, fence))
            for visit in [visit for visit in fence.insides if visit not in fence.stays]:
                if self._may_tell_inside(fence, visit):
                    del fence.insides[visit]
            present = {name for name, _ in fence.stays}
            left = {message.name for message in told if message.word == "exit"} - present
            told += [Told(channel, name, "outside") for name in left]
            found += [message for message in told if message.word in fence.detect]
        return found

    def settle(self) -> Messages:
        """End the visits that have no longer a cause; return the messages."""
        found: Messages = []
        for channel, fence in self.fences.items():
            if not fence.has_endings:
                continue
            for visit, stay in list(fence.stays.items()):
                area = self._places(fence).get(visit[1])
                is_inside = self._is_inside(fence, area, self.fleet[visit[0]], was_inside=True)
                if is_inside or (stay.left_ns is not None and area is not None):
                    continue
                del fence.stays[visit]
                reason = "zone deleted" if area is None else "zone changed"
                found.append(Told(channel, visit[0], "exit", visit[1], reason))
        return found

    def delete(self, name: str, reason: str) -> Messages:
        """Delete an object; return the messages."""
        del self.fleet[name]
        return self._end(reason, lambda visit: visit[0] == name)

    def drop(self, reason: str) -> Messages:
        """Delete all objects; return the messages."""
        self.fleet.clear()
        return self._end(reason, lambda _: True)

    def _end(self, reason: str, is_meant: Selection) -> Messages:
        found: Messages = []
        for channel, fence in self.fences.items():
            found += self._end_of(channel, fence, reason, is_meant)
        return found

    def _end_of(
        self, channel: str, fence: VisitFence, reason: str, is_meant: Selection
    ) -> Messages:
        told: Messages = []
        for visit in [visit for visit in fence.stays if is_meant(visit)]:
            told += self._elapse(channel, fence, only=visit[0])
            if fence.stays.pop(visit, None) is not None and fence.has_endings:
                told.append(Told(channel, visit[0], "exit", visit[1], reason))
        for visit in [visit for visit in fence.insides if is_meant(visit)]:
            del fence.insides[visit]
        return [message for message in told if message.word in fence.detect]

    def end_fence(self, channel: str, reason: str) -> Messages:
        """Remove a channel; return the messages."""
        fence = self.fences.pop(channel, None)
        if fence is None or not fence.has_endings:
            return []
        return self._end_of(channel, fence, reason, lambda _: True)
