"""Events without a gap: subscribers that resume by number over RESP, HTTP, SSE and WebSocket."""

import contextlib
import json
import os
import random
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import aiohttp
import pytest

from tests.scenarios.test_http_streams import stream
from tests.support.pair import leader_and_follower, wait_until_equal
from tests.support.process import ServerProcess
from tests.support.resp import Connection
from tests.support.waiting import wait_until

AREA = ("WITHIN", "fleet", "FENCE", "DETECT", "enter,exit", "IDS", "BOUNDS", 0, 0, 9, 9)
KILLS = int(os.environ.get("TILE38PY_TEST_KILLS", "3"))
ROUNDS = 12


def set_channel(server: ServerProcess, *options: str | int) -> None:
    """Set a channel with a history."""
    assert server.call("SETCHAN", "toll", *(options or ("HISTORY", "1h")), *AREA) == ":1"


def move(server: ServerProcess, count: int, first: int = 0) -> None:
    """Let a truck enter and leave in turn, so many times; it is inside if `first` is odd."""
    with server.connect() as connection:
        for step in range(first, first + count):
            place = 50 if step % 2 else 5
            assert connection.call("SET", "fleet", "truck", "POINT", place, place) == "+OK"


def subscribed(server: ServerProcess, *words: str | int) -> Connection:
    """Return a connection that has subscribed."""
    connection = server.connect()
    reply = connection.call("SUBSCRIBE", "toll", *words)
    assert isinstance(reply, list), reply
    return connection


def next_number(connection: Connection) -> int:
    """Return the number of the next message."""
    message = connection.read()
    assert isinstance(message, list), message
    return number_of(str(message[2]).removeprefix("$ "))


def number_of(text: str) -> int:
    """Return the number that a message tells."""
    number = json.loads(text)["sequence"]
    assert isinstance(number, int)
    return number


def events_of(reply: HTTPResponse) -> Iterator[dict[str, str]]:
    """Yield Server-Sent Events as their fields, without comments."""
    fields: dict[str, str] = {}
    for line in iter(reply.readline, b""):
        text = line.decode().rstrip("\n")
        if text:
            name, _, value = text.partition(": ")
            fields[name] = value
        elif fields:
            yield fields
            fields = {}


