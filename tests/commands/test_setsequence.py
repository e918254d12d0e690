"""SETSEQUENCE: numbers of events are data, which logs and copies carry together with events."""

import json

import pytest

from tests.support.bench import Bench
from tests.support.embedded import START_NS, EngineClient, new_engine
from tests.support.engine_logs import loaded, rewritten
from tests.support.numbered_events import (
    AREA,
    CHANNEL,
    ENTER,
    EXIT,
    HOOK,
    NumberedClient,
    Words,
    numbers_of,
)
from tests.support.resp import encode_words
from tile38py._engine import Engine

BEGAN = str(START_NS)
EVENT = ("SETSEQUENCE", "h", "1", BEGAN, BEGAN, "fleet", "enter", '{"a":1}', "truck")


def recovered(log: bytes, stored: list[tuple[bytes, int, int]]) -> Engine:
    """Return an engine that loads a log, of which these events are stored."""
    engine = new_engine()
    engine.begin_recovery(stored)
    assert engine.load(log, START_NS).error is None
    return engine


def names_in(log: bytes) -> list[bytes]:
    """Return the names of the commands in a log, as they are spelled there."""
    return [part.split(b"\r\n")[2] for part in log.split(b"*")[1:]]


def test_each_hook_and_channel_counts_its_events_from_one() -> None:
    client = NumberedClient()
    plain = ("SETCHAN", "plain", *AREA)
    batch = client.session.feed(b"", client.now_ns)
    assert batch.events is None
    client.run(HOOK, CHANNEL)
    client.call(*plain)
    client.call("DELCHAN", "plain")
    assert client.run(ENTER) == [("c", 1), ("h", 1)]
    client.run(("SETCHAN", "d", "sequence", "YES", *AREA))
    assert client.run(EXIT, ENTER) == [("c", 2), ("d", 1), ("c", 3), ("d", 2), ("h", 2), ("h", 3)]


@pytest.mark.parametrize("words", [(), ("SEQUENCE", "no"), ("SEQUENCE", "yes", "SEQUENCE", "no")])
def test_without_the_option_no_byte_differs(words: tuple[str, ...]) -> None:
    client = EngineClient()
    client.call("SETCHAN", "c", *words, *AREA)
    logged = len(client.log)
    batch = client.session.feed(b"set fleet truck point 5 5\r\n", client.now_ns)
    assert batch.events is not None
    assert "sequence" not in json.loads(batch.events.channels[0].body)
    assert names_in(client.log[logged:] + batch.log) == [b"set"]


def test_the_log_keeps_a_write_and_its_events_together() -> None:
    client = NumberedClient()
    client.run(HOOK, CHANNEL)
    start = len(client.log)
    client.run(ENTER)
    assert names_in(client.log[start:]) == [b"seT", b"setsequencE", b"setsequence"]
    for cut in range(start + 1, len(client.log)):
        engine = recovered(client.log[:cut], [])
        assert engine.sequence(b"h") == (0, 0)
        assert str(EngineClient(engine).call("GET", "fleet", "truck")) == "$-1"
        assert engine.take_recovered() is None


@pytest.mark.parametrize(
    "commands",
    [
        (("MULTI",), ENTER, EXIT, ("EXEC",)),
        (("EVAL", "tile38.call('SET', 'fleet', 'truck', 'POINT', 5, 5)", 0), EXIT),
        (("EVALNA", "tile38.call('SET', 'fleet', 'truck', 'POINT', 5, 5)", 0), EXIT),
        (ENTER, ("DEL", "fleet", "truck")),
        (ENTER, ("DROP", "fleet")),
        (ENTER, EXIT),
    ],
)
@pytest.mark.parametrize("is_rewritten", [False, True])
def test_numbers_go_on_after_a_restart(commands: tuple[Words, ...], *, is_rewritten: bool) -> None:
    client = NumberedClient()
    client.run(("SETHOOK", "h", "http://127.0.0.1:1/", "SEQUENCE", "yes", "WITHIN", "fleet",
                "FENCE", "BOUNDS", 0, 0, 9, 9))  # fmt: skip
    client.run(*commands)
    last = len(client.numbers)
    assert client.numbers == [("h", number) for number in range(1, last + 1)]
    engine = loaded(client.log)
    if is_rewritten:
        engine = loaded(rewritten(engine))
    assert engine.sequence(b"h") == (last, client.now_ns)
    assert NumberedClient(engine).run(ENTER)[0] == ("h", last + 1)


