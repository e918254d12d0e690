"""VALID: fences that send messages in certain hours of the week only."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.support.bench import Bench
from tests.support.embedded import EngineClient, accept_commands
from tests.support.fakes import SECOND
from tests.support.fence_listener import FenceListener, channel
from tile38py._engine import Engine

ZURICH = ZoneInfo("Europe/Zurich")
SCHOOL = ("VALID", "Mon-Fri 07:00-19:00 Europe/Zurich")
AREA = ("BOUNDS", "0", "0", "9", "9")
FENCE = ("WITHIN", "fleet", "DETECT", "enter,exit")


def move(bench: Bench, place: float) -> None:
    assert bench.call("SET", "fleet", "truck", "POINT", str(place), str(place)) == b"+OK\r\n"


def set_time(bench: Bench, moment: datetime) -> None:
    bench.clock.time_ns = int(moment.timestamp()) * SECOND


def told_by_hour(bench: Bench, listener: FenceListener, day: datetime) -> list[int]:
    """Enter and leave the area once an hour; return the hours in which the fence told both."""
    told = []
    for hour in range(24):
        set_time(bench, day.replace(hour=hour, minute=30))
        move(bench, 5)
        move(bench, 20)
        words = listener.told()
        assert words in ([], ["enter -", "exit -"])
        told += [hour] if words else []
    return told


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        # In 2026 summer time begins on 29 March and ends on 25 October.
        (datetime(2026, 3, 27, tzinfo=UTC), range(6, 18)),
        (datetime(2026, 3, 28, tzinfo=UTC), range(0)),
        (datetime(2026, 3, 30, tzinfo=UTC), range(5, 17)),
        (datetime(2026, 10, 23, tzinfo=UTC), range(5, 17)),
        (datetime(2026, 10, 26, tzinfo=UTC), range(6, 18)),
    ],
)
def test_hours_are_those_of_the_zone_in_summer_and_winter(
    bench: Bench, day: datetime, hours: range
) -> None:
    listener = channel(bench, *FENCE, *SCHOOL, "IDS", *AREA)
    assert told_by_hour(bench, listener, day) == list(hours)


def test_the_hour_that_summer_time_skips_and_the_one_that_comes_twice(bench: Bench) -> None:
    listener = channel(bench, *FENCE, "VALID", "Sun 02:00-03:00 Europe/Zurich", *AREA)
    assert told_by_hour(bench, listener, datetime(2026, 3, 29, tzinfo=UTC)) == []
    assert told_by_hour(bench, listener, datetime(2026, 10, 25, tzinfo=UTC)) == [0, 1]


def test_validity_ends_with_the_minute(bench: Bench) -> None:
    listener = channel(bench, *FENCE[:3], "inside", *SCHOOL, *AREA)
    told = []
    for hour, minute, second in ((6, 59, 59), (7, 0, 0), (18, 59, 59), (19, 0, 0)):
        set_time(bench, datetime(2026, 11, 30, hour, minute, second, tzinfo=ZURICH))
        move(bench, 5)
        told.append(listener.told())
    assert told == [[], ["inside -"], ["inside -"], []]


@pytest.mark.parametrize("command", [("DEL", "fleet", "truck"), ("DROP", "fleet")])
def test_a_fence_that_sleeps_is_silent_about_deletions(
    bench: Bench, command: tuple[str, ...]
) -> None:
    listener = FenceListener(bench, "WITHIN", "fleet", "FENCE", "VALID", "Tue", *AREA)
    set_time(bench, datetime(2026, 11, 30, tzinfo=UTC))
    move(bench, 5)
    assert bench.call(*command) == b":1\r\n"
    assert listener.messages() == []


def test_a_fence_that_wakes_decides_by_the_former_and_the_present_position(bench: Bench) -> None:
    listener = channel(bench, "WITHIN", "fleet", "VALID", "Tue", *AREA)
    set_time(bench, datetime(2026, 11, 30, tzinfo=UTC))
    move(bench, 5)
    set_time(bench, datetime(2026, 12, 1, tzinfo=UTC))
    move(bench, 6)
    move(bench, 20)
    assert listener.told() == ["inside -", "exit -", "outside -"]


def test_a_fence_from_a_collection_remembers_while_it_sleeps(bench: Bench) -> None:
    bench.call("SET", "zones", "a", *AREA)
    listener = channel(bench, "WITHIN", "fleet", "VALID", "Tue", "IN", "zones")
    set_time(bench, datetime(2026, 11, 30, tzinfo=UTC))
    move(bench, 5)
    set_time(bench, datetime(2026, 12, 1, tzinfo=UTC))
    move(bench, 6)
    move(bench, 20)
    assert listener.told() == ["inside a", "exit a", "outside -"]


def test_roam_keeps_to_the_hours(bench: Bench) -> None:
    listener = channel(bench, "NEARBY", "fleet", "VALID", "Tue", "ROAM", "people", "*", "1000")
    bench.call("SET", "people", "ann", "POINT", "5", "5")
    told = []
    for day in (30, 1):
        set_time(bench, datetime(2026, 12 if day == 1 else 11, day, tzinfo=UTC))
        move(bench, 5)
        told.append(listener.told())
    assert told == [[], ["roam -"]]


def test_a_log_may_name_a_zone_that_only_another_machine_knows(bench: Bench) -> None:
    words = ("SETCHAN", "c", "WITHIN", "fleet", "VALID", "Mon Europe/Zurich", *AREA)
    writer = EngineClient()
    assert bench.call(*words) == b":1\r\n"
    assert writer.call(*words) == "-ERR unknown time zone 'Europe/Zurich'"
    engine = Engine()
    load = engine.load(bench.fake_journal.data, 0)
    assert (load.error, load.commands) == (None, 1)
    accept_commands(engine)
    reader = EngineClient(engine)
    assert reader.call("SET", "fleet", "truck", "POINT", "5", "5") == "+OK"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("FENCE", "VALID", "Mon-Frei"), "ERR invalid argument 'Mon-Frei'"),
        (("FENCE", "VALID", "07:00"), "ERR invalid argument '07:00'"),
        (("FENCE", "VALID", "Mon Europe"), "ERR unknown time zone 'Europe'"),
        (("FENCE", "VALID", "Mon Europe/Zuerich"), "ERR unknown time zone 'Europe/Zuerich'"),
        (("FENCE", "VALID", "Mon", "VALID", "Tue"), "ERR duplicate argument 'VALID'"),
        (("VALID", "Mon"), "VALID is not allowed when FENCE is not specified"),
    ],
)
def test_errors(bench: Bench, words: tuple[str, ...], error: str) -> None:
    assert bench.call("WITHIN", "fleet", *words, *AREA) == f"-{error}\r\n".encode()
