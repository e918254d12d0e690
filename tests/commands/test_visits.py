"""Fences that remember visits: by the clock, over restarts and fail-overs, and to the end."""

import json

import pytest

from tests.support.bench import Bench
from tests.support.embedded import START_NS, EngineClient, new_engine
from tests.support.engine_logs import loaded, rewritten
from tests.support.resp import encode_words
from tile38py._engine import Engine, Events

Words = tuple[str | float, ...]
SECOND_NS = 10**9
AREA: Words = ("BOUNDS", 0, 0, 9, 9)
DWELL: Words = ("SETCHAN", "c", "WITHIN", "fleet", "DWELL", "30s", "DETECT", "dwell", *AREA)
ENDINGS: Words = ("WITHIN", "fleet", "ENDINGS", "yes", "DETECT", "enter,exit")
INSIDE: Words = ("SET", "fleet", "truck", "POINT", 5, 5)
OUTSIDE: Words = ("SET", "fleet", "truck", "POINT", 50, 5)
AT_ONCE_COUNT = 10_000


class Site:
    """An engine, its clock, and the messages of its channels."""

    def __init__(self, engine: Engine | None = None) -> None:
        self.client = EngineClient(engine)

    @property
    def engine(self) -> Engine:
        return self.client.engine

    def run(self, *words: str | float) -> list[str]:
        """Run a command; return what its messages tell."""
        batch = self.client.session.feed(encode_words(words), self.client.now_ns)
        assert not batch.replies.startswith(b"-"), batch.replies
        self.client.log += batch.log
        return told(batch.events)

    def wait(self, seconds: float, count_max: int = 1000) -> list[str]:
        """Let time pass, and the engine do what is due; return what the messages tell."""
        self.client.now_ns += int(seconds * SECOND_NS)
        log, _ = self.engine.expire(self.client.now_ns, count_max)
        due_log, _ = self.engine.run_fence_upkeep(self.client.now_ns, count_max)
        self.client.log += log + due_log
        return told(self.engine.take_events())


def told(events: Events | None) -> list[str]:
    """Return the detections of messages, with what they note."""
    if events is None:
        return []
    bodies = [event.body for event in events.channels] + [event.body for event in events.live]
    messages = [json.loads(body) for body in bodies]
    notes = [
        (message.get("detect"), message.get("reason") or message.get("dwell"))
        for message in messages
    ]
    return [f"{detect}: {note}" if note else detect for detect, note in notes if detect]


@pytest.mark.parametrize("is_rewritten", [False, True])
def test_a_dwell_goes_on_after_a_restart(*, is_rewritten: bool) -> None:
    before = Site()
    before.run(*DWELL)
    before.run(*INSIDE)
    assert before.wait(10) == []
    log = rewritten(before.engine) if is_rewritten else before.client.log
    after = Site(loaded(log))
    assert after.wait(29) == []
    assert after.wait(1) == ["dwell: 30s"]
    again = Site(loaded(log + after.client.log))
    assert again.wait(100) == []


def test_a_follower_takes_the_dwell_over_when_it_leads() -> None:
    leader = Site()
    leader.run(*DWELL)
    leader.run(*INSIDE)
    follower = Site(new_engine())
    set_following(follower.engine, is_following=True)
    log = leader.client.log
    assert follower.engine.follow(log, 0, START_NS + 7).consumed == len(log)
    assert follower.wait(31) == []
    assert follower.client.log == b""
    set_following(follower.engine, is_following=False)
    assert follower.wait(0) == ["dwell: 30s"]
    assert b"setvisits" in follower.client.log


def set_following(engine: Engine, *, is_following: bool) -> None:
    engine.set_state(
        loading=False,
        requires_password=False,
        following=is_following,
        caught_up_once=True,
        read_only=False,
    )