def test_expired_objects_have_numbered_events() -> None:
    client = NumberedClient()
    client.run(("SETHOOK", "h", "http://127.0.0.1:1/", "SEQUENCE", "yes", "WITHIN", "fleet",
                "FENCE", "BOUNDS", 0, 0, 9, 9))  # fmt: skip
    client.run(("SET", "fleet", "truck", "EX", 1, "POINT", 5, 5))
    before = len(client.numbers)
    log, count = client.engine.expire(client.now_ns + 2 * 10**9, 10)
    assert count == 1
    assert names_in(log) == [b"deL", b"setsequence"]
    assert numbers_of(client.engine.take_events()) == [("h", before + 1)]


def test_a_restart_brings_the_events_that_are_not_stored() -> None:
    client = NumberedClient()
    client.run(HOOK, CHANNEL, ENTER, EXIT, ENTER)
    engine = recovered(client.log, [(b"h", 1, client.now_ns)])
    assert numbers_of(engine.take_recovered()) == [("h", 2), ("h", 3)]
    assert engine.take_recovered() is None
    # The events of channels are kept only with HISTORY.
    client.run(("SETCHAN", "c", "HISTORY", "10", *AREA), EXIT)
    engine = recovered(client.log, [(b"h", 4, client.now_ns)])
    assert numbers_of(engine.take_recovered()) == [("c", 4)]


def test_no_stored_number_is_given_again_if_the_log_lost_its_end() -> None:
    client = NumberedClient()
    client.run(HOOK)
    short = client.log
    client.run(ENTER)
    for log in (short, client.log):
        engine = recovered(log, [(b"h", 7, client.now_ns)])
        assert engine.take_recovered() is None
        assert NumberedClient(engine).run(EXIT, ENTER)[0][1] == 8


def test_a_recreated_hook_counts_from_one_and_gets_no_former_event() -> None:
    client = NumberedClient()
    client.run(HOOK, ENTER, EXIT, ("DELHOOK", "h"), HOOK)
    client.now_ns += 10**9
    assert client.run(ENTER) == [("h", 1)]
    engine = recovered(client.log, [(b"h", 1, START_NS)])
    assert numbers_of(engine.take_recovered()) == [("h", 1)]
    assert engine.sequence(b"h") == (1, client.now_ns)


def test_a_replaced_hook_counts_on() -> None:
    client = NumberedClient()
    client.run(HOOK, ENTER)
    client.run(("SETHOOK", "h", "http://127.0.0.1:2/", *AREA))
    client.call(*EXIT)
    client.run(HOOK)
    assert client.run(ENTER) == [("h", 2)]


def test_a_follower_gets_the_events_and_counts_on() -> None:
    leader = NumberedClient()
    leader.run(HOOK, CHANNEL, ENTER)
    engine = new_engine()
    followed = engine.follow(leader.log, 0, leader.now_ns)
    assert (followed.error, followed.log) == (None, leader.log)
    assert numbers_of(engine.take_events()) == [("c", 1), ("h", 1)]
    assert NumberedClient(engine).run(EXIT) == [("c", 2), ("h", 2)]


def test_a_full_copy_brings_its_events_along() -> None:
    leader = NumberedClient()
    leader.run(HOOK, ENTER)
    copy, engine = new_engine(), new_engine()
    copy.begin_recovery([])
    copy.load(leader.log, leader.now_ns)
    engine.adopt(copy)
    engine.take_events()
    assert numbers_of(engine.take_recovered()) == [("h", 1)]


