"""The queue's file: what it keeps of an event, and files of earlier versions."""

import sqlite3
from pathlib import Path

import pytest

from tests.support.events import queued
from tile38py._engine import HookEvent, QueuedEvent
from tile38py.delivery.store import EventRange, Store
from tile38py.errors import StartError

# As version 0.1.0 made it until November 2026.
FORMAT_1 = """
CREATE TABLE event (
  number INTEGER PRIMARY KEY,
  hook BLOB NOT NULL,
  queued_ns INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX event_of_hook ON event (hook, number);
CREATE TABLE last_number (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;
INSERT INTO last_number VALUES (1, 9);
PRAGMA user_version = 1;
"""
HEAD = b'{"command":"set","group":"6","detect":"inside","hook":"h",'
MESSAGES: list[tuple[bytes, tuple[str, str, str | None]]] = [
    (HEAD + b'"key":"f","time":"t","id":"a"}', ("f", "a", "inside")),
    (
        HEAD + b'"meta":{"key":"x","id":"y"},"key":"f","time":"t","id":"a","object":{}}',
        ("f", "a", "inside"),
    ),
    (b'{"command":"del","hook":"h","key":"f","id":"a","time":"t"}', ("f", "a", None)),
    (b'{"command":"drop","hook":"h","key":"f","time":"t"}', ("f", "", None)),
    (
        HEAD + b'"key":"f\\"\\u00e9","time":"t","id":{"id":"a","distance":0}}',
        ('f"é', "a", "inside"),
    ),
    (b"no event", ("", "", None)),
    (b"[]", ("", "", None)),
    (HEAD + b'"key":"f","time":"t","id":"a","object":' + b"[" * 9999, ("", "", None)),
]


def subject(event: QueuedEvent) -> tuple[str, str, str | None]:
    return event.key, event.object_id, event.detect


def all_of(store: Store, hook: str = "h") -> list[QueuedEvent]:
    ((events, is_all),) = store.read([EventRange(hook, 0, 1 << 62, 512)])
    assert is_all
    return events


def test_an_event_comes_back_as_it_was(tmp_path: Path) -> None:
    Store(tmp_path / "queue.db").write(
        [
            QueuedEvent(1, 5, HookEvent("h", "k\ufffd", "a\0b", "enter", b"\xff")),
            QueuedEvent(2, 6, HookEvent("h", "", "", None, b"")),
        ],
        [],
    )
    first, second = all_of(Store(tmp_path / "queue.db"))
    assert (first.number, first.queued_ns, first.hook, first.body) == (1, 5, "h", b"\xff")
    assert subject(first) == ("k\ufffd", "a\0b", "enter")
    assert (second.number, second.queued_ns, subject(second)) == (2, 6, ("", "", None))


def test_a_file_without_keys_and_ids_gets_them_from_its_messages(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(FORMAT_1)
    for number, (body, _) in enumerate(MESSAGES, 1):
        database.execute("INSERT INTO event VALUES (?, ?, ?, ?)", (number, b"h", 7, body))
    database.close()
    for _ in range(2):
        store = Store(path)
        events = all_of(store)
        assert [subject(event) for event in events] == [expected for _, expected in MESSAGES]
        assert [event.body for event in events] == [body for body, _ in MESSAGES]
        assert {event.queued_ns for event in events} == {7}
        assert store.contents().last_number == 9
        store.close()
    store = Store(path)
    store.write([queued(10, "h", MESSAGES[0][0])], [("h", len(MESSAGES))])
    [event] = all_of(store)
    assert (event.number, subject(event)) == (10, MESSAGES[0][1])


def test_a_file_of_a_later_version_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    Store(path).close()
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA user_version = 77")
    database.close()
    with pytest.raises(StartError, match="its format 77 is unknown to this version"):
        Store(path)
