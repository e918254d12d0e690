"""SNAPSHOT: live fences that first send the objects that are there already."""

import json

import pytest

from tests.support.bench import Bench, FakeSocket
from tests.support.fence_listener import Message
from tile38py.limits import LIVE_BYTES_MAX

AREA = ("BOUNDS", "0", "0", "9", "9")
FENCE = ("WITHIN", "fleet", "FENCE", "SNAPSHOT", "IDS", *AREA)


def move(bench: Bench, name: str, place: float) -> None:
    """Set an object on the diagonal."""
    assert bench.call("SET", "fleet", name, "POINT", str(place), str(place)) == b"+OK\r\n"
    bench.fake_journal.flush()


def in_short(message: Message) -> str:
    """Return the state or detection, and the id or number."""
    word = message.get("state", message.get("detect", message["command"]))
    return f"{word} {message.get('id', message.get('count', '-'))}"


def told(bench: Bench, socket: FakeSocket) -> list[str]:
    """Return the messages since the last call."""
    while bench.loop.soon:
        bench.loop.turn()
    text = socket.transport.taken().decode("utf-8", "replace")
    decoder, found, at = json.JSONDecoder(), [], text.find('{"command"')
    while at >= 0:
        message, end = decoder.raw_decode(text, at)
        found.append(in_short(message))
        at = text.find('{"command"', end)
    return found


def words(*texts: str) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in texts)


async def test_the_objects_come_first_then_what_changes(bench: Bench) -> None:
    for name, place in (("b", 5), ("a", 1), ("out", 20)):
        move(bench, name, place)
    socket = FakeSocket(bench)
    assert socket.call(*words(*FENCE)) == b"+OK\r\n"
    move(bench, "c", 2)
    move(bench, "a", 30)
    assert told(bench, socket) == [
        *("begin -", "inside a", "inside b", "end 2"),
        *("enter c", "inside c", "exit a", "outside a"),
    ]


async def test_messages_have_the_members_of_others(bench: Bench) -> None:
    bench.call("SET", "fleet", "a", "FIELD", "speed", "7", "POINT", "1", "2")
    bench.fake_journal.flush()
    socket = FakeSocket(bench)
    fence = ("NEARBY", "fleet", "FENCE", "SNAPSHOT", "DISTANCE", "POINTS", "POINT", "1", "2", "9")
    socket.call(*words(*fence))
    while bench.loop.soon:
        bench.loop.turn()
    lines = socket.transport.taken().split(b"\r\n")[1::2]
    start, inside, end = map(json.loads, lines)
    assert list(start) == ["command", "state", "key", "time"]
    assert list(inside) == [
        *("command", "detect", "key", "time", "id", "point", "fields", "distance"),
    ]
    assert (inside["command"], inside["detect"]) == ("snapshot", "inside")
    assert list(end) == ["command", "state", "key", "time", "count"]


async def test_other_objects_under_the_key_cause_another_snapshot(bench: Bench) -> None:
    move(bench, "a", 1)
    socket = FakeSocket(bench)
    socket.call(*words(*FENCE))
    assert told(bench, socket) == ["begin -", "inside a", "end 1"]
    bench.call("RENAME", "fleet", "old")
    move(bench, "b", 2)
    assert told(bench, socket)[:2] == ["begin -", "end 0"]
    bench.call("RENAME", "old", "fleet")
    bench.call("FLUSHDB")
    bench.fake_journal.flush()
    assert told(bench, socket) == ["begin -", "inside a", "end 1", "begin -", "end 0"]


async def test_an_object_that_becomes_a_string_leaves(bench: Bench) -> None:
    move(bench, "a", 1)
    socket = FakeSocket(bench)
    socket.call(*words(*FENCE))
    bench.call("SET", "fleet", "a", "STRING", "text")
    bench.fake_journal.flush()
    assert told(bench, socket)[3:] == ["exit a", "outside a"]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /%b HTTP/1.1\r\n\r\n",
        b"GET /%b HTTP/1.0\r\n\r\n",
        b"GET /%b HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ],
    ids=["chunks", "stream", "websocket"],
)
async def test_snapshots_over_http_and_websocket(bench: Bench, head: bytes) -> None:
    move(bench, "a", 1)
    socket = FakeSocket(bench)
    first = socket.send(head % b"+".join(words(*FENCE)))
    assert b'"live":true' in first
    move(bench, "a", 2)
    assert told(bench, socket) == ["begin -", "inside a", "end 1", "inside a"]


async def test_what_changes_waits_behind_a_snapshot_that_is_not_read(bench: Bench) -> None:
    for number in range(2000):
        bench.call("SET", "fleet", f"{number:04}", "POINT", "1", "1")
    bench.fake_journal.flush()
    socket = FakeSocket(bench)
    socket.call(*words(*FENCE))
    bench.loop.turn()
    socket.connection.pause_writing()
    bench.call("DROP", "fleet")
    bench.fake_journal.flush()
    before = told(bench, socket)
    assert before[0] == "begin -"
    assert len(before) < 2000
    socket.connection.resume_writing()
    assert told(bench, socket)[-2:] == ["end 2000", "drop -"]


async def test_a_client_that_does_not_read_is_cut(bench: Bench) -> None:
    for number in range(1000):
        bench.call("SET", "fleet", f"{number:04}", "POINT", "1", "1")
    bench.fake_journal.flush()
    socket = FakeSocket(bench)
    socket.call(*words(*FENCE[:4], *AREA))
    bench.loop.turn()
    socket.connection.pause_writing()
    big = json.dumps({"type": "MultiPoint", "coordinates": [[1, 1]] * 100_000})
    for _ in range(2 * LIVE_BYTES_MAX // len(big)):
        bench.call("SET", "fleet", "big", "OBJECT", big)
        bench.fake_journal.flush()
        told(bench, socket)
    assert bench.subscriptions.cut_count == 1


@pytest.mark.parametrize(
    ("fence", "error"),
    [
        (("FENCE", "SNAPSHOT", "IN", "zones"), "SNAPSHOT needs a fixed area"),
        (("FENCE", "SNAPSHOT", "COUNTS", *AREA), "SNAPSHOT needs a fixed area"),
        (("FENCE", "SNAPSHOT", "VALID", "Mon", *AREA), "VALID is not allowed for SNAPSHOT"),
        (("FENCE", "SNAPSHOT", "COMMANDS", "set", *AREA), "COMMANDS is not allowed for SNAPSHOT"),
        (("FENCE", "SNAPSHOT", "COUNT", *AREA), "COUNT is not allowed for SNAPSHOT"),
        (
            ("FENCE", "SNAPSHOT", "DETECT", "enter", *AREA),
            "SNAPSHOT needs DETECT with enter or inside, and exit or outside",
        ),
        (("SNAPSHOT", *AREA), "SNAPSHOT is not allowed when FENCE is not specified"),
        (("FENCE", "SNAPSHOT", "SNAPSHOT", *AREA), "duplicate argument 'SNAPSHOT'"),
    ],
)
def test_errors(bench: Bench, fence: tuple[str, ...], error: str) -> None:
    reply = bench.call("WITHIN", "fleet", *fence).removeprefix(b"-ERR ").removeprefix(b"-")
    assert reply == f"{error}\r\n".encode()


def test_channels_have_no_snapshot(bench: Bench) -> None:
    reply = bench.call("SETCHAN", "c", *FENCE)
    assert reply == b"-SNAPSHOT is for live fences only\r\n"
