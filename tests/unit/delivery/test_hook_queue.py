"""The hook queue: order, bounds, persistence, and reads that stop at their hook."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.support.deliveries import DeliveryHarness, counted_steps, limit_pages
from tests.support.events import hook_event, queued
from tests.support.fake_time import run_in_fake_time
from tile38py.delivery.retention import Retention
from tile38py.delivery.store import EventRange, Store
from tile38py.errors import StartError
from tile38py.limits import HOOK_MEMORY_BYTES_MAX, HOOK_STEP_COUNT_MAX, HOOK_SWEEP_COUNT_MAX

SECOND_NS = 10**9


def test_events_of_a_hook_come_in_order(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        for number in range(10):
            bench.queue.append(hook_event("h", b"%d" % number), bench.clock.now_ns())
            bench.queue.append(hook_event("h1", b"other"), bench.clock.now_ns())
        assert bench.take("h") == [b"%d" % number for number in range(10)]

    run_in_fake_time(run())


def test_events_survive_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        for number in range(3):
            bench.queue.append(hook_event("h", b"%d" % number), bench.clock.now_ns())
        await bench.queue.flush()
        # Nothing is closed: that is what a kill leaves.
        again = DeliveryHarness(tmp_path / "queue.db")
        assert again.queue.count == 3
        assert again.queue.last_number == 3
        await again.queue.load(["h"])
        assert again.take("h") == [b"0", b"1", b"2"]

    run_in_fake_time(run())


def test_what_was_delivered_before_the_flush_never_reaches_the_file(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.queue.append(hook_event("h", b"1"), bench.clock.now_ns())
        bench.queue.settle(bench.queue.take("h", 9, 9), 1)
        await bench.queue.flush()
        assert bench.store.contents().count == 0
        assert (bench.queue.count, bench.queue.bytes, bench.queue.memory_bytes) == (0, 0, 0)

    run_in_fake_time(run())


def test_what_is_delivered_after_the_flush_leaves_the_file(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        for _ in range(3):
            bench.queue.append(hook_event("h", b"1"), bench.clock.now_ns())
        await bench.queue.flush()
        bench.queue.settle(bench.queue.take("h", 2, 9), 2)
        await bench.queue.flush()
        assert bench.store.contents().count == 1
        bench.queue.append(hook_event("h", b"2"), bench.clock.now_ns())
        bench.queue.settle(bench.queue.take("h", 9, 9), 2)
        await bench.queue.flush()
        assert bench.store.contents().count == 0

    run_in_fake_time(run())


def test_more_than_memory_holds_comes_back_from_the_file_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tile38py.delivery.hook_queue.HOOK_MEMORY_BYTES_MAX", 1000)
    assert HOOK_MEMORY_BYTES_MAX > 1000

    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        expected = [b"%d" % number for number in range(2000)]
        for body in expected:
            bench.queue.append(hook_event("h", body), bench.clock.now_ns())
            if body.endswith(b"50"):
                await bench.queue.flush()
        assert bench.queue.memory_bytes < 100_000
        found: list[bytes] = []
        while bench.queue.has("h"):
            await bench.queue.load(["h"])
            messages = bench.queue.take("h", 100, 1 << 20)
            bench.queue.settle(messages, len(messages))
            found += [message.body for message in messages]
            await bench.queue.flush()
        assert found == expected
        await bench.queue.flush()
        assert bench.store.contents().count == 0
        assert (bench.queue.count, bench.queue.bytes, bench.queue.memory_bytes) == (0, 0, 0)

    run_in_fake_time(run())


def test_an_event_older_than_the_ttl_is_dropped_and_counted(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db", Retention(ttl_ns=30 * SECOND_NS))
        bench.queue.append(hook_event("h", b"old"), bench.clock.now_ns())
        bench.clock.sleep(29)
        bench.queue.append(hook_event("h", b"young"), bench.clock.now_ns())
        bench.clock.sleep(2)
        await bench.sweeper.sweep()
        assert bench.take("h") == [b"young"]
        assert bench.counters.get("h").expired == 1

    run_in_fake_time(run())


def test_a_ttl_of_zero_keeps_events(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db", Retention(ttl_ns=0))
        bench.queue.append(hook_event("h", b"old"), bench.clock.now_ns())
        bench.clock.sleep(1e6)
        await bench.sweeper.sweep()
        assert bench.take("h") == [b"old"]

    run_in_fake_time(run())


def test_old_events_that_only_the_file_holds_are_dropped_and_counted(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        for _ in range(5):
            bench.queue.append(hook_event("h", b"old"), bench.clock.now_ns())
        await bench.queue.flush()
        again = DeliveryHarness(tmp_path / "queue.db")
        again.clock.sleep(31)
        await again.sweeper.sweep()
        assert not again.queue.has("h")
        assert again.counters.get("h").expired == 5
        assert (again.queue.count, again.queue.bytes) == (0, 0)
        assert again.store.contents().count == 0

    run_in_fake_time(run())


def test_the_oldest_events_go_when_there_is_no_room(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        for number in range(10):
            bench.queue.append(hook_event("h", b"%d" % number), bench.clock.now_ns())
        await bench.queue.flush()
        again = DeliveryHarness(tmp_path / "queue.db", Retention(bytes_max=5 * 201))
        await again.sweeper.sweep()
        await again.queue.load(["h"])
        assert again.take("h") == [b"5", b"6", b"7", b"8", b"9"]
        assert again.counters.get("h").dropped == 5

    run_in_fake_time(run())


def test_the_oldest_go_first_whether_memory_holds_them_or_not(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        for number in range(10):
            bench.queue.append(hook_event("ab"[number % 2], b"%d" % number), bench.clock.now_ns())
            if number == 6:
                await bench.queue.flush()
        bench.retention.bytes_max = 2 * 201
        await bench.sweeper.sweep()
        assert (bench.take("a"), bench.take("b")) == ([b"8"], [b"9"])
        assert (bench.queue.waiting("a"), bench.queue.waiting("b")) == (1, 1)
        assert bench.counters.total.dropped == 8

    run_in_fake_time(run())


@pytest.mark.parametrize("is_in_memory", [True, False])
def test_one_sweep_drops_everything_that_is_too_old(tmp_path: Path, is_in_memory: bool) -> None:
    async def run() -> None:
        count = 2 * HOOK_SWEEP_COUNT_MAX + 5
        bench = DeliveryHarness(tmp_path / "queue.db")
        for _ in range(count):
            bench.queue.append(hook_event("h", b"old"), bench.clock.now_ns())
        await bench.queue.flush()
        if not is_in_memory:
            bench = DeliveryHarness(tmp_path / "queue.db")
        bench.clock.sleep(31)
        bench.queue.append(hook_event("h", b"young"), bench.clock.now_ns())
        await bench.sweeper.sweep()
        await bench.queue.flush()
        assert bench.take("h") == [b"young"]
        assert bench.counters.get("h").expired == count
        assert bench.queue.waiting("h") == bench.store.contents().count == 1

    run_in_fake_time(run())


def test_others_have_their_turn_while_many_events_are_written_and_dropped(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        count = 20 * HOOK_STEP_COUNT_MAX
        for number in range(count):
            bench.queue.append(hook_event(f"h{number}", b"x"), bench.clock.now_ns())
        task = asyncio.create_task(others(), name="others")
        await bench.queue.flush()
        assert turns >= 20
        assert bench.store.contents().count == count
        turns = 0
        bench.clock.sleep(31)
        await bench.sweeper.sweep()
        assert turns >= count // HOOK_SWEEP_COUNT_MAX
        assert bench.queue.count == 0
        task.cancel()

    run_in_fake_time(run())


def test_a_flood_behind_an_endpoint_that_hangs_stays_within_its_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tile38py.delivery.retention.HOOK_QUEUE_BYTES_SLACK", 10_000)

    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db", Retention(bytes_max=10_000))
        bench.queue.append(hook_event("h", b"first"), bench.clock.now_ns())
        in_hand = bench.queue.take("h", 1, 100)
        for _ in range(1000):
            bench.queue.append(hook_event("h", b"x" * 100), bench.clock.now_ns())
        assert bench.queue.bytes <= 20_000
        assert bench.counters.get("h").dropped == 1001 - bench.queue.count
        bench.queue.settle(in_hand, 1)
        await bench.queue.flush()
        await bench.sweeper.sweep()
        assert bench.queue.bytes <= 10_000

    run_in_fake_time(run())


def test_large_events_are_read_back_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        expected = [b"%d" % number * 1000 for number in range(10)]
        for body in expected:
            bench.queue.append(hook_event("h", body), bench.clock.now_ns())
        await bench.queue.flush()
        monkeypatch.setattr("tile38py.delivery.hook_queue.HOOK_LOAD_BYTES_MAX", 2000)
        again = DeliveryHarness(tmp_path / "queue.db")
        found: list[bytes] = []
        while again.queue.has("h"):
            await again.queue.load(["h"])
            assert again.queue.memory_bytes <= 2 * 1200
            messages = again.queue.take("h", 100, 1 << 20)
            again.queue.settle(messages, len(messages))
            found += [message.body for message in messages]
        assert found == expected

    run_in_fake_time(run())


def test_a_deleted_hooks_events_never_go_to_a_later_hook_of_its_name(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.queue.append(hook_event("h", b"old"), bench.clock.now_ns())
        await bench.queue.flush()
        bench.queue.append(hook_event("h", b"old, too"), bench.clock.now_ns())
        bench.queue.drop("h")
        bench.queue.append(hook_event("h", b"new"), bench.clock.now_ns())
        await bench.queue.flush()
        assert bench.take("h") == [b"new"]
        again = DeliveryHarness(tmp_path / "queue.db")
        await again.queue.load(["h"])
        assert again.take("h") == [b"new"]

    run_in_fake_time(run())


@pytest.mark.parametrize("name", ["", "h\x00x", "\udcff\udcfe", "ключ", "a" * 10_000, "'\";--"])
def test_a_hook_of_any_name_gets_its_events_back(tmp_path: Path, name: str) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.queue.append(hook_event(name, b"1"), bench.clock.now_ns())
        await bench.queue.flush()
        again = DeliveryHarness(tmp_path / "queue.db")
        await again.queue.load([name])
        assert again.take(name) == [b"1"]

    run_in_fake_time(run())


def steps_of_a_read(store: Store, hook: str) -> int:
    """Return how many instructions SQLite runs for a read; each visited entry adds some."""
    with counted_steps(store) as steps:
        ((found, is_all),) = store.read([EventRange(hook, 0, 1 << 62, 512)])
    assert (len(found), is_all) == (1, True)
    return steps[0]


def test_a_read_visits_its_hooks_entries_alone_among_70000_hooks(tmp_path: Path) -> None:
    alone, crowded = Store(tmp_path / "alone.db"), Store(tmp_path / "crowded.db")
    alone.write([queued(1, "hook-35000", b"x")], [])
    crowded.write([queued(at + 1, f"hook-{at}", b"x") for at in range(70_000)], [])
    expected = steps_of_a_read(alone, "hook-35000")
    # One more instruction finds that the next entry is another hook's.
    assert steps_of_a_read(crowded, "hook-35000") <= expected + 2
    assert steps_of_a_read(crowded, "hook-3500") <= expected + 2  # the start of others' names


def test_a_corrupt_file_stops_the_start_with_a_clear_message(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(StartError, match=r"hook queue '.*queue\.db': .*move it away"):
        Store(path)


def test_a_damaged_page_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    store = Store(path)
    store.write([queued(at + 1, "h", b"x" * 100) for at in range(1000)], [])
    store.close()
    data = bytearray(path.read_bytes())
    data[8192:16384] = b"\xff" * 8192
    path.write_bytes(data)
    with pytest.raises(StartError, match="hook queue"):
        Store(path)


def test_tile38s_own_queue_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    path.write_bytes(b"*3\r\n$3\r\nset\r\n")
    assert Store(path).was_legacy
    assert (tmp_path / "queue.db-tile38").read_bytes().startswith(b"*3")


def test_an_unwritable_file_is_told_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        told: list[str | None] = []
        bench.queue.on_health = told.append
        other = sqlite3.connect(tmp_path / "queue.db", isolation_level=None)
        pages = other.execute("PRAGMA page_count").fetchone()[0]
        limit_pages(bench.store, pages)
        for _ in range(100):
            bench.queue.append(hook_event("h", b"x" * 1000), bench.clock.now_ns())
        await bench.queue.flush()
        assert told == ["database or disk is full"]
        assert len(bench.take("h", 1000)) == 100
        limit_pages(bench.store, 1 << 20)
        await bench.queue.flush()
        assert told[-1] is None
        assert bench.store.contents().count == 100

    run_in_fake_time(run())


def test_memory_stays_bounded_while_the_file_cannot_be_written(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db", Retention(bytes_max=100_000))
        limit_pages(bench.store, 1)
        for _ in range(1000):
            bench.queue.append(hook_event("h", b"x" * 1000), bench.clock.now_ns())
        await bench.queue.flush()
        for _ in range(1000):
            bench.queue.append(hook_event("h", b"y" * 1000), bench.clock.now_ns())
        assert bench.queue.bytes <= 100_000
        assert bench.counters.get("h").dropped == 2000 - bench.queue.count
        assert set(bench.take("h")) == {b"y" * 1000}

    run_in_fake_time(run())
