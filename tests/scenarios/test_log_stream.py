"""Followers of a real process over raw sockets: the same bytes, and bounded memory."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.process import ServerProcess
from tests.support.resp import encode_command, parse_reply
from tests.support.waiting import wait_until

MEBIBYTE = 1 << 20
OK = b"+OK\r\n"


class RawFollower:
    """A socket that asked for the log and reads when told."""

    def __init__(self, server: ServerProcess, position: int = 0) -> None:
        self.socket = socket.create_connection(server.address, 20)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        self.socket.sendall(encode_command([b"AOF", b"%d" % position]))
        self.data = b""

    def read(self, size: int) -> bytes:
        """Read on until so many bytes have come in all; the answer isn't counted."""
        pieces = [self.data]
        missing = len(OK) + size - len(self.data)
        while missing > 0 and (piece := self.socket.recv(MEBIBYTE)):
            pieces.append(piece)
            missing -= len(piece)
        self.data = b"".join(pieces)
        assert self.data.startswith(OK)
        return self.data[len(OK) :]

    def read_all(self) -> bytes:
        """Read until the server closes."""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.socket.recv(MEBIBYTE):
                self.data += piece
        return self.data[len(OK) :]


@contextmanager
def following(server: ServerProcess, position: int = 0) -> Iterator[RawFollower]:
    """A follower that is closed at the end."""
    follower = RawFollower(server, position)
    with follower.socket:
        yield follower


def aof(server: ServerProcess) -> bytes:
    return (server.data / "appendonly.aof").read_bytes()


def resident_bytes(server: ServerProcess) -> int:
    for line in Path(f"/proc/{server.process_id}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def write(server: ServerProcess, writer: int, count: int) -> None:
    with server.connect(30) as connection:
        for start in range(0, count, 50):
            commands = [
                ("SET", f"fleet{writer}", number % 100, "POINT", number % 90, writer)
                for number in range(start, start + 50)
            ]
            assert connection.call_many(commands) == ["+OK"] * 50


def commands_of(stream: bytes) -> Iterator[list[str]]:
    """The words of each command behind the answer; each opens with `$ `."""
    position = len(OK)
    while position < len(stream):
        parsed = parse_reply(stream, position)
        assert parsed is not None
        words, position = parsed
        yield [str(word) for word in words]


def is_event(words: list[str]) -> bool:
    return words[:2] == ["$ PUBLISH", "$ c"]


def event_of(word: str) -> dict[str, str]:
    """The JSON of a word."""
    value = json.loads(word.removeprefix("$ "))
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("policy", ["everysec", "always", "no"])
def test_followers_get_the_log_byte_by_byte(server: ServerProcess, policy: str) -> None:
    server.call("CONFIG", "SET", "appendfsync", policy)
    write(server, 9, 100)
    middle = len(aof(server)) // 2
    with following(server) as first, following(server, middle) as second:
        count = 500 if policy == "always" else 5000
        writers = [threading.Thread(target=write, args=(server, n, count)) for n in range(4)]
        for writer in writers:
            writer.start()
        with following(server) as third:
            for writer in writers:
                writer.join()
            log = aof(server)
            assert log.count(b"SET") == 4 * count + 100
            assert first.read(len(log)) == log
            assert second.read(len(log) - middle) == log[middle:]
            assert third.read(len(log)) == log
            assert "connected_slaves:3" in str(server.call("INFO", "replication"))


def test_a_follower_that_reads_slowly_costs_no_memory(server: ServerProcess) -> None:
    text = b"x" * MEBIBYTE
    with server.connect(30) as client, following(server) as slow, following(server) as quick:
        client.call("SET", "texts", "a", "STRING", text)
        quick.read(MEBIBYTE)
        before = resident_bytes(server)
        for _ in range(120):
            assert client.call("SET", "texts", "a", "STRING", text) == "+OK"
        assert resident_bytes(server) - before < 24 * MEBIBYTE
        log = aof(server)
        assert len(log) > 120 * MEBIBYTE
        assert slow.read(len(log)) == log
        assert resident_bytes(server) - before < 24 * MEBIBYTE


def test_a_server_that_stops_sends_its_followers_all(server: ServerProcess) -> None:
    with following(server) as follower:
        write(server, 1, 2000)
        assert server.stop() == 0
        log = aof(server)
        assert follower.read(len(log)) == log
        assert follower.socket.recv(1) == b""


def test_the_log_of_the_server_tells_who_follows(server: ServerProcess) -> None:
    with following(server) as follower:
        follower.read(0)
        host, port = follower.socket.getsockname()
        address = f"{host}:{port}"
        wait_until(lambda: f"live {address}" in server.log(), what="live")
        follower.socket.sendall(b"x\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert follower.socket.recv(1) == b""
        wait_until(lambda: f"not live {address}" in server.log(), what="not live")


def test_messages_come_between_the_commands(server: ServerProcess) -> None:
    with server.connect() as client, following(server) as follower:
        follower.read(0)  # it follows from here on
        client.call("SETCHAN", "c", "NEARBY", "fleet", "FENCE", "POINT", 1, 2, 100)
        for number in range(200):
            client.call("SET", "fleet", number, "POINT", 1, 2)
        client.call("PUBLISH", "end", "end")
        last = encode_command([b"PUBLISH", b"end", b"end"])
        while not follower.data.endswith(last):
            follower.read(len(follower.data))
        events = [event_of(words[2]) for words in commands_of(follower.data) if is_event(words)]
        assert [(event["id"], event["detect"]) for event in events] == [
            (str(number), detect) for number in range(200) for detect in ("enter", "inside")
        ]
        words_before = list(commands_of(follower.data))
        stored = [words for words in words_before if words[0] != "$ PUBLISH"]
        assert stored == list(commands_of(OK + aof(server)))
        for number, words in enumerate(words_before):
            if is_event(words) and event_of(words[2])["detect"] == "enter":
                assert words_before[number - 1][2] == f"$ {event_of(words[2])['id']}"


def test_a_rewritten_log_ends_the_streams_of_the_old_one(server: ServerProcess) -> None:
    write(server, 1, 5000)
    with following(server) as level, following(server) as behind:
        level.read(len(aof(server)))
        former = aof(server)
        assert server.call("AOFSHRINK") == "+OK"
        assert level.read_all() == former
        # What it could still read is the former log's, and the end came before anything else.
        assert former.startswith(behind.read_all())
    wait_until(lambda: "connected_slaves:0" in str(server.call("INFO", "replication")))
    with following(server) as follower:
        log = aof(server)
        assert len(log) < len(former)
        assert follower.read(len(log)) == log
