"""Retention: which events expire, and when."""

import asyncio
from pathlib import Path

import pytest

from tests.support.deliveries import DeliveryHarness, Hook
from tests.support.events import hook_event
from tests.support.fake_time import run_in_fake_time
from tile38py.delivery.retention import Retention
from tile38py.delivery.store import Row
from tile38py.interfaces.delivery import HookOptions

SECOND_NS = 10**9
NUMBERED = HookOptions(is_numbered=True)


def test_events_of_numbered_and_paused_hooks_last() -> None:
    retention = Retention(ttl_ns=30 * SECOND_NS)
    retention.set_rule("numbered", Hook(["u"], options=NUMBERED), 0)
    retention.set_rule("paused", Hook(["u"], is_paused=True), 0)
    retention.set_rule("plain", Hook(["u"]), 0)
    now_ns = 1000 * SECOND_NS
    cutoffs = [retention.cutoff_ns(now_ns, hook) for hook in ("numbered", "paused", "plain")]
    assert cutoffs == [0, 0, 970 * SECOND_NS]
    assert retention.cutoff_ns(now_ns) == 970 * SECOND_NS


def test_the_events_of_a_resumed_hook_live_as_long_as_new_ones() -> None:
    retention = Retention(ttl_ns=30 * SECOND_NS)
    retention.set_rule("h", Hook(["u"], is_paused=True), 0)
    retention.set_rule("h", Hook(["u"]), 1000 * SECOND_NS)
    assert retention.generation == 1
    assert not retention.is_lasting("h")
    assert retention.cutoff_ns(1029 * SECOND_NS, "h") == 0
    assert retention.cutoff_ns(1031 * SECOND_NS, "h") == 1001 * SECOND_NS
    retention.forget("h")
    assert retention.rules == {}


def noted_looks(bench: DeliveryHarness, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the numbers behind which sweeps look for the oldest events, as they are noted."""
    looks: list[int] = []
    oldest = bench.store.oldest

    def note(after: int) -> list[Row]:
        looks.append(after)
        return oldest(after)

    monkeypatch.setattr(bench.store, "oldest", note)
    return looks


def test_a_sweep_looks_once_at_events_that_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db", Retention(ttl_ns=SECOND_NS))
        bench.retention.set_rule("paused", Hook(["u"], is_paused=True), 0)
        for _ in range(2500):
            bench.queue.append(hook_event("paused", b"1"), bench.clock.now_ns())
        bench.queue.append(hook_event("plain", b"1"), bench.clock.now_ns())
        await bench.queue.flush()
        await asyncio.sleep(5)
        again = DeliveryHarness(tmp_path / "queue.db", bench.retention)
        looks = noted_looks(again, monkeypatch)
        await again.sweeper.sweep()
        await again.sweeper.sweep()
        assert again.queue.waiting("paused") == 2500
        assert again.queue.waiting("plain") == 0
        assert looks[0] == 0
        assert looks[-1] == 2501
        again.retention.set_rule("paused", Hook(["u"]), again.clock.now_ns() - 10 * SECOND_NS)
        await again.sweeper.sweep()
        assert again.queue.count == 0

    run_in_fake_time(run())
