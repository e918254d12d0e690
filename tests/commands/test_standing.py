"""TOP and COUNTS: fences that send the answer of a search when it changes."""

import pytest

from tests.support.bench import Bench
from tests.support.fakes import SECOND
from tests.support.fence_listener import FenceListener, Message, channel
from tile38py._engine import HookEvent

HOOK_URL = "http://127.0.0.1:1/"
TOP = ("NEARBY", "fleet", "FENCE", "TOP", "2", "IDS", "POINT", "0", "0")
COUNTS = ("WITHIN", "fleet", "FENCE", "COUNTS", "BOUNDS", "0", "0", "9", "9")


def move(bench: Bench, name: str, place: float, *options: str) -> None:
    """Set an object on the equator."""
    assert bench.call("SET", "fleet", name, *options, "POINT", "0", str(place)) == b"+OK\r\n"


def sweep(bench: Bench) -> None:
    """Send the messages that are due, as the server does ten times a second."""
    bench.engine.expire(bench.clock.now_ns(), 100)
    events = bench.engine.take_events()
    if events is not None:
        bench.router.route(events)


def listen(bench: Bench, *words: str) -> FenceListener:
    """Open a live fence; return it behind its first message."""
    listener = FenceListener(bench, *words)
    sweep(bench)
    return listener


def parts(message: Message) -> dict[str, object]:
    """Return the members of a message that tell the answer, with ids and ranks of entries."""
    found = {}
    for name in ("all", "in", "moved"):
        entries = message.get(name)
        if isinstance(entries, list):
            found[name] = [f"{entry['id']} {entry['rank']}" for entry in entries]
    return found | {name: message[name] for name in ("out", "count") if name in message}


def test_top_sends_the_whole_list_first_then_differences(bench: Bench) -> None:
    for at, name in enumerate("abc", 1):
        move(bench, name, at)
    listener = listen(bench, *TOP)
    move(bench, "a", 1.5)
    move(bench, "c", 0.5)
    move(bench, "d", 5)
    bench.call("DEL", "fleet", "c")
    assert [parts(message) for message in listener.messages()] == [
        {"all": ["a 1", "b 2"]},
        {"moved": ["a 1"]},
        {"in": ["c 1"], "out": ["b"]},
        {"in": ["b 2"], "out": ["c"]},
    ]


def test_entries_show_distance_object_and_fields(bench: Bench) -> None:
    move(bench, "a", 1, "FIELD", "speed", "5")
    words = ("NEARBY", "fleet", "FENCE", "TOP", "5", "POINTS", "POINT", "0", "0")
    [message] = listen(bench, *words).messages()
    assert list(message) == ["command", "key", "time", "all"]
    assert (message["command"], message["key"]) == ("top", "fleet")
    assert message["all"] == [
        {
            "id": "a",
            "rank": 1,
            "distance": pytest.approx(111194.93, abs=0.01),
            "point": {"lat": 0, "lon": 1},
            "fields": {"speed": 5},
        }
    ]


def test_top_around_an_object_follows_it(bench: Bench) -> None:
    bench.call("SET", "boats", "anna", "POINT", "0", "0")
    for at, name in enumerate("abc", 1):
        move(bench, name, at)
    words = (*TOP[:6], "OBJECT", "boats", "anna")
    listener = listen(bench, *words)
    bench.call("SET", "boats", "anna", "POINT", "0", "9")
    bench.call("DEL", "boats", "anna")
    move(bench, "a", 2)
    bench.call("SET", "boats", "anna", "POINT", "0", "0")
    assert [parts(message) for message in listener.messages()] == [
        {"all": ["a 1", "b 2"]},
        {"in": ["c 1"], "out": ["a"], "moved": ["b 2"]},
        {"out": ["c", "b"]},
        {"in": ["a 1", "b 2"]},
    ]


