"""Numbered events of hooks: none is missing and none out of order, whatever is killed."""

import contextlib
import os
import random
import threading
from pathlib import Path

import pytest

from tests.support.number_receiver import NumberReceiver
from tests.support.pair import leader_and_follower, wait_until_equal
from tests.support.process import ServerProcess
from tests.support.waiting import wait_until

KILLS = int(os.environ.get("TILE38PY_TEST_KILLS", "6"))
SECONDS_EACH = 20
TRUCKS = 5
AHEAD_MAX = 300


def set_hook(server: ServerProcess, url: str, *options: str) -> None:
    """Set a hook with numbered events about trucks that enter and leave."""
    area = ("WITHIN", "fleet", "FENCE", "DETECT", "enter,exit", "BOUNDS", 0, 0, 9, 9)
    assert server.call("SETHOOK", "toll", url, "SEQUENCE", "yes", *options, *area) == ":1"


def move(server: ServerProcess, count: int, first: int = 0) -> None:
    """Let a truck enter and leave in turn, so many times; it is inside if `first` is odd."""
    with server.connect() as connection:
        for step in range(first, first + count):
            place = 50 if step % 2 else 5
            assert connection.call("SET", "fleet", "truck", "POINT", place, place) == "+OK"


def statistics(server: ServerProcess, hook: str = "toll") -> dict[str, str]:
    """Return the fields of HOOKSTATS about a hook."""
    reply = server.call("HOOKSTATS", hook)
    assert isinstance(reply, list)
    fields = reply[0][1]
    return {
        str(fields[at])[2:]: str(fields[at + 1]).lstrip("$: ") for at in range(0, len(fields), 2)
    }


def is_delivered(server: ServerProcess) -> bool:
    """Return whether the last event that was made is delivered."""
    fields = statistics(server)
    return fields["sequence"] == fields["sequence_delivered"] != "0"


class Driver:
    """A thread that moves trucks in and out, over all kills of the server.

    It is never far ahead of delivery, so that the end of a test needn't wait long.
    """

    def __init__(self, server: ServerProcess, receiver: NumberReceiver) -> None:
        """Start."""
        self._server = server
        self._receiver = receiver
        self._count = 0  # writes that were acknowledged
        self._is_ending = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        """Stop."""
        self._is_ending = True
        self._thread.join()

    def _run(self) -> None:
        step = 0
        while not self._is_ending:
            with contextlib.suppress(OSError):
                self._move(step)
            wait_until(self._may_go_on, seconds_max=60, what="delivery")
            step += 1

    def _may_go_on(self) -> bool:
        return self._is_ending or self._count - self._receiver.last.get("toll", 0) < AHEAD_MAX

    def _move(self, step: int) -> None:
        place = 50 if step % 2 else 5
        with self._server.connect() as connection:
            moves = [("SET", "fleet", f"truck{n}", "POINT", place, place) for n in range(TRUCKS)]
            self._count += connection.call_many(moves).count("+OK")


def wait_for_events(receiver: NumberReceiver, count: int) -> None:
    """Wait until so many more events have come."""
    until = receiver.last.get("toll", 0) + count
    wait_until(lambda: receiver.last.get("toll", 0) >= until, what="events")


@pytest.mark.timeout(60 + KILLS * SECONDS_EACH)
def test_kills_of_server_and_endpoint_lose_no_number(tmp_path: Path) -> None:
    seed = int(os.environ.get("TILE38PY_TEST_SEED", random.randrange(2**32)))
    print(f"TILE38PY_TEST_SEED={seed}")
    chance = random.Random(seed)
    with NumberReceiver() as receiver, ServerProcess(tmp_path) as server:
        set_hook(server, receiver.url)
        driver = Driver(server, receiver)
        try:
            for _ in range(KILLS):
                wait_for_events(receiver, chance.randrange(1, 200))
                what = chance.choice(["server", "server", "endpoint", "both", "shrink"])
                if what in {"endpoint", "both"}:
                    receiver.kill()
                if what == "shrink":
                    server.call("AOFSHRINK")
                if what != "endpoint":
                    server.kill()
                    server.start(port=server.port)
                receiver.revive()
        finally:
            driver.end()
        wait_until(lambda: is_delivered(server), what="delivery of all events")
        assert receiver.faults == []
        assert receiver.last["toll"] == int(statistics(server)["sequence"])


