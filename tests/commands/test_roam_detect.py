"""ROAM with DETECT of its own words, and with WHERE."""

import pytest

from tests.support.bench import Bench
from tests.support.fence_listener import FenceListener

NEAR, FAR = 0.001, 5.0


def move(bench: Bench, place: float, *options: str) -> None:
    """Set the object that roams, on the equator."""
    assert bench.call("SET", "fleet", "van", *options, "POINT", "0", str(place)) == b"+OK\r\n"


def told(listener: FenceListener) -> list[str]:
    """Return which of nearby and faraway the messages have."""
    names = ("nearby", "faraway")
    return ["".join(n for n in names if n in message) or "plain" for message in listener.messages()]


def roam(bench: Bench, *words: str) -> FenceListener:
    """Open a live fence around another object at 0, 0."""
    bench.call("SET", "people", "ann", "POINT", "0", "0")
    return FenceListener(bench, "NEARBY", "fleet", "FENCE", *words, "ROAM", "people", "*", "1000")


@pytest.mark.parametrize(
    ("detect", "expected"),
    [
        ((), ["nearby", "plain", "nearby", "faraway"]),
        (("DETECT", "nearby"), ["nearby", "nearby"]),
        (("DETECT", "faraway"), ["faraway"]),
        (("DETECT", "roam"), ["plain"]),
        (("DETECT", "Nearby, faraway"), ["nearby", "nearby", "faraway"]),
        (("NODWELL", "DETECT", "nearby,faraway"), ["nearby", "faraway"]),
        (("DETECT", "enter,inside"), []),
    ],
)
def test_detect_selects_meetings_and_partings(
    bench: Bench, detect: tuple[str, ...], expected: list[str]
) -> None:
    listener = roam(bench, *detect)
    move(bench, NEAR)
    bench.call("FSET", "fleet", "van", "speed", "5")
    move(bench, NEAR / 2)
    move(bench, FAR)
    assert told(listener) == expected


def test_where_counts_with_words_of_roam_only(bench: Bench) -> None:
    where = ("WHERE", "speed", "5", "9")
    ignoring = roam(bench, *where)
    listener = roam(bench, *where, "DETECT", "nearby,faraway")
    move(bench, NEAR, "FIELD", "speed", "1")
    assert (told(ignoring), told(listener)) == (["nearby"], [])
    bench.call("FSET", "fleet", "van", "speed", "7")
    bench.call("FSET", "fleet", "van", "speed", "8")
    bench.call("FSET", "fleet", "van", "speed", "1")
    assert told(listener) == ["nearby", "faraway"]
    move(bench, NEAR, "FIELD", "speed", "7")
    move(bench, FAR, "FIELD", "speed", "1")
    assert told(listener) == ["nearby", "faraway"]
    move(bench, NEAR)
    move(bench, FAR)
    assert told(listener) == []


@pytest.mark.parametrize(
    "words",
    [
        ("DETECT", "nearby,enter", "ROAM", "people", "*", "5"),
        ("DETECT", "faraway", "POINT", "0", "0", "5"),
    ],
)
def test_words_of_roam_stand_alone(bench: Bench, words: tuple[str, ...]) -> None:
    reply = bench.call("NEARBY", "fleet", "FENCE", *words)
    assert reply == b"-ERR nearby, faraway and roam in DETECT are for ROAM, without others\r\n"