def test_the_reply_tells_whether_the_number_is_higher(bench: Bench) -> None:
    bench.call(*map(str, HOOK))
    assert bench.call("SETSEQUENCE", "h", "5", BEGAN) == b":1\r\n"
    assert bench.call("SETSEQUENCE", "h", "5", BEGAN) == b":0\r\n"
    assert bench.call("SETSEQUENCE", "nope", "5", BEGAN) == b":0\r\n"
    bench.call("SETCHAN", "plain", *map(str, AREA))
    assert bench.call("SETSEQUENCE", "plain", "5", BEGAN) == b":0\r\n"
    assert bench.engine.sequence(b"h") == (5, START_NS)


def test_an_event_is_given_with_its_number() -> None:
    client = NumberedClient()
    client.run(HOOK)
    batch = client.session.feed(encode_words(EVENT) * 2, client.now_ns)
    assert batch.replies == b":1\r\n:0\r\n"
    assert batch.events is not None
    [event] = batch.events.hooks
    assert vars_of(event) == ("h", "fleet", "truck", "enter", b'{"a":1}', 1, START_NS, START_NS)


def vars_of(event: object) -> tuple[object, ...]:
    """Return the members of an event."""
    names = ("hook", "key", "object_id", "detect", "body", "sequence", "began_ns", "made_ns")
    return tuple(getattr(event, name) for name in names)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("h", "x", BEGAN), "invalid argument 'x'"),
        (("h", "-1", BEGAN), "invalid argument '-1'"),
        (("h", "1", "1.5"), "invalid argument '1.5'"),
        (("h", "1", BEGAN, BEGAN, "fleet", "nap", "{}"), "invalid argument 'nap'"),
        (("h", "1", BEGAN, BEGAN, "fleet", "enter"), "wrong number of arguments"),
        (("h", "1"), "wrong number of arguments"),
    ],
)
def test_bad_arguments(bench: Bench, words: tuple[str, ...], error: str) -> None:
    bench.call(*map(str, HOOK))
    assert bench.call("SETSEQUENCE", *words).startswith(f"-ERR {error}".encode())
    assert bench.engine.sequence(b"h") == (0, 0)


def test_hooks_of_keys_that_a_user_may_not_read_stay_as_they_are(bench: Bench) -> None:
    bench.call(*map(str, HOOK))
    bench.call("ACL", "SETUSER", "ann", "on", ">secret", "+@all", "~other")
    ann = bench.new_client()
    bench.call("AUTH", "ann", "secret", client=ann)
    assert bench.call("SETSEQUENCE", "h", "5", BEGAN, client=ann).startswith(b"-NOPERM")
    assert bench.call("SETDELIVERED", "h", "5", client=ann).startswith(b"-NOPERM")


@pytest.mark.parametrize("number", [2**53 + 1, 2**63 - 1, 2**64 - 1, 2**64, -1, "x"])
def test_numbers_that_receivers_cannot_hold_are_refused(number: int | str) -> None:
    client = EngineClient()
    client.call("SETCHAN", "c", "SEQUENCE", "yes", "WITHIN", "fleet", "BOUNDS", 0, 0, 9, 9)
    reply = str(client.call("SETSEQUENCE", "c", number, 1))
    assert reply == f"-ERR invalid argument '{number}'"
    assert str(client.call("SETSEQUENCE", "c", 2**53, 1)) == ":1"


@pytest.mark.parametrize("last", [("DELCHAN", "c"), ("PDELCHAN", "*")])
def test_the_last_events_of_a_deleted_channel_have_its_next_numbers(last: Words) -> None:
    client = NumberedClient()
    fence: Words = (*CHANNEL[:4], *AREA[:2], "ENDINGS", "yes", *AREA[2:])
    client.run(fence)
    for number, truck in enumerate(("a", "b"), 1):
        assert client.run(("SET", "fleet", truck, "POINT", 5, 5)) == [("c", number)]
    assert client.run(last) == [("c", 3), ("c", 4)]
    assert client.run(fence, ("SET", "fleet", "d", "POINT", 5, 5)) == [("c", 1)]
    assert loaded(client.log).statistics()["num_objects"] == 3
