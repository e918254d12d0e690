"""REPLAYHOOK: who may ask for which past events. The replay itself: scenarios."""

import json

import pytest

from tests.support.bench import Bench

AREA = ("WITHIN", "fleet", "BOUNDS", "0", "0", "9", "9")


@pytest.fixture
def history(bench: Bench) -> Bench:
    """A server with a hook that has events 3 to 7."""
    bench.call("SETHOOK", "h", "http://127.0.0.1:1/", "HISTORY", "5", *AREA)
    bench.history.fill("h", 3, 7)
    return bench


@pytest.mark.parametrize(
    ("number", "count", "position"), [("5", 3, 5), ("3", 5, 3), ("8", 0, 8), ("Oldest", 5, 3)]
)
def test_the_reply_is_the_number_of_events(
    history: Bench, number: str, count: int, position: int
) -> None:
    assert history.call("REPLAYHOOK", "h", "from", number) == b":%d\r\n" % count
    assert history.outbox.replays == [("h", position)]


def test_in_json_it_is_a_member(history: Bench) -> None:
    history.call("OUTPUT", "json")
    reply = history.call("REPLAYHOOK", "h", "FROM", "5")
    assert json.loads(reply.split(b"\r\n")[1])["events"] == 3


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("h", "FROM", "2"), "history of 'h' has events 3 to 7"),
        (("h", "FROM", "9"), "history of 'h' has events 3 to 7"),
        (("h", "FROM", "-1"), "invalid argument '-1'"),
        (("h", "SINCE", "5"), "invalid argument 'SINCE'"),
        (("nope", "FROM", "5"), "hook not found"),
        (("channel", "FROM", "5"), "hook not found"),
        (("plain", "FROM", "5"), "hook 'plain' has no history"),
        (("h", "FROM"), "wrong number of arguments for 'replayhook' command"),
    ],
)
def test_other_requests_are_refused(history: Bench, words: tuple[str, ...], error: str) -> None:
    history.call("SETCHAN", "channel", "HISTORY", "5", *AREA)
    history.call("SETHOOK", "plain", "http://127.0.0.1:1/", *AREA)
    assert history.call("REPLAYHOOK", *words) == f"-ERR {error}\r\n".encode()
    assert history.outbox.replays == []


def test_followers_refuse_it(history: Bench) -> None:
    history.gates.is_following = history.gates.caught_up_once = True
    history.gates.apply()
    assert history.call("REPLAYHOOK", "h", "FROM", "5") == b"-ERR not the leader\r\n"