def test_the_events_of_a_shrunk_log_are_kept(tmp_path: Path) -> None:
    with NumberReceiver() as receiver, ServerProcess(tmp_path) as server:
        receiver.is_up = False
        set_hook(server, receiver.url)
        move(server, 30)
        server.call("AOFSHRINK")
        log = server.data / "appendonly.aof"
        wait_until(lambda: b"setsequence" in log.read_bytes(), what="a shrunk log")
        wait_until(lambda: log.read_bytes().count(b"setsequence") == 1, what="a shrunk log")
        server.kill()
        server.start()
        receiver.revive()
        move(server, 1)
        wait_until(lambda: is_delivered(server), what="delivery of all events")
        assert receiver.faults == []
        assert receiver.last == {"toll": 31}


def test_a_fail_over_loses_no_number(tmp_path: Path) -> None:
    with NumberReceiver() as receiver, leader_and_follower(tmp_path) as (leader, follower):
        set_hook(leader, receiver.url)
        move(leader, 3)
        wait_until(lambda: receiver.last == {"toll": 3}, what="three events")
        receiver.is_up = False
        move(leader, 40, first=3)
        wait_until_equal(leader, follower)
        leader.kill()
        assert statistics(follower)["sequence"] == "43"
        receiver.revive()
        assert follower.call("FOLLOW", "no", "one") == "+OK"
        move(follower, 1, first=43)
        wait_until(lambda: receiver.last == {"toll": 44}, what="all events")
        assert receiver.faults == []


def test_a_follower_keeps_no_event_that_its_leader_delivered(tmp_path: Path) -> None:
    with NumberReceiver() as receiver, leader_and_follower(tmp_path) as (leader, follower):
        set_hook(leader, receiver.url)
        move(leader, 50)
        wait_until(lambda: statistics(follower)["waiting"] == "50", what="all events")
        wait_until(lambda: statistics(follower)["waiting"] == "0", what="the leader's progress")
        assert statistics(follower)["sequence_delivered"] == "50"
        assert receiver.last == {"toll": 50}


def test_a_former_leader_takes_over_the_events_of_its_follower(tmp_path: Path) -> None:
    with NumberReceiver() as receiver, leader_and_follower(tmp_path) as (leader, follower):
        receiver.is_up = False
        set_hook(leader, receiver.url)
        move(leader, 3)
        wait_until_equal(leader, follower)
        assert follower.call("FOLLOW", "no", "one") == "+OK"
        move(leader, 3, first=3)  # the follower never gets these
        move(follower, 5, first=3)
        assert leader.call("FOLLOW", "127.0.0.1", follower.port) == "+OK"
        wait_until_equal(follower, leader)
        assert statistics(leader)["waiting"] == "8"
        follower.kill()
        receiver.revive()
        assert leader.call("FOLLOW", "no", "one") == "+OK"
        wait_until(lambda: is_delivered(leader), what="delivery of all events")
        assert receiver.faults == []
        assert receiver.last == {"toll": 8}


def test_numbered_events_outlive_hook_queue_ttl(tmp_path: Path) -> None:
    with NumberReceiver() as receiver, ServerProcess(tmp_path) as server:
        receiver.is_up = False
        set_hook(server, receiver.url)
        server.call("CONFIG", "SET", "hook-queue-ttl", 1)
        plain = ("WITHIN", "fleet", "FENCE", "DETECT", "enter,exit", "BOUNDS", 0, 0, 9, 9)
        server.call("SETHOOK", "plain", receiver.url, *plain)
        move(server, 4)
        expired = ["expired", "4"]
        wait_until(
            lambda: expired_of(server, "plain") == expired, what="expired events of the other hook"
        )
        receiver.revive()
        wait_until(lambda: receiver.last.get("toll") == 4, what="all numbered events")


def expired_of(server: ServerProcess, hook: str) -> list[str]:
    """Return the counter of expired events of a hook."""
    reply = server.call("HOOKSTATS", hook)
    assert isinstance(reply, list)
    fields = [str(field).lstrip("$: ") for field in reply[0][1]]
    at = fields.index("expired")
    return fields[at : at + 2]
