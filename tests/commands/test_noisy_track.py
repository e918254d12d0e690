"""A real walk with noise added: with HYSTERESIS and LINGER the visits are those of the walk."""

import csv
import itertools
import json
import math
import random
from pathlib import Path

import pytest

from tests.support.embedded import START_NS, EngineClient
from tests.support.resp import encode_words

WALK = Path(__file__).parent.parent / "data" / "tracks" / "walk.csv"
METERS_PER_DEGREE = 111_195
NOISE_METERS = 8.0  # standard deviation: that of a phone in the open
RADIUS_METERS = 150
COUNT_MAX = 1000
SECOND = 1_000_000_000
Fix = tuple[float, float]  # latitude, longitude


def walk() -> list[Fix]:
    """Return the position at each second, on a straight line between two fixes."""
    with WALK.open(encoding="ascii") as file:
        rows = [tuple(map(float, row.values())) for row in csv.DictReader(file)]
    fixes: list[Fix] = []
    for (start, lat, lon), (end, next_lat, next_lon) in itertools.pairwise(rows):
        for second in range(round(end - start)):
            share = second / (end - start)
            fixes.append((lat + (next_lat - lat) * share, lon + (next_lon - lon) * share))
    return fixes


def with_noise(fixes: list[Fix], chance: random.Random) -> list[Fix]:
    """Return the positions as a receiver finds them."""

    def noisy(fix: Fix) -> Fix:
        north, east = (chance.gauss(0, NOISE_METERS) / METERS_PER_DEGREE for _ in range(2))
        return fix[0] + north, fix[1] + east / math.cos(math.radians(fix[0]))

    return [noisy(fix) for fix in fixes]


def visits(fixes: list[Fix], places: list[Fix], *options: str) -> list[str]:
    """Return the messages of circles around places, in their order."""
    client, told = EngineClient(), []

    def note(events: object) -> None:
        for event in getattr(events, "channels", []):
            message = json.loads(event.body)
            told.append(f"{message['hook']} {message['detect']}")

    for number, place in enumerate(places):
        fence = f"SETCHAN {number} NEARBY walk FENCE DETECT enter,exit".split()
        client.call(*fence, *options, "IDS", "POINT", *place, RADIUS_METERS)
    for second, (lat, lon) in enumerate(fixes):
        now_ns = START_NS + second * SECOND
        words = encode_words(("SET", "walk", "me", "POINT", f"{lat:.7f}", f"{lon:.7f}"))
        note(client.session.feed(words, now_ns).events)
        client.engine.run_fence_upkeep(now_ns, COUNT_MAX)
        note(client.engine.take_events())
    return told


@pytest.mark.parametrize("seed", range(3))
def test_the_visits_of_a_noisy_walk_are_those_of_the_walk(seed: int) -> None:
    fixes = walk()
    places = fixes[400::1000]
    noisy = with_noise(fixes, random.Random(seed))
    expected = sorted(visits(fixes, places, "HYSTERESIS", "40", "LINGER", "20s"))
    assert len(expected) > len(places)
    assert sorted(visits(noisy, places, "HYSTERESIS", "40", "LINGER", "20s")) == expected
    assert len(visits(noisy, places)) > 2 * len(expected)