def test_an_object_that_is_the_centre_is_not_in_its_list(bench: Bench) -> None:
    for name, place in (("a", 1), ("b", 2), ("c", 3.05)):
        move(bench, name, place)
    listener = listen(bench, *TOP[:6], "OBJECT", "fleet", "b", "120000")
    move(bench, "b", 2.5)
    assert [parts(message) for message in listener.messages()] == [
        {"all": ["a 1", "c 2"]},
        {"out": ["a"], "moved": ["c 1"]},
    ]


def test_exactly_one_more_object_than_the_first_search_looks_at(bench: Bench) -> None:
    # The search asks for two more than the list has; all four objects are within reach.
    for at, name in enumerate("abcd", 1):
        move(bench, name, at / 10)
    listener = listen(bench, *TOP, "90000")
    bench.call("DEL", "fleet", "a")
    move(bench, "e", 0.5)
    bench.call("DEL", "fleet", "b")
    assert [parts(message) for message in listener.messages()] == [
        {"all": ["a 1", "b 2"]},
        {"in": ["c 2"], "out": ["a"]},
        {"in": ["d 2"], "out": ["b"]},
    ]


def test_filters_hold_for_the_list(bench: Bench) -> None:
    for at, name in enumerate("abc", 1):
        move(bench, name, at, "FIELD", "speed", str(at))
    words = ("NEARBY", "fleet", "FENCE", "WHERE", "speed", "2", "9", *TOP[3:])
    listener = listen(bench, *words)
    bench.call("FSET", "fleet", "b", "speed", "1")
    bench.call("FSET", "fleet", "a", "speed", "5")
    assert [parts(message) for message in listener.messages()] == [
        {"all": ["b 1", "c 2"]},
        {"out": ["b"]},
        {"in": ["a 1"]},
    ]


def test_counts_send_the_number_when_it_changes(bench: Bench) -> None:
    move(bench, "a", 1)
    listener = listen(bench, *COUNTS)
    for name, place in (("a", 2), ("b", 3), ("c", 20), ("b", 20)):
        move(bench, name, place)
    bench.call("DROP", "fleet")
    messages = listener.messages()
    assert [message["count"] for message in messages] == [1, 2, 1, 0]
    assert list(messages[0]) == ["command", "key", "time", "count"]


def test_every_joins_changes_and_sends_the_last_one(bench: Bench) -> None:
    words = (*COUNTS[:4], "EVERY", "5s", *COUNTS[4:])
    listener = listen(bench, *words)
    told = []
    for second in range(12):
        bench.clock.time_ns += SECOND
        if second < 4:
            move(bench, f"car{second}", 1)
        sweep(bench)
        told += [(second, message["count"]) for message in listener.messages()]
    assert told == [(0, 0), (4, 4)]


def test_changes_that_take_each_other_back_send_nothing(bench: Bench) -> None:
    move(bench, "a", 1)
    listener = listen(bench, *TOP[:5], "EVERY", "5s", *TOP[5:])
    for place in (2, 3, 1):
        move(bench, "a", place)
    bench.clock.time_ns += 9 * SECOND
    sweep(bench)
    assert [parts(message) for message in listener.messages()] == [{"all": ["a 1"]}]


def test_flushdb_and_rename_change_answers(bench: Bench) -> None:
    move(bench, "a", 1)
    counts, top = listen(bench, *COUNTS), listen(bench, *TOP)
    bench.call("RENAME", "fleet", "old")
    bench.call("SET", "new", "b", "POINT", "0", "2")
    bench.call("RENAME", "new", "fleet")
    bench.call("FLUSHDB")
    sweep(bench)
    assert [message["count"] for message in counts.messages()] == [1, 0, 1, 0]
    assert [parts(message) for message in top.messages()] == [
        *({"all": ["a 1"]}, {"out": ["a"]}, {"in": ["b 1"]}, {"all": []}),
    ]


