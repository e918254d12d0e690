"""SUBSCRIBE channel FROM number: past events first, then those that follow."""

import pytest

from tests.support.bench import Bench
from tests.support.fakes import FakeClient


def subscriber(bench: Bench, *words: str) -> tuple[FakeClient, bytes]:
    """Return a new client and the reply to its SUBSCRIBE."""
    client = bench.new_client()
    return client, bench.call("SUBSCRIBE", *words, client=client)


def numbers(data: bytes) -> list[int]:
    """Return the numbers of the messages."""
    return [int(part.partition(b"}")[0]) for part in data.split(b'"sequence":')[1:]]


@pytest.mark.parametrize(
    ("word", "expected"),
    [("5", [5, 6, 7]), ("7", [7]), ("8", []), ("oldest", [3, 4, 5, 6, 7])],
)
@pytest.mark.parametrize("from_word", ["FROM", "from"])
def test_past_events_come_behind_the_reply(
    bench: Bench, word: str, expected: list[int], from_word: str
) -> None:
    bench.history.fill("c", 3, 7)
    client, reply = subscriber(bench, "c", from_word, word)
    assert reply == b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"
    assert numbers(client.taken()) == expected
    assert bench.call("PUBLISH", "c", "live") == b":1\r\n"


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("2", "history of 'c' has events 3 to 7"),
        ("0", "history of 'c' has events 3 to 7"),
        ("9", "history of 'c' has events 3 to 7"),
        ("x", "invalid argument 'x'"),
        ("-1", "invalid argument '-1'"),
        ("9" * 20, f"invalid argument '{'9' * 20}'"),
    ],
)
def test_other_numbers_are_refused(bench: Bench, word: str, error: str) -> None:
    bench.history.fill("c", 3, 7)
    client, reply = subscriber(bench, "c", "FROM", word)
    assert reply == f"-ERR {error}\r\n".encode()
    assert client.listener is None
    assert bench.call("PUBLISH", "c", "live") == b":0\r\n"


def test_a_channel_without_history_is_refused(bench: Bench) -> None:
    _, reply = subscriber(bench, "c", "FROM", "1")
    assert reply == b"-ERR channel 'c' has no history\r\n"


def test_a_history_may_be_empty(bench: Bench) -> None:
    bench.history.events["c"] = []
    _, reply = subscriber(bench, "c", "FROM", "2")
    assert reply == b"-ERR history of 'c' is empty up to 0\r\n"
    _, reply = subscriber(bench, "c", "FROM", "1")
    assert reply.startswith(b"*3")


def test_a_subscriber_may_start_again(bench: Bench) -> None:
    bench.history.fill("c", 1, 3)
    client, _ = subscriber(bench, "c", "other")
    reply = bench.call("SUBSCRIBE", "c", "FROM", "2", client=client)
    assert reply.endswith(b":2\r\n")
    assert numbers(client.taken()) == [2, 3]
    bench.call("UNSUBSCRIBE", "c", client=client)
    assert bench.call("PUBLISH", "c", "live") == b":0\r\n"


def test_past_events_wait_for_the_log_as_the_reply_does(bench: Bench) -> None:
    bench.history.fill("c", 1, 3)
    client = bench.new_client()
    bench.fake_journal.is_dirty = True
    bench.call("SUBSCRIBE", "c", "FROM", "1", client=client)
    assert client.taken() == b""
    bench.fake_journal.flush()
    assert numbers(client.taken()) == [1, 2, 3]


def test_the_number_is_no_channel_of_a_users_rights(bench: Bench) -> None:
    bench.history.fill("c", 1, 3)
    bench.call("ACL", "SETUSER", "ann", "on", ">secret", "+@all", "resetchannels", "&c")
    client = bench.new_client()
    bench.call("AUTH", "ann", "secret", client=client)
    assert bench.call("SUBSCRIBE", "other", "FROM", "1", client=client).startswith(b"-NOPERM")
    assert bench.call("SUBSCRIBE", "c", "FROM", client=client).startswith(b"-NOPERM")
    assert bench.call("SUBSCRIBE", "c", "FROM", "1", client=client).startswith(b"*3")


def test_psubscribe_takes_from_for_a_pattern(bench: Bench) -> None:
    client = bench.new_client()
    reply = bench.call("PSUBSCRIBE", "c", "FROM", "1", client=client)
    assert reply.count(b"psubscribe") == 3
