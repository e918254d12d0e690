"""Hooks of a real server: messages arrive in order, also after an absence or a kill."""

import contextlib
import json
import sqlite3
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.process import ServerProcess
from tests.support.waiting import wait_until


class Receiver:
    """An HTTP endpoint that keeps what it is sent."""

    def __init__(self, port: int = 0, certificate: tuple[Path, Path] | None = None) -> None:
        received = self.received = list[bytes]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the library's name
                received.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def detections(self) -> list[str]:
        """What the messages say, in order."""
        return [json.loads(body)["detect"] for body in self.received]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An endpoint that listens."""
    receiver = Receiver()
    yield receiver
    receiver.close()


def set_hook(server: ServerProcess, port: int) -> None:
    """A hook that tells who enters and leaves."""
    url = f"http://127.0.0.1:{port}/hook"
    words = ("NEARBY", "fleet", "FENCE", "DETECT", "enter,exit", "POINT", 33, -115, 10000)
    assert server.call("SETHOOK", "zone", url, *words) == ":1"


def move(server: ServerProcess, *latitudes: float) -> None:
    """Set the truck to one latitude after the other."""
    for latitude in latitudes:
        assert server.call("SET", "fleet", "truck", "POINT", latitude, -115) == "+OK"


def test_messages_arrive_in_order(server: ServerProcess, receiver: Receiver) -> None:
    set_hook(server, receiver.port)
    move(server, 33, 44, 33)
    wait_until(lambda: len(receiver.received) == 3, what="three messages")
    assert receiver.detections() == ["enter", "exit", "enter"]


def test_messages_wait_for_an_endpoint_that_is_away(server: ServerProcess) -> None:
    away = Receiver()
    away.close()
    set_hook(server, away.port)
    move(server, 33, 44)
    back = Receiver(away.port)
    try:
        wait_until(lambda: len(back.received) == 2, what="both messages")
        assert back.detections() == ["enter", "exit"]
    finally:
        back.close()


def test_hooks_survive_a_kill(server: ServerProcess, receiver: Receiver) -> None:
    set_hook(server, receiver.port)
    server.kill()
    server.start()
    move(server, 33)
    wait_until(lambda: len(receiver.received) == 1, what="the message")
    assert receiver.detections() == ["enter"]


def test_a_deleted_hook_sends_nothing(server: ServerProcess, receiver: Receiver) -> None:
    set_hook(server, receiver.port)
    move(server, 33)
    wait_until(lambda: len(receiver.received) == 1, what="the message")
    assert server.call("DELHOOK", "zone") == ":1"
    move(server, 44)
    set_hook(server, receiver.port)
    move(server, 33)
    wait_until(lambda: len(receiver.received) == 2, what="the new hook's message")
    assert receiver.detections() == ["enter", "enter"]


def pending(server: ServerProcess) -> int:
    """How many messages wait, as SERVER tells."""
    fields = server.call("SERVER")
    assert isinstance(fields, list)
    return int(fields[fields.index("$ pending_events") + 1][2:])


def test_settings_of_the_queue_act_at_once_and_survive_a_restart(server: ServerProcess) -> None:
    set_hook(server, 1)  # nobody listens there
    move(server, *[33, 44] * 50)
    wait_until(lambda: pending(server) == 100, what="messages that wait")
    assert server.call("CONFIG", "SET", "hook-queue-max-size", "5kb") == "+OK"
    wait_until(lambda: 0 < pending(server) < 20, what="only those that have room")
    assert server.call("CONFIG", "SET", "hook-queue-max-size", "0") == "+OK"
    assert server.call("CONFIG", "SET", "hook-queue-ttl", "1") == "+OK"
    wait_until(lambda: pending(server) == 0, what="nothing that is old")
    assert server.call("CONFIG", "REWRITE") == "+OK"
    server.stop()
    server.start()
    found = server.call("CONFIG", "GET", "hook-queue*")
    assert found == ["$ hook-queue-max-size", "$ 0", "$ hook-queue-ttl", "$ 1"]


def queued_ever(server: ServerProcess) -> int:
    """The number of the last message that was queued."""
    with contextlib.closing(sqlite3.connect(server.data / "queue.db")) as database:
        return int(database.execute("SELECT number FROM last_number").fetchone()[0])


def test_messages_of_channels_leave_the_queue_alone(server: ServerProcess) -> None:
    area = ("NEARBY", "fleet", "FENCE", "DETECT", "enter,exit", "POINT", 33, -115, 10000)
    assert server.call("SETCHAN", "channel", *area) == ":1"
    with server.connect() as connection:
        connection.call("SUBSCRIBE", "channel")
        move(server, 33, 44)
        assert "enter" in str(connection.read())
        assert "exit" in str(connection.read())
    server.stop()
    assert queued_ever(server) == 0
    server.start()
    set_hook(server, 1)  # nobody listens there
    move(server, 33, 44)
    server.stop()
    assert queued_ever(server) == 2


def test_a_paused_hook_keeps_its_messages_over_a_restart(
    server: ServerProcess, receiver: Receiver
) -> None:
    set_hook(server, receiver.port)
    move(server, 33)
    wait_until(lambda: len(receiver.received) == 1, what="the first message")
    assert server.call("PAUSEHOOK", "zone") == ":1"
    move(server, 44, 33)
    server.stop()
    server.start()
    assert pending(server) == 2
    move(server, 44)
    assert pending(server) == 3
    assert len(receiver.received) == 1
    assert server.call("RESUMEHOOK", "zone") == ":1"
    wait_until(lambda: len(receiver.received) == 4, what="the messages that waited")
    assert receiver.detections() == ["enter", "exit", "enter", "exit"]