def test_times_are_logged_behind_the_command_in_transactions_and_scripts() -> None:
    site = Site()
    site.run(*DWELL)
    for command in (
        [("MULTI",), INSIDE, ("GET", "fleet", "truck"), ("EXEC",)],
        [("EVAL", "return tile38.call('SET', 'fleet', 'truck', 'POINT', 5, 5)", 0)],
    ):
        site.client.log = b""
        site.run("DEL", "fleet", "truck")
        for words in command:
            site.run(*words)
        backwards = [word.lower() for word in site.client.log.split(b"\r\n")][::-1]
        assert backwards.index(b"setvisits") < backwards.index(b"set")
        log = encode_words(DWELL) + site.client.log
        assert Site(loaded(log)).wait(31) == ["dwell: 30s"]


def test_a_large_write_is_logged_with_its_times(bench: Bench) -> None:
    bench.call(*map(str, DWELL))
    ring = [[0, 0], *([1 + at / 1e6, at / 1e6] for at in range(20_000)), [1, 2], [0, 0]]
    text = json.dumps({"type": "Polygon", "coordinates": [ring]})
    assert len(text) > 256 * 1024
    bench.send(encode_words(("SET", "fleet", "truck", "OBJECT", text)))
    _, _, rest = bytes(bench.fake_journal.data).partition(text.encode())
    assert rest.count(b"setvisits") == 1


@pytest.mark.parametrize("option", [("LINGER", "10s"), ("ACCURACY", "radius")])
def test_an_object_far_away_still_counts_as_inside(option: Words) -> None:
    site = Site()
    site.run("SETCHAN", "c", "WITHIN", "fleet", "DETECT", "enter,exit", *option, *AREA)
    assert site.run(*INSIDE) == ["enter"]
    for latitude in (50, 60):
        vague = ("FIELD", "radius", 10_000_000, "POINT", latitude, 5)
        assert site.run("SET", "fleet", "truck", *vague) == []
    site = Site(loaded(rewritten(site.engine)))
    site.client.now_ns += 11 * SECOND_NS
    assert site.run("SET", "fleet", "truck", "FIELD", "radius", 1, "POINT", 61, 5) == ["exit"]
    assert site.run(*INSIDE) == ["enter"]


def test_hooks_and_channels_that_go_end_their_visits() -> None:
    site = Site()
    site.run("SETCHAN", "c", "EX", 5, *ENDINGS, *AREA)
    assert site.run(*INSIDE) == ["enter"]
    assert site.wait(6) == ["exit: hook expired"]
    site.run("SETCHAN", "c", *ENDINGS, *AREA)
    assert site.run(*INSIDE) == ["enter"]
    assert site.run("SETCHAN", "c", *ENDINGS, *AREA) == []
    assert site.run("SETCHAN", "c", *ENDINGS, "BOUNDS", 0, 0, 9, 10) == ["exit: hook changed"]
    assert site.run(*INSIDE) == ["enter"]
    assert site.run("PDELCHAN", "*") == ["exit: hook deleted"]
    site.run("SETCHAN", "c", *ENDINGS, *AREA)
    site.run(*INSIDE)
    assert site.run("FLUSHDB") == ["exit: flushed"]
    assert site.run(*INSIDE) == []


def test_live_fences_tell_of_renamed_keys_and_flushes() -> None:
    site = Site()
    other = EngineClient(site.engine)
    words = encode_words(("WITHIN", "fleet", "FENCE", *ENDINGS[2:], *AREA))
    other.session.feed(words, other.now_ns)
    assert site.run(*INSIDE) == ["enter"]
    site.run("RENAME", "fleet", "others")
    assert site.wait(0) == ["exit: renamed"]
    assert site.run(*INSIDE) == ["enter"]
    assert site.run("FLUSHDB") == ["exit: flushed"]
    assert site.run(*INSIDE) == ["enter"]
    site.run("SET", "others", "truck", "POINT", 50, 5)
    site.run("RENAME", "others", "fleet")
    assert site.wait(0) == ["exit: renamed"]


