"""Visits of a real server: their timers last, and the ends reach the endpoints of deleted hooks."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.test_hooks import Receiver
from tests.support.pair import leader_and_follower, wait_until_equal
from tests.support.process import ServerProcess
from tests.support.waiting import wait_until

Words = tuple[str | float, ...]
INSIDE: Words = ("SET", "fleet", "truck", "POINT", 33, -115)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An endpoint that listens."""
    receiver = Receiver()
    yield receiver
    receiver.close()


def set_hook(server: ServerProcess, receiver: Receiver, *options: str) -> None:
    url = f"http://127.0.0.1:{receiver.port}/hook"
    fence: Words = ("NEARBY", "fleet", "FENCE", *options, "POINT", 33, -115, 10000)
    assert server.call("SETHOOK", "zone", url, *fence) == ":1"


def notes(receiver: Receiver) -> list[tuple[object, ...]]:
    """Return the detection of each message, and its reason."""
    messages = [json.loads(body) for body in receiver.received]
    return [(message.get("detect"), message.get("reason")) for message in messages]


def test_a_deleted_hook_sends_the_ends_of_its_visits(
    server: ServerProcess, receiver: Receiver
) -> None:
    ends: list[tuple[Words, str]] = [
        (("DELHOOK", "zone"), "hook deleted"),
        (("FLUSHDB",), "flushed"),
    ]
    for end, reason in ends:
        set_hook(server, receiver, "DETECT", "enter,exit", "ENDINGS", "yes")
        assert server.call(*INSIDE) == "+OK"
        server.call(*end)
        assert server.call("HOOKS", "*") == []
        assert "not found" in str(server.call("HOOKINFO", "zone"))
        expected = [("enter", None), ("exit", reason)]
        wait_until(lambda: len(receiver.received) == 2, what="the end of the visit")
        assert notes(receiver) == expected
        receiver.received.clear()


def test_a_hook_that_expires_tells_its_end(server: ServerProcess, receiver: Receiver) -> None:
    url = f"http://127.0.0.1:{receiver.port}/hook"
    fence: Words = ("NEARBY", "fleet", "DETECT", "enter,exit", "ENDINGS", "yes")
    area: Words = ("IDS", "POINT", 33, -115, 10000)
    assert server.call("SETHOOK", "zone", url, "META", "m", "v", "EX", 1, *fence, *area) == ":1"
    assert server.call(*INSIDE) == "+OK"
    wait_until(lambda: len(receiver.received) == 3, what="the end of the hook")
    assert notes(receiver) == [("enter", None), ("exit", "hook expired"), (None, None)]
    last = json.loads(receiver.received[-1])
    assert {name: last[name] for name in last if name != "time"} == {
        "command": "expire",
        "hook": "zone",
        "meta": {"m": "v"},
        "key": "fleet",
    }
    assert server.call("HOOKS", "*") == []


def test_a_dwell_goes_on_over_a_kill(server: ServerProcess, receiver: Receiver) -> None:
    set_hook(server, receiver, "DETECT", "dwell", "DWELL", "500ms")
    assert server.call(*INSIDE) == "+OK"
    server.kill()
    server.start()
    wait_until(lambda: len(receiver.received) == 1, what="the dwell")
    assert notes(receiver) == [("dwell", None)]


def test_a_follower_that_is_promoted_takes_the_timers_over(
    receiver: Receiver, tmp_path: Path
) -> None:
    with leader_and_follower(tmp_path) as (leader, follower):
        set_hook(leader, receiver, "DETECT", "dwell", "DWELL", "3s")
        assert leader.call(*INSIDE) == "+OK"
        wait_until_equal(leader, follower)
        leader.kill()
        assert receiver.received == []
        assert follower.call("FOLLOW", "no", "one") == "+OK"
        wait_until(lambda: len(receiver.received) == 1, what="the dwell")
        assert notes(receiver) == [("dwell", None)]
