"""SETDELIVERED: the log tells followers, and restarts, which numbered events are delivered."""

import pytest

from tests.support.bench import Bench
from tests.support.embedded import START_NS, new_engine
from tests.support.engine_logs import loaded, rewritten
from tests.support.numbered_events import ENTER, EXIT, HOOK, NumberedClient, numbers_of
from tile38py._engine import HookProgress


def test_a_restart_brings_no_event_that_is_delivered() -> None:
    client = NumberedClient()
    client.run(HOOK, ENTER, EXIT, ENTER, ("SETDELIVERED", "h", "2"), EXIT)
    engine = new_engine()
    engine.begin_recovery([])
    engine.load(client.log, START_NS)
    assert numbers_of(engine.take_recovered()) == [("h", 3), ("h", 4)]


def test_a_follower_learns_which_events_are_delivered() -> None:
    client = NumberedClient()
    client.run(HOOK, ENTER, EXIT)
    log = client.engine.set_delivered([(b"h", 2), (b"nope", 1)])
    assert client.engine.set_delivered([(b"h", 2), (b"h", 1)]) == b""
    engine = new_engine()
    engine.follow(client.log + log, 0, START_NS)
    events = engine.take_events()
    assert events is not None
    [progress] = [event for event in events.hooks if isinstance(event, HookProgress)]
    assert (progress.hook, progress.sequence) == ("h", 2)


def test_a_rewritten_log_tells_it_too() -> None:
    client = NumberedClient()
    client.run(HOOK, ENTER, EXIT, ("SETDELIVERED", "h", "1"))
    engine = loaded(rewritten(loaded(client.log)))
    assert engine.set_delivered([(b"h", 1)]) == b""
    assert engine.set_delivered([(b"h", 2)]) != b""


def test_the_reply_tells_whether_the_number_is_higher(bench: Bench) -> None:
    bench.call(*map(str, HOOK))
    bench.call(*map(str, ENTER))
    for name, number, reply in [("h", "1", 1), ("h", "1", 0), ("h", "0", 0), ("nope", "1", 0)]:
        assert bench.call("SETDELIVERED", name, number) == b":%d\r\n" % reply


@pytest.mark.parametrize("number", ["x", "-1", "1.5"])
def test_bad_numbers(bench: Bench, number: str) -> None:
    bench.call(*map(str, HOOK))
    error = f"-ERR invalid argument '{number}'\r\n".encode()
    assert bench.call("SETDELIVERED", "h", number) == error