def test_a_drop_of_many_visitors_goes_on_in_slices_and_over_a_restart() -> None:
    site = Site()
    site.run("SETCHAN", "c", *ENDINGS, *AREA)
    for at in range(AT_ONCE_COUNT + 2500):
        site.run("SET", "fleet", f"truck{at:05d}", "POINT", 5, 5)
    assert site.run("DROP", "fleet") == ["exit: dropped"] * AT_ONCE_COUNT
    assert site.run("SET", "fleet", "truck12499", "POINT", 5, 6) == []
    assert site.wait(0) == ["exit: dropped"] * 1000
    after = Site(loaded(site.client.log))
    assert after.wait(0) == ["exit: dropped"] * 1000
    assert len(after.wait(0)) == 499
    assert after.wait(0) == []
    assert after.run("SET", "fleet", "truck12499", "POINT", 50, 6) == ["exit"]


def test_the_end_of_a_fence_with_many_visitors_goes_on_in_slices() -> None:
    site = Site()
    site.run("SETCHAN", "c", *ENDINGS, *AREA)
    for at in range(AT_ONCE_COUNT + 1500):
        site.run("SET", "fleet", f"truck{at:05d}", "POINT", 5, 5)
    assert site.run("DELCHAN", "c") == ["exit: hook deleted"] * AT_ONCE_COUNT
    assert site.wait(0) == ["exit: hook deleted"] * 1000
    assert site.wait(0) == ["exit: hook deleted"] * 500
    assert site.wait(0) == []


def test_zones_and_followed_objects_that_change_end_visits() -> None:
    site = Site()
    site.run("SET", "zones", "a", *AREA)
    site.run("SET", "ferries", "anna", "POINT", 5, 5)
    site.run("SETCHAN", "zoned", *ENDINGS, "IN", "zones", "WHERE", "closed", 0, 0)
    nearby = ("NEARBY", *ENDINGS[1:], "OBJECT", "ferries", "anna", 500)
    site.run("SETCHAN", "following", *nearby)
    assert site.run(*INSIDE) == ["enter", "enter"]
    site.run("FSET", "zones", "a", "closed", 1)
    assert site.wait(0) == ["exit: zone changed"]
    site.run("FSET", "zones", "a", "closed", 0)
    assert site.run(*INSIDE) == ["enter"]
    site.run("DROP", "zones")
    assert site.run(*INSIDE) == ["exit: zone deleted"]
    site.run("SET", "ferries", "anna", "POINT", 5, 6)
    assert site.wait(0) == ["exit: zone changed"]
    site.run("SET", "ferries", "anna", "POINT", 5, 5)
    assert site.run(*INSIDE) == ["enter"]
    site.run("DEL", "ferries", "anna")
    assert site.wait(0) == ["exit: zone deleted"]


def test_a_fence_that_sleeps_remembers_and_tells_nothing() -> None:
    site = Site()
    site.run("SETCHAN", "c", *DWELL[2:4], "VALID", "Wed 00:00-00:01", *DWELL[4:])
    site.run(*INSIDE)
    assert site.wait(31) == []
    assert site.run("DEL", "fleet", "truck") == []


def test_setvisits_refuses_states_that_are_none(bench: Bench) -> None:
    bench.call(*map(str, DWELL))
    group = "0123456789abcdef01234567"
    good = f"{group}:4:1:-5:7:"
    assert bench.call("SETVISITS", "c", "truck", "", good) == b":1\r\n"
    assert good.encode() in rewritten(bench.engine)
    for bad in ("", ":", ":1", ":0:0:x::", ":0:0:1:2", ":256:0:1::", ":0:0:1::8:", ":0:-1:1::"):
        reply = bench.call("SETVISITS", "c", "truck", "", group + bad)
        expected = b":1\r\n" if bad == "" else b"-ERR invalid argument '%b'\r\n"
        assert reply == (expected if bad == "" else expected % (group + bad).encode())