@contextlib.contextmanager
def event_stream(
    server: ServerProcess, path: str, last_id: str = ""
) -> Iterator[Iterator[dict[str, str]]]:
    """Open Server-Sent Events as browsers do; yield the events."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
    connection.request("GET", path, headers=headers)
    reply = connection.getresponse()
    assert reply.headers["Content-Type"] == "text/event-stream"
    assert reply.headers["Cache-Control"] == "no-cache"
    try:
        yield events_of(reply)
    finally:
        connection.close()


def test_a_subscriber_gets_what_it_missed_and_what_follows(server: ServerProcess) -> None:
    set_channel(server)
    move(server, 10)
    with subscribed(server, "FROM", 4) as connection:
        assert [next_number(connection) for _ in range(7)] == [*range(4, 11)]
        move(server, 2)
        assert [next_number(connection) for _ in range(2)] == [11, 12]


def test_joins_at_any_moment_have_no_hole_and_no_repetition(server: ServerProcess) -> None:
    set_channel(server)
    move(server, 3)
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance, ending = random.Random(seed), threading.Event()

    def write() -> None:
        step = 3
        while not ending.is_set():
            move(server, 50, first=step)
            step += 50

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(ROUNDS):
            with server.connect() as probe:
                probe.call("SUBSCRIBE", "toll")
                last = next_number(probe)
            first = chance.choice([1, last, chance.randrange(1, last + 1)])
            count = last - first + chance.randrange(5, 300)
            with subscribed(server, "FROM", first) as connection:
                numbers = [next_number(connection) for _ in range(count)]
            assert numbers == [*range(first, first + count)]
    finally:
        ending.set()
        writer.join()


@pytest.mark.timeout(60 + KILLS * 20)
def test_kills_leave_no_hole_in_the_history(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        set_channel(server)
        last, step = 0, 0
        for kill in range(KILLS):
            with subscribed(server, *(("FROM", last + 1) if kill else ())) as connection:
                move(server, 40, first=step)
                step += 40
                for _ in range(30):
                    last += 1
                    assert next_number(connection) == last
                if kill % 2:
                    server.call("AOFSHRINK")
                server.kill()
            server.start(port=server.port)
        with subscribed(server, "FROM", 1) as connection:
            assert [next_number(connection) for _ in range(step)] == [*range(1, step + 1)]
            move(server, 1, first=step)
            assert next_number(connection) == step + 1


def test_http_streams_resume(server: ServerProcess) -> None:
    set_channel(server)
    move(server, 5)
    with stream(server, "/subscribe+toll+from+3") as reply:
        assert json.loads(reply.readline())["command"] == "subscribe"
        assert [number_of(reply.readline().decode()) for _ in range(3)] == [3, 4, 5]
        move(server, 1, first=5)
        assert number_of(reply.readline().decode()) == 6


def test_server_sent_events_resume_by_their_ids(server: ServerProcess) -> None:
    set_channel(server)
    move(server, 3)
    with event_stream(server, "/subscribe+toll") as events:
        assert next(events)["event"] == "reply"
        move(server, 2, first=3)
        seen = [next(events) for _ in range(2)]
        assert [event["id"] for event in seen] == ["4", "5"]
        assert [number_of(event["data"]) for event in seen] == [4, 5]
        assert all(event.keys() == {"id", "data"} for event in seen)
    move(server, 3, first=5)
    with event_stream(server, "/subscribe+toll", last_id="5") as events:
        assert next(events)["event"] == "reply"
        assert [next(events)["id"] for _ in range(3)] == ["6", "7", "8"]
    # The header of a reconnection counts, not the URL with which the page began.
    with event_stream(server, "/subscribe+toll+from+1", last_id="7") as events:
        assert next(events)["event"] == "reply"
        assert next(events)["id"] == "8"


@pytest.mark.parametrize("last_id", ["1", "99"])
def test_server_sent_events_tell_of_a_gap(server: ServerProcess, last_id: str) -> None:
    set_channel(server, "HISTORY", 3)
    move(server, 10)
    wait_until(
        lambda: "has events 8 to 10" in str(server.call("SUBSCRIBE", "toll", "FROM", 1)),
        what="a trimmed history",
    )
    with event_stream(server, "/subscribe+toll", last_id=last_id) as events:
        gap = next(events)
        assert gap["event"] == "gap"
        assert json.loads(gap["data"]) == {"wanted": int(last_id) + 1, "first": 8, "last": 10}
        assert next(events)["event"] == "reply"
        assert [next(events)["id"] for _ in range(3)] == ["8", "9", "10"]


def test_other_streams_are_server_sent_events_too(server: ServerProcess) -> None:
    set_channel(server)
    for path in ("/psubscribe+t*", "/nearby+fleet+fence+ids+point+5+5+5000"):
        with event_stream(server, path) as events:
            assert next(events)["event"] == "reply"
            move(server, 1)
            assert json.loads(next(events)["data"])["id"] == "truck"


def test_without_a_history_a_stream_goes_on_with_what_comes(server: ServerProcess) -> None:
    fence = "SETCHAN plain SEQUENCE yes WITHIN fleet DETECT enter,exit IDS BOUNDS 0 0 9 9"
    server.call(*fence.split())
    move(server, 2)
    with event_stream(server, "/subscribe+plain", last_id="1") as events:
        assert next(events)["event"] == "reply"
        move(server, 1, first=2)
        assert json.loads(next(events)["data"])["sequence"] == 3


def test_a_refused_subscription_is_an_ordinary_reply(server: ServerProcess) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "5"}
    connection.request("GET", "/subscribe+nope+from+5", headers=headers)
    reply = connection.getresponse()
    assert reply.headers["Content-Type"].startswith("application/json")
    assert json.load(reply)["err"] == "channel 'nope' has no history"
    connection.close()


async def test_websockets_resume(server: ServerProcess) -> None:
    set_channel(server)
    move(server, 5)
    url = f"http://127.0.0.1:{server.port}/subscribe+toll+from+4"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as connection:
        assert (await connection.receive_json())["command"] == "subscribe"
        assert [(await connection.receive_json())["sequence"] for _ in range(2)] == [4, 5]


def test_a_slow_reader_of_a_long_history_delays_nobody_and_misses_nothing(
    server: ServerProcess,
) -> None:
    set_channel(server)
    move(server, 6000)
    with server.connect() as other, subscribed(server) as live:
        with socket.create_connection(server.address, 10) as slow:
            slow.sendall(b"SUBSCRIBE toll FROM 1\r\n")
            assert slow.recv(1)
            move(server, 1, first=6000)
            assert next_number(live) == 6001
            assert other.call("PING") == "+PONG"
            received = b""
            while b'"sequence":6001}' not in received[-1000:]:
                received += slow.recv(1 << 20)
        numbers = [int(part.split(b"}")[0]) for part in received.split(b'"sequence":')[1:]]
        assert numbers == [*range(1, 6002)]


def test_followers_have_the_history_and_its_live_events(tmp_path: Path) -> None:
    with leader_and_follower(tmp_path) as (leader, follower):
        set_channel(leader)
        move(leader, 5)
        wait_until_equal(leader, follower)
        with subscribed(follower, "FROM", 2) as connection:
            assert [next_number(connection) for _ in range(4)] == [2, 3, 4, 5]
            move(leader, 2, first=5)
            assert [next_number(connection) for _ in range(2)] == [6, 7]
            leader.kill()
            assert follower.call("FOLLOW", "no", "one") == "+OK"
            move(follower, 1, first=7)
            assert next_number(connection) == 8
