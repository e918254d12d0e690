"""Dead letters, bounded queues and replays of a real server."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.test_numbered_events import is_delivered, move, statistics
from tests.support.number_receiver import NumberReceiver
from tests.support.process import ServerProcess
from tests.support.waiting import wait_until

AREA = ("WITHIN", "fleet", "FENCE", "DETECT", "enter,exit", "BOUNDS", 0, 0, 9, 9)


@pytest.fixture
def receiver() -> Iterator[NumberReceiver]:
    """An endpoint."""
    with NumberReceiver() as receiver:
        yield receiver


@pytest.fixture
def graveyard() -> Iterator[NumberReceiver]:
    """An endpoint for dead letters."""
    with NumberReceiver() as receiver:
        yield receiver


def set_hook(server: ServerProcess, url: str, *options: str) -> None:
    """Set a hook with numbered events about trucks that enter and leave."""
    assert server.call("SETHOOK", "toll", url, "SEQUENCE", "yes", *options, *AREA) == ":1"


def dead_letters(server: ServerProcess) -> dict[str, str]:
    """Return the fields of DEADLETTERS about the hook."""
    reply = server.call("DEADLETTERS", "t*")
    assert isinstance(reply, list)
    texts = [str(field).lstrip("$: ") for field in reply[0][1]]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def numbers(receiver: NumberReceiver) -> list[object]:
    """Return the numbers of all events but repetitions."""
    return [body["sequence"] for body in receiver.bodies]


def test_expired_events_are_dead_letters_even_over_a_restart(
    server: ServerProcess, receiver: NumberReceiver, graveyard: NumberReceiver
) -> None:
    receiver.is_up = graveyard.is_up = False
    set_hook(server, receiver.url, "TTL", "1s", "DEADLETTER", graveyard.url)
    move(server, 20)
    wait_until(lambda: dead_letters(server)["count"] == "20", what="dead letters")
    wait_until(lambda: dead_letters(server)["last_error"], what="an error")
    assert dead_letters(server)["url"] == graveyard.url
    assert statistics(server)["dead_letters"] == statistics(server)["expired"] == "20"
    assert server.stop() == 0
    server.start()
    assert dead_letters(server)["waiting"] == "20"
    graveyard.revive()
    wait_until(lambda: graveyard.last == {"toll": 20}, what="all dead letters")
    assert graveyard.faults == []
    assert numbers(receiver) == []
    receiver.revive()
    move(server, 1)
    wait_until(lambda: numbers(receiver) == [21], what="the next event")


def test_events_beyond_the_bound_of_a_queue_are_dead_letters(
    server: ServerProcess, receiver: NumberReceiver, graveyard: NumberReceiver
) -> None:
    receiver.is_up = False
    set_hook(server, receiver.url, "QUEUE", "64kb", "DEADLETTER", graveyard.url)
    move(server, 600)
    wait_until(lambda: int(statistics(server)["dropped"]) > 200, what="dropped events")
    wait_until(lambda: dead_letters(server)["waiting"] == "0", what="dead letters")
    receiver.revive()
    wait_until(lambda: is_delivered(server), what="delivery of the others")
    buried, delivered = numbers(graveyard), numbers(receiver)
    assert [*buried, *delivered] == [*range(1, 601)]
    assert 200 < len(delivered) < 400


def test_a_deleted_hook_takes_its_dead_letters_along(
    server: ServerProcess, receiver: NumberReceiver, graveyard: NumberReceiver
) -> None:
    receiver.is_up = graveyard.is_up = False
    set_hook(server, receiver.url, "TTL", "10ms", "DEADLETTER", graveyard.url)
    move(server, 5)
    wait_until(lambda: dead_letters(server)["count"] == "5", what="dead letters")
    assert server.call("DELHOOK", "toll") == ":1"
    assert server.call("DEADLETTERS", "*") == []
    set_hook(server, receiver.url, "DEADLETTER", graveyard.url)
    graveyard.revive()
    receiver.revive()
    move(server, 1, first=5)
    move(server, 1, first=6)
    wait_until(lambda: is_delivered(server), what="the new hook's events")
    assert numbers(graveyard) == []


def test_a_replay_sends_past_events_and_then_the_next(
    server: ServerProcess, receiver: NumberReceiver
) -> None:
    set_hook(server, receiver.url, "HISTORY", "1h")
    move(server, 30)
    wait_until(lambda: receiver.last == {"toll": 30}, what="all events")
    assert statistics(server)["history_first"] == "1"
    receiver.last.clear()
    receiver.bodies.clear()
    receiver.last["toll"] = 10
    assert server.call("REPLAYHOOK", "toll", "FROM", 11) == ":20"
    move(server, 2, first=30)
    wait_until(lambda: receiver.last == {"toll": 32}, what="the replay and the next ones")
    assert receiver.faults == []
    assert numbers(receiver) == [*range(11, 33)]


def test_a_replay_goes_on_after_a_kill(tmp_path: Path, receiver: NumberReceiver) -> None:
    with ServerProcess(tmp_path) as server:
        set_hook(server, receiver.url, "HISTORY", "1h")
        move(server, 4000)
        wait_until(lambda: is_delivered(server), seconds_max=25, what="all events")
        receiver.last.clear()
        receiver.bodies.clear()
        done = threading.Event()
        assert server.call("REPLAYHOOK", "toll", "FROM", "oldest") == ":4000"
        wait_until(lambda: receiver.last.get("toll", 0) > 300, what="a part of the replay")
        server.kill()
        server.start()
        move(server, 1)
        wait_until(lambda: receiver.last == {"toll": 4001}, seconds_max=25, what="the rest")
        done.set()
        assert receiver.faults == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("nope", "FROM", "1"), "hook not found"),
        (("plain", "FROM", "1"), "hook 'plain' has no history"),
        (("toll", "FROM", "9"), "history of 'toll' is empty up to 0"),
        (("toll", "FROM", "x"), "invalid argument 'x'"),
        (("toll", "TO", "1"), "invalid argument 'TO'"),
    ],
)
def test_replays_that_are_refused(
    server: ServerProcess, words: tuple[str, ...], error: str
) -> None:
    set_hook(server, "http://127.0.0.1:1/", "HISTORY", "5")
    server.call("SETHOOK", "plain", "http://127.0.0.1:1/", *AREA)
    assert server.call("REPLAYHOOK", *words) == f"-ERR {error}"
    assert json.dumps(server.call("DEADLETTERS", "*")) == "[]"
