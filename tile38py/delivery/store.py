"""The persisted part of the hook queue: an SQLite file. Knows no order but its own, no time.

All of it runs on one thread, which isn't the event loop's. An event is a row under its number; an
index by hook and number makes each read of a hook's events a range that ends with that hook.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from tile38py._engine import HookEvent, QueuedEvent
from tile38py.delivery.sequences import Progress, SequenceChanges
from tile38py.errors import StartError
from tile38py.limits import HOOK_LOAD_BYTES_MAX, HOOK_SWEEP_COUNT_MAX

SQLITE_MAGIC: Final = b"SQLite format 3\x00"
LEGACY_SUFFIX: Final = "-tile38"  # what Tile38's own queue is moved to
FORMAT: Final = 3  # of the tables, kept as the file's user_version
FORMAT_WITHOUT_SEQUENCE: Final = 2  # had no numbers of events
FORMAT_WITHOUT_SUBJECT: Final = 1  # had nothing of an event but its message
PAGES_FREED_COUNT_MAX: Final = 256  # given back to the disk with one write
WAL_BYTES_MAX: Final = 4 << 20  # what the write-ahead log is cut to after a checkpoint

SCHEMA: Final = """
CREATE TABLE event (
  number INTEGER PRIMARY KEY,
  hook BLOB NOT NULL,
  queued_ns INTEGER NOT NULL,
  body BLOB NOT NULL,
  key TEXT NOT NULL DEFAULT '',
  object_id TEXT NOT NULL DEFAULT '',
  detect TEXT,
  sequence INTEGER NOT NULL DEFAULT 0,
  began_ns INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX event_of_hook ON event (hook, number);
CREATE TABLE last_number (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;
INSERT INTO last_number VALUES (1, 0);
"""
PROGRESS_SCHEMA: Final = """
CREATE TABLE progress (
  name BLOB PRIMARY KEY,
  began_ns INTEGER NOT NULL,
  stored INTEGER NOT NULL,
  delivered INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""
MIGRATION: Final = """
ALTER TABLE event ADD COLUMN key TEXT NOT NULL DEFAULT '';
ALTER TABLE event ADD COLUMN object_id TEXT NOT NULL DEFAULT '';
ALTER TABLE event ADD COLUMN detect TEXT;
UPDATE event SET key = member(body, 'key'), object_id = member(body, 'id'),
  detect = nullif(member(body, 'detect'), '');
"""
SEQUENCE_MIGRATION: Final = """
ALTER TABLE event ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event ADD COLUMN began_ns INTEGER NOT NULL DEFAULT 0;
"""
INSERT: Final = "INSERT OR REPLACE INTO event VALUES {rows}"
REMOVE: Final = "DELETE FROM event WHERE number IN (VALUES {rows})"
DELETE: Final = """
WITH gone (hook, last) AS (VALUES {rows})
DELETE FROM event WHERE number IN (
  SELECT event.number FROM gone CROSS JOIN event INDEXED BY event_of_hook
  ON event.hook = gone.hook AND event.number <= gone.last
)
"""
ROW_WIDTH: Final = 9  # columns
ROWS: Final = (512, 64, 8, 1)  # handed to one statement, as long as there are so many
READ: Final = """
SELECT number, queued_ns, key, object_id, detect, body, sequence, began_ns
FROM event INDEXED BY event_of_hook
WHERE hook = ? AND number > ? AND number <= ? ORDER BY number LIMIT ?
"""
OLDEST: Final = f"""
SELECT number, hook, queued_ns, length(body) FROM event
WHERE number > ? ORDER BY number LIMIT {HOOK_SWEEP_COUNT_MAX}
"""
# The index has all that this needs, in order.
HOOKS: Final = """
SELECT hook, max(number), count(*), sum(length(body)) FROM event GROUP BY hook ORDER BY hook
"""
Value: TypeAlias = bytes | int | str | None


class StoreError(Exception):
    """The file can't be read or written at present; the text says why."""


@dataclass(frozen=True, slots=True)
class EventRange:
    """A range of a hook's events to read: (after, last], with approximate bounds."""

    hook: str
    after: int
    last: int
    count_max: int
    bytes_max: int = HOOK_LOAD_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Row:
    """An event without its text."""

    number: int
    hook: str
    queued_ns: int
    size: int


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of a file when it is opened."""

    hooks: dict[str, tuple[int, int, int]]  # the last event's number, the count, the bytes
    count: int
    size: int
    last_number: int
    progress: dict[str, Progress]  # of numbered events


class Store:
    """One queue file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.was_legacy = False
        try:
            self._set_aside_legacy()
            self._database = self._connect()
            self._prepare()
        except (sqlite3.Error, OSError) as error:
            raise StartError(
                f"hook queue '{path}': {error}. Make room if the disk is full, repair it, or move"
                " it away to start with an empty queue: the events in it are lost then"
            ) from error

    def _set_aside_legacy(self) -> None:
        """Tile38's queue has the same name and another format; its events live 30 s anyway."""
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as file:
            start = file.read(len(SQLITE_MAGIC))
            self.was_legacy = start.startswith(b"*")
        if self.was_legacy:
            self.path.rename(self.path.with_name(self.path.name + LEGACY_SUFFIX))

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)

    def _prepare(self) -> None:
        run = self._database.execute
        run("PRAGMA auto_vacuum = INCREMENTAL")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run(f"PRAGMA journal_size_limit = {WAL_BYTES_MAX}")
        (found,) = run("PRAGMA user_version").fetchone()
        if found == 0:
            self._change_tables(SCHEMA + PROGRESS_SCHEMA)
        elif found == FORMAT_WITHOUT_SUBJECT:
            self._database.create_function("member", 2, member_of, deterministic=True)
            self._change_tables(MIGRATION + SEQUENCE_MIGRATION + PROGRESS_SCHEMA)
        elif found == FORMAT_WITHOUT_SEQUENCE:
            self._change_tables(SEQUENCE_MIGRATION + PROGRESS_SCHEMA)
        elif found != FORMAT:
            raise sqlite3.DatabaseError(f"its format {found} is unknown to this version")
        problem = run("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise sqlite3.DatabaseError(str(problem))

    def _change_tables(self, statements: str) -> None:
        script = f"BEGIN; {statements} PRAGMA user_version = {FORMAT}; COMMIT;"
        self._database.executescript(script)

    def contents(self) -> Contents:
        """Return the waiting events of each hook, and the totals."""
        with translated():
            found = self._database.execute(HOOKS)
            hooks = {name_of(hook): tuple(values) for hook, *values in found}
            count, size = self._database.execute(
                "SELECT count(*), coalesce(sum(length(body)), 0) FROM event"
            ).fetchone()
            (last,) = self._database.execute("SELECT number FROM last_number").fetchone()
            found = self._database.execute("SELECT name, began_ns, stored, delivered FROM progress")
            progress = {name_of(name): Progress(*values) for name, *values in found}
        return Contents(hooks, count, size, last, progress)

    def write(
        self,
        events: Sequence[QueuedEvent],
        done: Sequence[tuple[str, int]],
        numbering: SequenceChanges | None = None,
    ) -> None:
        """Add events, remove those of each hook up to a number, note progress. All or nothing.

        Many rows with each statement: between two, this thread has to wait until it is its turn
        among those that run Python.
        """
        gone = [value for hook, number in done for value in (bytes_of(hook), number)]
        rows = [value for event in events for value in row_of(event)]
        with transaction(self._database):
            self._run_in_parts(DELETE, gone, width=2)
            self._run_in_parts(INSERT, rows, width=ROW_WIDTH)
            run = self._database.execute
            if events:
                run("UPDATE last_number SET number = max(number, ?)", (events[-1].number,))
            if numbering is not None:
                self._write_progress(numbering)
            run(f"PRAGMA incremental_vacuum({PAGES_FREED_COUNT_MAX})").fetchall()

    def _write_progress(self, numbering: SequenceChanges) -> None:
        run = self._database.executemany
        run("DELETE FROM progress WHERE name = ?", [(bytes_of(n),) for n in numbering.forgotten])
        rows = [
            (bytes_of(name), progress.began_ns, progress.stored, progress.delivered)
            for name, progress in (numbering.progress or {}).items()
        ]
        run("INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?)", rows)

    def _run_in_parts(self, statement: str, values: Sequence[Value], *, width: int) -> None:
        """Run a statement for all rows, many rows at a time."""
        start = 0
        row = f"({','.join('?' * width)})"
        for count in ROWS:
            size = count * width
            text = statement.format(rows=",".join([row] * count))
            while len(values) - start >= size:
                self._database.execute(text, values[start : start + size])
                start += size

    def read(self, ranges: Sequence[EventRange]) -> list[tuple[list[QueuedEvent], bool]]:
        """The events of each range, in order, and whether those are all of the range.

        Never looks at another hook's events.
        """
        with translated():
            return [self._read(wanted) for wanted in ranges]

    def _read(self, wanted: EventRange) -> tuple[list[QueuedEvent], bool]:
        words = (bytes_of(wanted.hook), wanted.after, wanted.last, wanted.count_max)
        events: list[QueuedEvent] = []
        size = 0
        with contextlib.closing(self._database.execute(READ, words)) as found:
            for number, queued_ns, key, object_id, detect, body, sequence, began_ns in found:
                event = HookEvent(
                    wanted.hook,
                    key,
                    object_id,
                    detect,
                    body,
                    numbering=(sequence, began_ns, queued_ns),
                )
                events.append(QueuedEvent(number, queued_ns, event))
                size += len(body)
                if size >= wanted.bytes_max:
                    return events, number == wanted.last
        return events, len(events) < wanted.count_max

    def oldest(self, after: int) -> list[Row]:
        """Return the events with the lowest numbers above a number, over all hooks."""
        with translated():
            return [
                Row(number, name_of(hook), queued_ns, size)
                for number, hook, queued_ns, size in self._database.execute(OLDEST, (after,))
            ]

    def remove(self, numbers: Sequence[int]) -> None:
        """Remove single events."""
        with transaction(self._database):
            self._run_in_parts(REMOVE, numbers, width=1)

    def close(self) -> None:
        """Close the file."""
        with translated():
            self._database.close()


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise StoreError for SQLite's errors."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(str(error)) from error


@contextlib.contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Run a block in one transaction, all of which counts or nothing. Raises StoreError."""
    with translated():
        database.execute("BEGIN IMMEDIATE")
        try:
            yield
            database.execute("COMMIT")
        except BaseException:
            # A full disk may have ended the transaction already.
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise


def row_of(event: QueuedEvent) -> tuple[Value, ...]:
    """An event in the order of the table's columns."""
    hook = bytes_of(event.hook)
    subject = (event.key, event.object_id, event.detect)
    numbering = (event.sequence, event.began_ns)
    return (event.number, hook, event.queued_ns, event.body, *subject, *numbering)


def member_of(body: bytes, name: str) -> str:
    """Return a member of a message that was queued without key and id; empty if there is none."""
    try:
        found = json.loads(body)[name]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    # The output IDS with DISTANCE makes an object of the id.
    if isinstance(found, dict):
        found = found.get("id")
    return found if isinstance(found, str) else ""


def bytes_of(hook: str) -> bytes:
    """Return a name's bytes, which may not be UTF-8."""
    return hook.encode("utf-8", "surrogateescape")


def name_of(hook: bytes) -> str:
    """Return the name of these bytes; the reverse of bytes_of."""
    return hook.decode("utf-8", "surrogateescape")
