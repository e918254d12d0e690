"""Histories: bounds, what the file has, and what a restart or a full disk leaves."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.deliveries import at_once
from tests.support.fake_time import run_in_fake_time
from tile38py._engine import HookEvent
from tile38py.delivery import history as history_module
from tile38py.delivery.history import Histories
from tile38py.delivery.history_store import HistoryStore
from tile38py.errors import StartError
from tile38py.interfaces.history import HistoryBounds, HistorySpan
from tile38py.limits import HISTORY_EVENT_BYTES, HISTORY_PAGE_COUNT_MAX

SECOND_NS = 10**9
EVENT_BYTES = 100 + HISTORY_EVENT_BYTES


@dataclass
class HistoryHarness:
    """Histories in a file, with bounds and a time that a test sets."""

    path: Path
    bounds: dict[str, HistoryBounds] = field(default_factory=dict)
    now_ns: int = 1000 * SECOND_NS

    def open(self) -> Histories:
        """Open the file."""
        histories = Histories(
            self.path, in_thread=at_once, now_ns=lambda: self.now_ns, find=self.bounds.get
        )
        histories.open()
        for name in histories.names():
            histories.changed(name)
        return histories


@pytest.fixture
def bench(tmp_path: Path) -> HistoryHarness:
    """Histories of a channel `c`, with no bound but the size of all."""
    return HistoryHarness(tmp_path / "history.db", {"c": HistoryBounds()})


def fill(
    histories: Histories, first: int, last: int, *, began_ns: int = 7, name: str = "c"
) -> None:
    """Add events with these numbers."""
    for number in range(first, last + 1):
        body = b"%0100d" % number
        event = HookEvent("c", "k", "a", "enter", body, numbering=(number, began_ns, number))
        histories.add("c", event)


async def read_all(histories: Histories, position: int = 1) -> list[int]:
    """Return the numbers of all events from one on, in the way of a subscriber."""
    numbers: list[int] = []
    while True:
        events = histories.recent("c", position)
        page = await histories.read("c", position) if events is None else events
        assert all(int(event.body) == event.sequence for event in page)
        numbers += [event.sequence for event in page]
        if events is not None:
            return numbers
        position = page[-1].sequence + 1


def test_events_are_read_from_the_file_and_from_memory(bench: HistoryHarness) -> None:
    async def run() -> None:
        histories = bench.open()
        fill(histories, 1, 1000)
        assert await read_all(histories) == [*range(1, 1001)]
        await histories.flush()
        fill(histories, 1001, 1010)
        assert len(await histories.read("c", 1)) == HISTORY_PAGE_COUNT_MAX
        assert await read_all(histories) == [*range(1, 1011)]
        assert await read_all(histories, 1005) == [*range(1005, 1011)]
        assert await read_all(histories, 1011) == []
        assert histories.span("c") == HistorySpan(1, 1010)

    run_in_fake_time(run())


def test_a_restart_keeps_what_was_written(bench: HistoryHarness) -> None:
    async def run() -> None:
        histories = bench.open()
        fill(histories, 5, 20)
        await histories.flush()
        fill(histories, 21, 30)
        again = bench.open()
        assert again.span("c") == HistorySpan(5, 20)
        fill(again, 18, 30)  # the log brings some that the file has
        assert await read_all(again, 5) == [*range(5, 31)]

    run_in_fake_time(run())


@pytest.mark.parametrize(
    ("bounds", "first"),
    [
        (HistoryBounds(count=10), 91),
        (HistoryBounds(bytes=20 * EVENT_BYTES), 81),
        (HistoryBounds(age_ns=1000 * SECOND_NS - 96), 96),
        (HistoryBounds(count=10, bytes=5 * EVENT_BYTES), 96),
    ],
)
def test_each_bound_removes_the_oldest(
    bench: HistoryHarness, bounds: HistoryBounds, first: int
) -> None:
    async def run() -> None:
        bench.bounds["c"] = bounds
        histories = bench.open()
        for start in range(1, 101, 7):
            fill(histories, start, min(start + 6, 100))
            await histories.flush()
        assert histories.span("c") == HistorySpan(first, 100)
        assert await read_all(histories, first) == [*range(first, 101)]
        with sqlite3.connect(bench.path) as database:
            assert database.execute("SELECT count(*) FROM event").fetchone() == (101 - first,)

    run_in_fake_time(run())


def test_old_events_go_without_new_ones(bench: HistoryHarness) -> None:
    async def run() -> None:
        bench.bounds["c"] = HistoryBounds(age_ns=1000 * SECOND_NS)
        histories = bench.open()
        fill(histories, 1, 10)
        await histories.flush()
        assert histories.span("c") == HistorySpan(1, 10)
        bench.now_ns += SECOND_NS
        histories.sweep()
        await histories.flush()
        assert histories.span("c") == HistorySpan(11, 10)
        fill(histories, 11, 12)
        assert histories.span("c") == HistorySpan(11, 12)

    run_in_fake_time(run())


def test_a_narrower_bound_is_in_force_at_once(bench: HistoryHarness) -> None:
    async def run() -> None:
        histories = bench.open()
        fill(histories, 1, 2000)
        await histories.flush()
        bench.bounds["c"] = HistoryBounds(count=3)
        histories.changed("c")
        await histories.flush()
        assert histories.span("c") == HistorySpan(1998, 2000)

    run_in_fake_time(run())


def test_a_deleted_or_recreated_channel_has_no_former_events(bench: HistoryHarness) -> None:
    async def run() -> None:
        histories = bench.open()
        fill(histories, 1, 10)
        await histories.flush()
        fill(histories, 1, 2, began_ns=8)
        assert await read_all(histories) == [1, 2]
        await histories.flush()
        assert bench.open().span("c") == HistorySpan(1, 2)
        del bench.bounds["c"]
        histories.changed("c")
        await histories.flush()
        assert histories.span("c") is None
        assert HistoryStore(bench.path).contents() == {}

    run_in_fake_time(run())


def test_a_channel_without_a_history_costs_no_file(bench: HistoryHarness) -> None:
    async def run() -> None:
        bench.bounds.clear()
        histories = bench.open()
        fill(histories, 1, 10)
        await histories.flush()
        assert not histories.is_dirty
        assert histories.span("c") is None
        assert not bench.path.exists()
        bench.bounds["c"] = HistoryBounds()
        histories.changed("c")
        assert histories.span("c") == HistorySpan(1, 0)
        fill(histories, 11, 12)
        assert histories.span("c") == HistorySpan(11, 12)

    run_in_fake_time(run())


def test_a_jump_of_numbers_begins_a_history_anew(bench: HistoryHarness) -> None:
    async def run() -> None:
        histories = bench.open()
        fill(histories, 1, 10)
        await histories.flush()
        fill(histories, 11, 12)
        fill(histories, 50, 51)
        assert histories.span("c") == HistorySpan(50, 51)
        await histories.flush()
        assert histories.span("c") == HistorySpan(50, 51)
        assert await read_all(histories, 50) == [50, 51]

    run_in_fake_time(run())


def fail(*_: object) -> Callable[[], None]:
    """Fail as a full disk does."""
    raise sqlite3.OperationalError("database or disk is full")


def test_while_the_disk_is_full_memory_is_bounded(
    bench: HistoryHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        histories = bench.open()
        fill(histories, 1, 10)
        await histories.flush()
        monkeypatch.setattr(history_module, "HISTORY_MEMORY_BYTES_MAX", 100 * EVENT_BYTES)
        with monkeypatch.context() as full:
            full.setattr(HistoryStore, "_write", fail)
            fill(histories, 11, 500)
            await histories.flush()
            assert "full" in str(histories.error)
        span = histories.span("c")
        assert span is not None
        assert 400 <= span.first <= 460
        assert histories.dropped == span.first - 11
        assert await read_all(histories, span.first) == [*range(span.first, 501)]
        await histories.flush()
        assert histories.error is None
        assert not histories.is_dirty
        assert histories.span("c") == span
        assert await read_all(histories, span.first) == [*range(span.first, 501)]

    run_in_fake_time(run())


def test_a_damaged_file_stops_the_start(bench: HistoryHarness) -> None:
    bench.path.write_bytes(b"no database" * 1000)
    with pytest.raises(StartError, match="move it away"):
        bench.open()
