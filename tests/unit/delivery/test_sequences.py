"""Numbered events in the queue: which are stored, which delivered, and which belong to whom."""

from pathlib import Path

from tests.support.deliveries import DeliveryHarness, limit_pages
from tests.support.fake_time import run_in_fake_time
from tile38py._engine import HookEvent
from tile38py.delivery.delivered_elsewhere import DeliveredElsewhere
from tile38py.delivery.sequences import Progress
from tile38py.delivery.store import Store


def numbered(sequence: int, hook: str = "h", began_ns: int = 7, size: int = 1) -> HookEvent:
    """Return a numbered event."""
    body = b"x" * size
    return HookEvent(hook, "fleet", "a", "enter", body, numbering=(sequence, began_ns, 0))


def test_a_delivered_event_counts_as_stored_though_the_file_never_had_it(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        for sequence in (1, 2, 3):
            bench.queue.append(numbered(sequence), bench.clock.now_ns())
        bench.queue.settle(bench.queue.take("h", 2, 100), 2)
        assert bench.queue.sequences.get("h") == Progress(7, stored=0, delivered=2)
        await bench.queue.flush()
        contents = Store(tmp_path / "queue.db").contents()
        assert contents.count == 1
        assert contents.progress == {"h": Progress(7, stored=3, delivered=2)}
        assert not bench.queue.is_dirty

    run_in_fake_time(run())


def test_events_keep_their_numbers_in_the_file(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.queue.append(numbered(5), bench.clock.now_ns())
        await bench.queue.flush()
        again = DeliveryHarness(tmp_path / "queue.db")
        await again.queue.load(["h"])
        [event] = again.queue.take("h", 9, 100)
        assert (event.sequence, event.began_ns) == (5, 7)
        assert event.delivery_id == "msg_7_5_ed0c3757"

    run_in_fake_time(run())


def test_a_write_that_fails_is_made_up_for(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        await bench.queue.flush()
        limit_pages(bench.store, 1)
        bench.queue.append(numbered(1, size=10_000), bench.clock.now_ns())
        bench.queue.append(numbered(1, "gone"), bench.clock.now_ns())
        bench.queue.settle(bench.queue.take("gone", 1, 100), 1)
        await bench.queue.flush()
        assert bench.queue.error is not None
        assert bench.queue.is_dirty
        bench.queue.drop("gone")
        limit_pages(bench.store, 1 << 20)
        await bench.queue.flush()
        assert Store(tmp_path / "queue.db").contents().progress == {"h": Progress(7, stored=1)}

    run_in_fake_time(run())


def test_a_deleted_hook_leaves_no_progress(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.queue.append(numbered(9), bench.clock.now_ns())
        await bench.queue.flush()
        bench.queue.drop("h")
        bench.queue.append(numbered(1, began_ns=8), bench.clock.now_ns())
        await bench.queue.flush()
        contents = Store(tmp_path / "queue.db").contents()
        assert contents.progress == {"h": Progress(8, stored=1)}
        assert contents.count == 1

    run_in_fake_time(run())


def test_what_another_server_delivered_leaves_memory_and_file(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        for sequence in range(1, 3001):
            bench.queue.append(numbered(sequence), bench.clock.now_ns())
        await bench.queue.flush()
        again = DeliveryHarness(tmp_path / "queue.db")
        elsewhere = DeliveredElsewhere(again.queue)
        elsewhere.note("h", 2900)
        assert again.queue.waiting("h") == 3000
        await elsewhere.finish()
        assert again.queue.waiting("h") == 100
        await again.queue.flush()
        assert again.store.contents().count == 100
        assert again.queue.sequences.take_delivered() == [("h", 2900)]
        elsewhere.note("h", 2950)
        assert again.queue.waiting("h") == 50

    run_in_fake_time(run())
