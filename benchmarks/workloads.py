"""The workloads: commands with random parts. Sends nothing.

Each RANDOM becomes a random number of twelve digits below the number of ids, as in redis-benchmark.
Ids repeat, so objects move. Latitudes are 0 to 10 and longitudes 0 to 100: RANDOM, scaled by a
power of ten, since the number of ids is one.
"""

import dataclasses
import random
from collections.abc import Sequence

from benchmarks.servers import Dialect
from tests.support.resp import encode_command

RANDOM = "__rand_int__"
LATITUDE, LONGITUDE = "<latitude>", "<longitude>"
BOX = "<box>"  # two random corners in order: four words
RING = "<ring>"  # a polygon around a random point, as GeoJSON
HALF_BOX_DEGREES = 0.5
RING_CORNERS = 16
SPEED_MAX = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Workload:
    """A command to repeat, for each dialect."""

    name: str
    words: str
    redis_words: str = ""  # empty if Redis has no such command
    share: float = 1.0  # of the requests of the cheapest workloads; smaller for slow commands

    @property
    def is_native(self) -> bool:
        """Whether redis-benchmark can generate it: it can't draw numbers that depend on others."""
        return BOX not in self.words and RING not in self.words

    def command(self, dialect: Dialect) -> list[str]:
        """Return the words for a dialect; none if it has no such command."""
        return (self.words if dialect is Dialect.TILE38 else self.redis_words).split()

    def native_words(self, dialect: Dialect, ids: int) -> list[str]:
        """Return the words for redis-benchmark."""
        digits = len(str(ids)) - 1
        assert ids == 10**digits, "the number of ids must be a power of ten"
        words = " ".join(self.command(dialect))
        words = words.replace(LATITUDE, f"{RANDOM}e-{digits - 1}")
        return words.replace(LONGITUDE, f"{RANDOM}e-{digits - 2}").split()

    def draw(self, dialect: Dialect, ids: int, chance: random.Random) -> bytes:
        """Encode a command with random numbers."""
        latitude, longitude = chance.uniform(0, 10), chance.uniform(0, 100)
        words: list[str] = []
        for word in self.command(dialect):
            if word == BOX:
                words += box_around(latitude, longitude)
            elif word == RING:
                words.append(ring_around(latitude, longitude))
            else:
                word = word.replace(LATITUDE, f"{latitude:.5f}")
                word = word.replace(LONGITUDE, f"{longitude:.5f}")
                words.append(word.replace(RANDOM, f"{chance.randrange(ids):012}"))
        return encode_command([word.encode() for word in words])


def box_around(latitude: float, longitude: float) -> list[str]:
    """Return the four numbers of BOUNDS around a point."""
    corners = (latitude - HALF_BOX_DEGREES, longitude - HALF_BOX_DEGREES)
    opposite = (latitude + HALF_BOX_DEGREES, longitude + HALF_BOX_DEGREES)
    return [f"{number:.5f}" for number in (*corners, *opposite)]


def ring_around(latitude: float, longitude: float) -> str:
    """Return a zigzag square as GeoJSON without spaces. It differs from its bounding box."""
    steps = RING_CORNERS // 4
    side = [index / steps * 2 - 1 for index in range(steps)]
    square = [(x, -1.0) for x in side] + [(1.0, y) for y in side]
    square += [(-x, 1.0) for x in side] + [(-1.0, -y) for y in side]
    depths = (HALF_BOX_DEGREES * (1.0 if index % 2 else 0.7) for index in range(len(square)))
    pairs = [
        f"[{longitude + x * depth:.5f},{latitude + y * depth:.5f}]"
        for (x, y), depth in zip(square, depths, strict=True)
    ]
    return '{"type":"Polygon","coordinates":[[' + ",".join([*pairs, pairs[0]]) + "]]}"


NEAREST = f"NEARBY points LIMIT {{}} IDS POINT {LATITUDE} {LONGITUDE}"
GEOSEARCH = f"GEOSEARCH points FROMLONLAT {LONGITUDE} {LATITUDE} BYRADIUS"
SET_STRING = Workload(
    "SET string", f"SET strings id:{RANDOM} STRING value", f"SET id:{RANDOM} value"
)
WORKLOADS = (
    Workload("PING", "PING", "PING"),
    Workload(
        "SET point",
        f"SET points id:{RANDOM} POINT {LATITUDE} {LONGITUDE}",
        f"GEOADD points {LONGITUDE} {LATITUDE} id:{RANDOM}",
    ),
    Workload("SET rect", f"SET rects id:{RANDOM} BOUNDS {BOX}"),
    SET_STRING,
    Workload("GET", f"GET points id:{RANDOM} POINT", f"GET id:{RANDOM}"),
    Workload("NEARBY limit 1", NEAREST.format(1), share=0.5),
    Workload("NEARBY limit 10", NEAREST.format(10), f"{GEOSEARCH} 60000 m COUNT 10 ASC", share=0.2),
    Workload("NEARBY limit 100", NEAREST.format(100), share=0.1),
    Workload("NEARBY 50 km", f"{NEAREST.format(100)} 50000", f"{GEOSEARCH} 50000 m ASC", share=0.1),
    Workload(
        "WITHIN circle", f"WITHIN points COUNT CIRCLE {LATITUDE} {LONGITUDE} 50000", share=0.1
    ),
    Workload("WITHIN bounds", f"WITHIN points COUNT BOUNDS {BOX}", share=0.1),
    Workload("WITHIN polygon", f"WITHIN points COUNT OBJECT {RING}", share=0.05),
    Workload(
        "INTERSECTS circle",
        f"INTERSECTS points COUNT CIRCLE {LATITUDE} {LONGITUDE} 50000",
        share=0.1,
    ),
    Workload("INTERSECTS bounds", f"INTERSECTS points COUNT BOUNDS {BOX}", share=0.1),
    Workload("INTERSECTS polygon", f"INTERSECTS points COUNT OBJECT {RING}", share=0.05),
    Workload("SCAN WHERE limit 50", "SCAN points WHERE speed 90 95 LIMIT 50 COUNT", share=0.02),
)


def fill_commands(dialect: Dialect, count: int, chance: random.Random) -> Sequence[bytes]:
    """Return commands that fill a server with points, each with a field."""
    commands = []
    for number in range(count):
        latitude, longitude = f"{chance.uniform(0, 10):.5f}", f"{chance.uniform(0, 100):.5f}"
        object_id = f"id:{number:012}"
        if dialect is Dialect.TILE38:
            speed = str(chance.randrange(SPEED_MAX))
            words = ["SET", "points", object_id, "FIELD", "speed", speed]
            words += ["POINT", latitude, longitude]
        else:
            words = ["GEOADD", "points", longitude, latitude, object_id]
        commands.append(encode_command([word.encode() for word in words]))
    return commands


def string_commands(dialect: Dialect, count: int) -> Sequence[bytes]:
    """Return commands that fill a server with strings, which GET of Redis reads."""
    words = SET_STRING.command(dialect)
    return [
        encode_command([word.replace(RANDOM, f"{number:012}").encode() for word in words])
        for number in range(count)
    ]
