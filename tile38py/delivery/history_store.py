"""The file of event histories, in SQLite. Knows no time.

All of it runs on the queue's thread. An event is a row under its hook's or channel's name and its
number, so that a page of events is a range, and so are those that a bound removes.
"""

import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tile38py.delivery.store import WAL_BYTES_MAX, bytes_of, name_of, transaction, translated
from tile38py.errors import StartError
from tile38py.interfaces.history import HistoryBounds, PastEvent
from tile38py.limits import HISTORY_EVENT_BYTES, HISTORY_PAGE_BYTES_MAX, HISTORY_PAGE_COUNT_MAX

FORMAT: Final = 1  # of the tables, kept as the file's user_version
SCHEMA: Final = f"""
BEGIN;
CREATE TABLE event (
  name BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  made_ns INTEGER NOT NULL,
  key TEXT NOT NULL,
  object_id TEXT NOT NULL,
  detect TEXT,
  body BLOB NOT NULL,
  PRIMARY KEY (name, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE history (
  name BLOB PRIMARY KEY,
  began_ns INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = {FORMAT};
COMMIT;
"""
INSERT: Final = "INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?, ?, ?)"
READ: Final = """
SELECT sequence, made_ns, key, object_id, detect, body FROM event
WHERE name = ? AND sequence >= ? ORDER BY sequence LIMIT ?
"""
OLDEST: Final = """
SELECT sequence, length(body), made_ns FROM event WHERE name = ? ORDER BY sequence LIMIT 512
"""
SPAN: Final = """
SELECT (SELECT min(sequence) FROM event WHERE name = ?1),
  (SELECT max(sequence) FROM event WHERE name = ?1)
"""


@dataclass(frozen=True, slots=True)
class StoredHistory:
    """The part of a history that the file has. It is empty if first is above last."""

    began_ns: int
    first: int
    last: int
    bytes: int
    oldest_ns: int = 0  # when the first event was made; 0 = not known


@dataclass(frozen=True, slots=True)
class HistoryWrite:
    """Events of one history to add, and the bounds to trim it to."""

    events: Sequence[PastEvent]
    bounds: HistoryBounds
    cutoff_ns: int  # older events are removed
    first: int  # events before this number are removed
    present: StoredHistory


class HistoryStore:
    """One history file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        try:
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._prepare()
        except sqlite3.Error as error:
            raise StartError(
                f"history '{path}': {error}. Repair it, or move it away to start with no history"
            ) from error

    def _prepare(self) -> None:
        run = self._database.execute
        run("PRAGMA auto_vacuum = INCREMENTAL")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run(f"PRAGMA journal_size_limit = {WAL_BYTES_MAX}")
        (found,) = run("PRAGMA user_version").fetchone()
        if found == 0:
            self._database.executescript(SCHEMA)
        elif found != FORMAT:
            raise sqlite3.DatabaseError(f"its format {found} is unknown to this version")

    def contents(self) -> dict[str, StoredHistory]:
        """Return all histories, by the names of their hooks and channels."""
        found: dict[str, StoredHistory] = {}
        with translated():
            for name, began_ns, size in self._database.execute("SELECT * FROM history").fetchall():
                first, last = self._database.execute(SPAN, (name,)).fetchone()
                found[name_of(name)] = StoredHistory(began_ns, first or 1, last or 0, size)
        return found

    def write(
        self, forgotten: Sequence[str], writes: Mapping[str, HistoryWrite]
    ) -> dict[str, StoredHistory]:
        """Remove histories, then add and trim others. Return their new states. All or nothing."""
        with transaction(self._database):
            for name in forgotten:
                self._forget(bytes_of(name))
            written = {name: self._write(bytes_of(name), one) for name, one in writes.items()}
            self._database.execute("PRAGMA incremental_vacuum(256)").fetchall()
        return written

    def _forget(self, name: bytes) -> None:
        self._database.execute("DELETE FROM event WHERE name = ?", (name,))
        self._database.execute("DELETE FROM history WHERE name = ?", (name,))

    def _write(self, name: bytes, write: HistoryWrite) -> StoredHistory:
        present, events = write.present, write.events
        rows = [
            (name, event.sequence, event.made_ns, event.key, event.object_id, event.detect,
             event.body)
            for event in events
        ]  # fmt: skip
        self._database.executemany(INSERT, rows)
        size = present.bytes + sum(map(size_of, events))
        is_empty = present.first > present.last
        first = events[0].sequence if events and is_empty else present.first
        last = events[-1].sequence if events else present.last
        grown = StoredHistory(present.began_ns, first, last, size, present.oldest_ns)
        trimmed = self._trim(name, write, grown)
        values = (name, trimmed.began_ns, trimmed.bytes)
        self._database.execute("INSERT OR REPLACE INTO history VALUES (?, ?, ?)", values)
        return trimmed

    def _trim(self, name: bytes, write: HistoryWrite, grown: StoredHistory) -> StoredHistory:
        bounds, first, size = write.bounds, grown.first, grown.bytes
        first_kept = max(write.first, grown.last - bounds.count + 1 if bounds.count else 0)
        oldest_ns = grown.oldest_ns
        is_over = first < first_kept or size > bounds.bytes or oldest_ns < write.cutoff_ns
        while is_over:
            rows = self._database.execute(OLDEST, (name,)).fetchall()
            last_gone = 0
            for sequence, length, made_ns in rows:
                is_over = sequence < first_kept or size > bounds.bytes or made_ns < write.cutoff_ns
                if not is_over:
                    first, oldest_ns = sequence, made_ns
                    break
                last_gone, size = sequence, size - length - HISTORY_EVENT_BYTES
            delete = "DELETE FROM event WHERE name = ? AND sequence <= ?"
            self._database.execute(delete, (name, last_gone))
            if not rows:
                return StoredHistory(grown.began_ns, grown.last + 1, grown.last, 0)
        return StoredHistory(grown.began_ns, first, grown.last, size, oldest_ns)

    def read(self, name: str, position: int) -> list[PastEvent]:
        """Return the events from a number on, at most a page."""
        words = (bytes_of(name), position, HISTORY_PAGE_COUNT_MAX)
        events: list[PastEvent] = []
        size = 0
        with translated(), contextlib.closing(self._database.execute(READ, words)) as found:
            for row in found:
                events.append(PastEvent(*row))
                size += len(events[-1].body)
                if size >= HISTORY_PAGE_BYTES_MAX:
                    break
        return events

    def close(self) -> None:
        """Close the file."""
        with translated():
            self._database.close()


def size_of(event: PastEvent) -> int:
    """Return the bytes for which an event counts."""
    return len(event.body) + HISTORY_EVENT_BYTES
