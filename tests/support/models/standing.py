"""A slow model of standing queries: looks at all objects for each answer. No tests."""

from dataclasses import dataclass, field

from tests.support.sphere import distance_meters

Position = tuple[float, float]  # latitude, longitude


@dataclass(slots=True)
class Thing:
    """An object; a string has no position."""

    position: Position | None
    speed: float = 0.0


@dataclass(frozen=True, slots=True)
class TopQuery:
    """The k nearest objects around a place or around an object, given by key and id."""

    count: int
    place: Position | None = None
    anchor: tuple[str, str] | None = None  # key and id
    meters: float = float("inf")
    least_speed: float = float("-inf")
    prefix: str = ""

    def answer(self, keys: "Keys") -> list[tuple[float, str]]:
        """Return distances and ids, nearest first."""
        center, own_id = self._center(keys)
        if center is None:
            return []
        found = [
            (distance_meters(*center, *thing.position), name)
            for name, thing in keys.get("fleet", {}).items()
            if thing.position is not None
            and name != own_id
            and thing.speed >= self.least_speed
            and name.startswith(self.prefix)
        ]
        return sorted(pair for pair in found if pair[0] <= self.meters)[: self.count]

    def _center(self, keys: "Keys") -> tuple[Position | None, str | None]:
        if self.anchor is None:
            return self.place, None
        key, name = self.anchor
        thing = keys.get(key, {}).get(name)
        return (thing.position if thing else None), (name if key == "fleet" else None)


@dataclass(frozen=True, slots=True)
class CountQuery:
    """The number of objects in a box, or in a circle."""

    box: tuple[float, float, float, float] | None = None  # south, west, north, east
    circle: tuple[float, float, float] | None = None  # latitude, longitude, metres
    least_speed: float = float("-inf")

    def answer(self, keys: "Keys") -> int:
        """Return the number."""
        return sum(
            thing.position is not None
            and thing.speed >= self.least_speed
            and self._has(thing.position)
            for thing in keys.get("fleet", {}).values()
        )

    def _has(self, position: Position) -> bool:
        if self.circle is not None:
            latitude, longitude, meters = self.circle
            return distance_meters(*position, latitude, longitude) <= meters
        assert self.box is not None
        south, west, north, east = self.box
        return south <= position[0] <= north and west <= position[1] <= east


Keys = dict[str, dict[str, Thing]]


@dataclass(slots=True)
class Board:
    """A client's answer, from the messages so far."""

    count: int | None = None
    top: dict[str, float] = field(default_factory=dict)

    def apply(self, message: dict[str, object]) -> None:
        """Apply a message."""
        if message["command"] == "count":
            assert isinstance(message["count"], int)
            assert message["count"] != self.count
            self.count = message["count"]
            return
        assert message["command"] == "top"
        if "all" in message:
            self.top = {}
        for name in _list(message, "out"):
            assert isinstance(name, str)
            del self.top[name]
        ranks: dict[str, int] = {}
        for part in ("all", "in", "moved"):
            for entry in _list(message, part):
                assert isinstance(entry, dict)
                assert (entry["id"] in self.top) == (part == "moved")
                self.top[entry["id"]] = entry["distance"]
                ranks[entry["id"]] = entry["rank"]
        order = [name for _, name in self.ranked()]
        assert all(order[rank - 1] == name for name, rank in ranks.items())

    def ranked(self) -> list[tuple[float, str]]:
        """Return distances and ids, nearest first."""
        return sorted((distance, name) for name, distance in self.top.items())


def _list(message: dict[str, object], name: str) -> list[object]:
    value = message.get(name, [])
    assert isinstance(value, list)
    return value