def test_words_of_visits_stay_in_lists_as_typed(bench: Bench) -> None:
    words = ("linger", "10", "ENDINGS", "YES", "dwell", "60s,1h", "FENCE", *map(str, AREA))
    assert bench.call("SETCHAN", "c", "WITHIN", "fleet", *words) == b":1\r\n"
    reply = bench.call("CHANS", "*").split(b"\r\n")
    assert [word for word in reply if word.decode() in words] == [word.encode() for word in words]


def test_the_memory_of_visits_and_timers_is_given_back(bench: Bench) -> None:
    def used() -> int:
        bench.engine.run_fence_upkeep(bench.clock.now_ns(), 10**6)
        return bench.engine.statistics()["fence_bytes"]

    bench.call(*map(str, DWELL))
    made = used()
    for end in (("DEL", "fleet", "truck"), ("DROP", "fleet"), tuple(map(str, OUTSIDE))):
        bench.call(*map(str, INSIDE))
        assert used() > made + 100
        bench.call(*end)
        assert used() == made
    bench.call(*map(str, INSIDE))
    bench.call("DELCHAN", "c")
    assert used() == 0


def test_a_count_sends_nothing_of_visits() -> None:
    site = Site()
    site.run("SETCHAN", "c", *DWELL[2:4], "DWELL", "30s", "COUNT", *AREA)
    assert site.run(*INSIDE) == []
    assert site.wait(31) == []


def test_an_object_that_one_script_sets_and_deletes_is_forgotten_by_the_log() -> None:
    site = Site()
    site.run(*DWELL)
    script = (
        "tile38.call('SET', 'fleet', 'truck', 'POINT', 5, 5)tile38.call('DEL', 'fleet', 'truck')"
    )
    site.run("EVAL", script, 0)
    assert Site(loaded(site.client.log)).wait(31) == []


def test_an_object_that_becomes_a_string_is_not_lost_at_the_origin() -> None:
    site = Site()
    lingering: Words = (*ENDINGS, "LINGER", "5s", "IDS", "BOUNDS", -1, -1, 1, 1)
    site.run("SETCHAN", "c", *lingering)
    assert site.run("SET", "fleet", "truck", "POINT", 0.5, 0.5) == ["enter"]
    assert site.run("SET", "fleet", "truck", "STRING", "x") == []
    assert site.run("DEL", "fleet", "truck") == ["exit: deleted"]
    assert site.run("SET", "fleet", "truck", "POINT", 0.5, 0.5) == ["enter"]


def test_a_dwell_that_is_due_comes_before_the_exit() -> None:
    site = Site()
    site.run("SETCHAN", "c", "WITHIN", "fleet", "DWELL", "30s", "DETECT", "exit,dwell", *AREA)
    site.run(*INSIDE)
    site.client.now_ns += 31 * SECOND_NS
    assert site.run(*OUTSIDE) == ["dwell: 30s", "exit"]


def test_a_dwell_shows_the_position_that_was_decided_about() -> None:
    site = Site()
    site.engine.set_event_window(60_000)
    site.run("SETCHAN", "c", "WITHIN", "fleet", "DWELL", "5s", "DETECT", "dwell", "POINTS", *AREA)
    second = START_NS // SECOND_NS
    site.run("SET", "fleet", "truck", "AT", second - 10, "POINT", 5, 5)
    site.run("DECIDE", "fleet", "truck", second)
    site.run("SET", "fleet", "truck", "AT", second - 5, "POINT", 50, 5)
    site.client.now_ns += 6 * SECOND_NS
    site.engine.run_fence_upkeep(site.client.now_ns, 10)
    events = site.engine.take_events()
    assert events is not None
    [event] = events.channels
    assert json.loads(event.body)["point"] == {"lat": 5, "lon": 5}
