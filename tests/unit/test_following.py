"""What a follower's engine does with its leader's stream, and with data loaded beside the old."""

import threading

import pytest

from tests.support.embedded import EngineClient, new_engine, run_unit
from tests.support.fakes import command
from tile38py._engine import Engine, ReadUnit
from tile38py.commands.registry import COMMANDS

SECOND_NS = 1_000_000_000


def follower() -> EngineClient:
    engine = Engine()
    engine.register(COMMANDS.by_name["PUBLISH"].record)
    engine.set_state(
        loading=False,
        requires_password=False,
        following=True,
        caught_up_once=True,
        read_only=False,
    )
    engine.bound_memory(1)  # what the leader accepted is applied nevertheless
    return EngineClient(engine)


def test_what_is_consumed_is_what_is_logged() -> None:
    client = follower()
    followed = client.engine.follow(
        b"set k a point 1 2\n\0\0publish c m\xff\ndel no no\ndel k", 0, client.now_ns
    )
    assert (followed.consumed, followed.commands, followed.error) == (43, 3, None)
    assert followed.log == b"set k a point 1 2\n\0\0del no no\n"
    assert followed.published == [(b"c", b"m\xff")]
    assert followed.skipped == []
    assert str(client.call("TYPE", "k")) == "+hash"


def test_an_error_ends_the_stream_before_it() -> None:
    client = follower()
    followed = client.engine.follow(b"set k a point 1 2\nbogus\n", 0, client.now_ns)
    assert (followed.consumed, followed.error) == (18, "unknown command 'bogus'")
    assert followed.log == b"set k a point 1 2\n"


def test_a_follower_logs_no_expiry_and_gets_back_what_its_leader_names() -> None:
    client = follower()
    client.engine.follow(b"set k a ex 1 point 1 2\n", 0, client.now_ns)
    client.session.feed(b"within k fence bounds 0 0 9 9\r\n", client.now_ns)
    client.now_ns += 2 * SECOND_NS
    assert client.engine.expire(client.now_ns, 10) == (b"", 1)
    events = client.engine.take_events()
    assert events is not None
    [event] = events.live
    assert (event.key, event.object_id, event.detect) == ("k", "a", None)
    assert not events.hooks
    assert not events.channels
    client.engine.follow(b"persist k a\n", 0, client.now_ns)
    assert client.engine.statistics()["num_objects"] == 1


def test_adopted_data_takes_the_place_of_the_old() -> None:
    client = EngineClient()
    client.call("SET", "old", "a", "POINT", 1, 2)
    client.call("SETHOOK", "h", "http://x/y", "NEARBY", "k", "FENCE", "POINT", 1, 1, 5)
    client.engine.take_events()
    staging = new_engine()
    assert staging.load(b"set new b point 1 2\n", client.now_ns).error is None
    discarded = client.engine.adopt(staging)
    events = client.engine.take_events()
    assert events is not None
    [change] = events.hooks
    assert change.hook == "h"
    assert client.engine.hook_names() == []
    assert str(client.call("TYPE", "new")) == "+hash"
    assert staging.statistics()["num_objects"] == 0
    thread = threading.Thread(target=discarded.free)
    thread.start()
    thread.join(timeout=20)
    discarded.free()
    assert client.engine.statistics()["num_collections"] == 1


def test_a_long_read_goes_on_with_the_data_it_began_with() -> None:
    client = EngineClient()
    count = 50_000
    data = "".join(f"set k {number} string x\n" for number in range(count))
    assert client.engine.load(data.encode(), client.now_ns).error is None
    stop = client.session.feed(b"scan k match *z limit 100000 count\r\n", client.now_ns).stop
    assert isinstance(stop, ReadUnit)
    client.engine.adopt(new_engine()).free()
    assert run_unit(client.session, stop) == b":0\r\n"
    stop = client.session.feed(b"scan k count\r\n", client.now_ns).stop
    assert stop is None


def test_an_engine_does_not_adopt_itself() -> None:
    engine = new_engine()
    with pytest.raises(ValueError, match="own data"):
        engine.adopt(engine)


def test_long_commands_are_parsed_before_and_their_log_is_not_copied() -> None:
    client = follower()
    points = b'{"type":"MultiPoint","coordinates":[[1,2]%b]}' % (b",[3,4]" * 50_000)
    small = command(b"SET", b"k", b"b", b"POINT", b"1", b"2")
    long = command(b"SET", b"k", b"a", b"OBJECT", points)
    stream = small + long + small + long + b"*5\r\n$3\r\nSET"
    parsed = client.engine.parse_long(stream)
    followed = client.engine.follow(stream, 0, client.now_ns, parsed)
    assert (followed.commands, followed.error) == (4, None)
    assert isinstance(followed.log, memoryview)
    assert followed.log == small + long + small + long
    assert followed.log.obj is stream
    assert client.call("GET", "k", "a", "BOUNDS") == [["$ 2", "$ 1"], ["$ 4", "$ 3"]]
    again = client.engine.follow(small + long, 0, client.now_ns, parsed)
    assert (again.commands, again.log) == (2, small + long)


def test_a_long_text_that_is_no_geometry_ends_the_stream() -> None:
    client = follower()
    stream = command(b"SET", b"k", b"a", b"OBJECT", b"[" * 300_000)
    followed = client.engine.follow(stream, 0, client.now_ns, client.engine.parse_long(stream))
    assert (followed.consumed, followed.log) == (0, b"")
    assert followed.error is not None