def test_a_hook_gets_answers_in_one_order(bench: Bench) -> None:
    assert bench.call("SETHOOK", "h", HOOK_URL, "META", "m", "v", *TOP) == b":1\r\n"
    move(bench, "a", 1)
    bench.fake_journal.flush()
    events = [event for event in bench.hooks.taken if isinstance(event, HookEvent)]
    # Brokers choose the partition by key and id: all messages of the hook are in one.
    assert [(event.key, event.object_id, event.detect) for event in events] == [
        ("fleet", "", None),
        ("fleet", "", None),
    ]
    assert events[0].body.startswith(b'{"command":"top","hook":"h","meta":{"m":"v"},"key":"fleet"')


def test_a_follower_is_silent_and_sends_the_whole_answer_when_it_leads(bench: Bench) -> None:
    bench.gates.is_following = True
    bench.gates.apply()
    channel_words = ("SETCHAN", "c", *COUNTS)
    log = b"".join(
        b"*%d\r\n%s" % (len(words), b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        for words in (
            [word.encode() for word in channel_words],
            [b"SET", b"fleet", b"a", b"POINT", b"1", b"1"],
        )
    )
    bench.engine.follow(log, 0, bench.clock.now_ns())
    sweep(bench)
    listener = FenceListener(bench, "SUBSCRIBE", "c")
    assert listener.messages() == []
    bench.gates.is_following = False
    bench.gates.apply()
    sweep(bench)
    assert [message["count"] for message in listener.messages()] == [1]


def test_the_words_are_listed_as_typed(bench: Bench) -> None:
    listener = channel(bench, "nearby", "fleet", "top", "2", "every", "1s", "POINT", "0", "0")
    assert [parts(message) for message in listener.messages()] == []
    listed = bench.call("CHANS", "*")
    assert all(b"$%d\r\n%s\r\n" % (len(w), w) in listed for w in (b"top", b"every", b"1s"))


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("NEARBY", "k", "TOP", "0"), "ERR invalid argument '0'"),
        (("NEARBY", "k", "TOP", "1001"), "ERR invalid argument '1001'"),
        (("NEARBY", "k", "TOP", "1", "COUNTS"), "ERR duplicate argument 'COUNTS'"),
        (("NEARBY", "k", "TOP", "1", "EVERY", "x"), "ERR invalid argument 'x'"),
        (("NEARBY", "k", "TOP", "1", "DETECT", "enter"), "DETECT is not allowed for TOP"),
        (("NEARBY", "k", "COUNTS", "COMMANDS", "set"), "COMMANDS is not allowed for COUNTS"),
        (("NEARBY", "k", "COUNTS", "VALID", "Mon"), "VALID is not allowed for COUNTS"),
        (("NEARBY", "k", "COUNTS", "COUNT"), "COUNT is not allowed for COUNTS"),
        (("NEARBY", "k", "TOP", "1", "BUFFER", "5"), "BUFFER is not allowed for TOP"),
        (("WITHIN", "k", "TOP", "1"), "TOP is not allowed for WITHIN"),
        (("WITHIN", "k", "COUNTS", "IN", "zones"), "COUNTS needs a fixed area"),
        (("NEARBY", "k", "COUNTS", "ROAM", "k", "*", "5"), "COUNTS needs a fixed area"),
        (("NEARBY", "k", "TOP", "1", "ROAM", "k", "*", "5"), "ERR invalid argument 'ROAM'"),
    ],
)
def test_errors(bench: Bench, words: tuple[str, ...], error: str) -> None:
    area = () if words[-1] in ("zones", "5") and "BUFFER" not in words else ("POINT", "0", "0", "9")
    assert bench.call("SETCHAN", "c", *words, *area) == f"-{error}\r\n".encode()


def test_a_search_that_is_no_fence_stands_for_nothing(bench: Bench) -> None:
    reply = bench.call("NEARBY", "fleet", "TOP", "2", "POINT", "0", "0")
    assert reply == b"-TOP is not allowed when FENCE is not specified\r\n"
