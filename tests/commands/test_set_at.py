"""SET with AT: late positions, the order in which fences decide, the log."""

import pytest

from tests.support.bench import Bench
from tests.support.embedded import START_NS, EngineClient, accept_commands, new_engine
from tests.support.engine_logs import loaded, rewritten
from tests.support.timed_track import AREA, CHANNEL, INSIDE, OUTSIDE, WINDOW_MILLISECONDS, Track, at


def test_a_late_position_changes_nothing(bench: Bench) -> None:
    first = ("SET", "fleet", "truck", "FIELD", "speed", "5", "AT", "1700000000", "POINT", "1", "2")
    assert bench.call(*first) == b"+OK\r\n"
    assert bench.call("SET", "fleet", "truck", "FIELD", "speed", "9", "AT", "1699999999.5",
                      "POINT", "3", "4") == b"+OK\r\n"  # fmt: skip
    assert bench.call("GET", "fleet", "truck", "POINT") == b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n"
    assert bench.call("FGET", "fleet", "truck", "speed") == b"$1\r\n5\r\n"
    log = rewritten(bench.engine)
    assert b"$2\r\nat\r\n$10\r\n1700000000\r\n" in log
    assert b"1699999999" not in log
    same = ("SET", "fleet", "truck", "AT", "2023-11-14T22:13:20Z", "POINT", "3", "4")
    assert bench.call(*same) == b"+OK\r\n"
    assert bench.call("GET", "fleet", "truck", "POINT") == b"*2\r\n$1\r\n3\r\n$1\r\n4\r\n"


@pytest.mark.parametrize(
    "write",
    [
        ("FSET", "fleet", "truck", "speed", "7"),
        ("EXPIRE", "fleet", "truck", "100"),
        ("PERSIST", "fleet", "truck"),
        ("JSET", "fleet", "truck", "properties.name", "x"),
    ],
)
def test_other_writes_keep_the_event_time(bench: Bench, write: tuple[str, ...]) -> None:
    text = '{"type":"Point","coordinates":[2,1]}'
    bench.call("SET", "fleet", "truck", "AT", "1700000000", "EX", "9", "OBJECT", text)
    assert not bench.call(*write).startswith(b"-")
    bench.call("SET", "fleet", "truck", "AT", "1699999999", "POINT", "3", "4")
    assert b'"coordinates":[2,1]' in bench.call("GET", "fleet", "truck")


def test_set_without_at_forgets_the_event_time(bench: Bench) -> None:
    bench.call("SET", "fleet", "truck", "AT", "1700000000", "POINT", "1", "2")
    bench.call("SET", "fleet", "truck", "POINT", "1", "2")
    bench.call("SET", "fleet", "truck", "AT", "1", "POINT", "3", "4")
    assert b"\r\n3\r\n" in bench.call("GET", "fleet", "truck", "POINT")


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", "0"])
def test_the_earliest_event_time_is_1970(bench: Bench, text: str) -> None:
    assert bench.call("SET", "fleet", "truck", "AT", text, "POINT", "1", "2") == b"+OK\r\n"


def test_an_event_time_far_ahead_is_refused(bench: Bench) -> None:
    error = b"-ERR the event time is more than a day ahead of the server's clock\r\n"
    assert bench.call("SET", "fleet", "truck", "AT", "9000000000", "POINT", "1", "2") == error
    error = b"-ERR invalid argument '2400-01-01T00:00:00Z'\r\n"
    far = ("SET", "fleet", "truck", "AT", "2400-01-01T00:00:00Z", "POINT", "1", "2")
    assert bench.call(*far) == error
    assert bench.call("GET", "fleet", "truck") == b"$-1\r\n"


def test_nx_comes_before_the_event_time(bench: Bench) -> None:
    bench.call("SET", "fleet", "truck", "AT", "1700000000", "POINT", "1", "2")
    late = ("SET", "fleet", "truck", "NX", "AT", "1", "POINT", "1", "2")
    assert bench.call(*late) == b"$-1\r\n"


def test_return_shows_the_stored_position(bench: Bench) -> None:
    bench.call("SET", "fleet", "truck", "AT", "1700000000", "POINT", "1", "2")
    late = ("SET", "fleet", "truck", "RETURN", "POINT", "AT", "1", "POINT", "3", "4")
    assert bench.call(*late) == b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n"


def test_fences_decide_when_the_window_has_passed() -> None:
    track = Track()
    track.put(1, OUTSIDE)
    track.wait(2)
    track.put(8, OUTSIDE)
    assert track.put(4, INSIDE) == b"+OK\r\n"
    track.wait(9)
    assert track.taken() == []
    track.wait(1)
    assert track.taken() == ["enter 04", "exit 08"]
    track.put(3, INSIDE)
    track.wait(99)
    assert track.taken() == []
    statistics = track.client.engine.statistics()
    assert (statistics["waiting_positions"], statistics["late_positions"]) == (0, 1)


def test_a_position_that_is_a_window_newer_ends_the_wait() -> None:
    track = Track()
    track.put(1, INSIDE)
    track.put(10, OUTSIDE)
    track.wait(0)
    assert track.taken() == []
    track.put(11, INSIDE)
    track.wait(0)
    assert track.taken() == ["enter 01"]


@pytest.mark.parametrize(
    ("words", "last"),
    [
        (("SET", "fleet", "truck", "POINT", *OUTSIDE), ["exit -"]),
        (("DEL", "fleet", "truck"), ["del -"]),
        (("PDEL", "fleet", "*"), ["del -"]),
        (("DROP", "fleet"), []),
    ],
)
def test_a_write_without_at_ends_the_wait(words: tuple[str | float, ...], last: list[str]) -> None:
    track = Track()
    track.put(1, OUTSIDE)
    track.put(4, INSIDE)
    track.put(2, OUTSIDE)
    track.run(*words)
    assert track.taken() == ["enter 04", *last]
    assert track.client.engine.statistics()["waiting_positions"] == 0


def test_flushdb_forgets_waiting_positions() -> None:
    track = Track()
    track.put(1, INSIDE)
    track.run("FLUSHDB")
    track.run(*CHANNEL, *AREA)
    track.wait(99)
    assert track.taken() == []
    assert track.client.engine.statistics()["waiting_positions"] == 0


def test_positions_outlive_the_fences_that_waited_for_them() -> None:
    track = Track()
    track.put(1, INSIDE)
    track.run("DELCHAN", "gate")
    track.wait(99)
    assert track.client.engine.statistics()["waiting_positions"] == 0


def test_a_server_that_restarts_decides_about_what_waited() -> None:
    track = Track()
    track.put(1, INSIDE)
    track.wait(10)
    track.put(5, OUTSIDE)
    track.put(4, INSIDE)
    assert track.taken() == ["enter 01"]
    restarted = Track()
    restarted.client.engine = engine = new_engine()
    engine.set_event_window(WINDOW_MILLISECONDS)
    assert engine.load(track.client.log, START_NS).error is None
    accept_commands(engine)
    restarted.wait(10)
    assert restarted.taken() == ["exit 05"]


def test_event_times_survive_a_rewrite_of_the_log() -> None:
    track = Track()
    track.put(5, INSIDE)
    client = EngineClient(loaded(rewritten(track.client.engine)))
    client.call("SET", "fleet", "truck", "AT", at(4.5), "POINT", 1, 1)
    assert client.call("GET", "fleet", "truck", "POINT") == ["$ 5", "$ 5"]
