"""PAUSEHOOK: a pause is data, which logs and copies carry."""

import json

import pytest

from tests.support.bench import Bench
from tests.support.embedded import EngineClient
from tests.support.engine_logs import loaded, log_of, rewritten
from tests.support.hook_pauses import FENCE, paused, sethook
from tests.support.resp import encode_command


def test_the_reply_tells_whether_the_hook_was_not_so_before() -> None:
    client = EngineClient()
    client.call(*sethook("h"))
    logged = client.log
    steps = [("PAUSEHOOK", ":1"), ("PAUSEHOOK", ":0"), ("RESUMEHOOK", ":1"), ("RESUMEHOOK", ":0")]
    assert [str(client.call(name, "h")) for name, _ in steps] == [reply for _, reply in steps]
    changes = encode_command([b"PAUSEHOOK", b"h"]) + encode_command([b"RESUMEHOOK", b"h"])
    assert client.log == logged + changes


@pytest.mark.parametrize("name", ["PAUSEHOOK", "RESUMEHOOK"])
def test_channels_and_unknown_names_count_none(bench: Bench, name: str) -> None:
    bench.call("SETCHAN", "c", *FENCE)
    assert bench.call(name, "c") == bench.call(name, "x") == b":0\r\n"


@pytest.mark.parametrize("name", ["PAUSEHOOK", "RESUMEHOOK", "PPAUSEHOOK", "PRESUMEHOOK"])
def test_exactly_one_name_is_needed(bench: Bench, name: str) -> None:
    error = f"-ERR wrong number of arguments for '{name.lower()}' command\r\n".encode()
    assert bench.call(name) == bench.call(name, "a", "b") == bench.call(name, "") == error


def test_delivery_learns_of_each_change() -> None:
    client = EngineClient()
    client.call(*sethook("h"))
    for words, hooks in [(b"pausehook h", ["h"]), (b"pausehook h", []), (b"presumehook *", ["h"])]:
        events = client.session.feed(words + b"\r\n", client.now_ns).events
        assert [change.hook for change in events.hooks] == hooks if events else not hooks


def test_hooks_shows_a_pause_in_json_only(bench: Bench) -> None:
    bench.call(*sethook("h"))
    plain = bench.call("HOOKS", "*")
    bench.call("PAUSEHOOK", "h")
    assert bench.call("HOOKS", "*") == plain
    bench.call("OUTPUT", "json")
    [hook] = json.loads(bench.call("HOOKS", "*").split(b"\r\n")[1])["hooks"]
    assert hook["paused"] is True
    bench.call("RESUMEHOOK", "h")
    [hook] = json.loads(bench.call("HOOKS", "*").split(b"\r\n")[1])["hooks"]
    assert "paused" not in hook


def test_a_replaced_hook_stays_paused_and_a_deleted_one_does_not() -> None:
    client = EngineClient()
    client.call(*sethook("h"))
    client.call("PAUSEHOOK", "h")
    assert str(client.call(*sethook("h"))) == ":0"
    assert str(client.call(*sethook("h", "http://127.0.0.1:2/"))) == ":1"
    assert paused(client.engine) == ["h"]
    client.call("DELHOOK", "h")
    client.call(*sethook("h"))
    assert paused(client.engine) == []


@pytest.mark.parametrize("is_rewritten", [False, True])
def test_a_pause_survives_a_restart(*, is_rewritten: bool) -> None:
    log = log_of(sethook("a"), sethook("b"), sethook("c"), ("PPAUSEHOOK", "*"), ("RESUMEHOOK", "b"))
    engine = loaded(log)
    if is_rewritten:
        engine = loaded(rewritten(engine))
    assert paused(engine) == ["a", "c"]


def test_a_full_copy_reports_the_hooks_whose_pause_differs() -> None:
    follower = loaded(log_of(sethook("a"), sethook("b")))
    follower.adopt(loaded(log_of(sethook("a"), sethook("b"), ("PAUSEHOOK", "b"))))
    events = follower.take_events()
    assert events is not None
    assert [change.hook for change in events.hooks] == ["b"]
    assert paused(follower) == ["b"]


def test_hooks_of_keys_that_a_user_may_not_read_stay_as_they_are(bench: Bench) -> None:
    bench.call(*sethook("h"))
    bench.call("ACL", "SETUSER", "ann", "on", ">secret", "+@all", "~other")
    ann = bench.new_client()
    bench.call("AUTH", "ann", "secret", client=ann)
    for words in [("PAUSEHOOK", "h"), ("PPAUSEHOOK", "*")]:
        assert bench.call(*words, client=ann).startswith(b"-NOPERM")
    assert paused(bench.engine) == []
