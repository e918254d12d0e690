"""The worker: order, fail-over, retries, and that the dead hold up nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.deliveries import DeliveryHarness, Hook, delivery_task_count, running
from tests.support.events import hook_event
from tests.support.fake_time import run_in_fake_time
from tile38py.delivery.retention import Retention
from tile38py.interfaces.delivery import Batch
from tile38py.limits import HOOK_BATCH_COUNT_MAX, HOOK_STEP_COUNT_MAX


def test_events_are_delivered_in_order_and_the_task_ends(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.hooks["h"] = Hook(["a"])
        expected = [b"%d" % number for number in range(2000)]
        async with running(bench):
            bench.put("h", *expected)
            await asyncio.sleep(1)
            assert bench.couriers.delivered["a"] == expected
            assert delivery_task_count() == 0
            assert bench.couriers.tries["a"] < 10
        assert bench.counters.get("h").sent == 2000

    run_in_fake_time(run())


def test_the_second_endpoint_takes_over_and_the_first_comes_back(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.hooks["h"] = Hook(["a", "b"])
        bench.couriers.down.add("a")
        async with running(bench):
            bench.put("h", b"1", b"2")
            await asyncio.sleep(1)
            bench.couriers.down.clear()
            bench.put("h", b"3")
            await asyncio.sleep(1)
        assert bench.couriers.delivered == {"b": [b"1", b"2"], "a": [b"3"]}

    run_in_fake_time(run())


def test_a_hanging_endpoint_stops_nobody_else(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.couriers.hanging.update(f"dead-{at}" for at in range(1000))
        for at in range(1000):
            bench.hooks[f"dead-{at}"] = Hook([f"dead-{at}"])
        bench.hooks["alive"] = Hook(["alive"])
        async with running(bench):
            for hook in bench.hooks:
                bench.put(hook, b"x")
            await asyncio.sleep(0.01)
            assert bench.couriers.delivered == {"alive": [b"x"]}

    run_in_fake_time(run())


def test_a_dead_endpoint_is_tried_again_after_half_a_second_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.hooks["h"] = Hook(["a"])
        bench.couriers.down.add("a")
        async with running(bench):
            bench.put("h", b"1", b"2")
            await asyncio.sleep(5.1)
            assert 10 <= bench.couriers.tries["a"] <= 12
            bench.couriers.down.clear()
            await asyncio.sleep(0.6)
        assert bench.couriers.delivered["a"] == [b"1", b"2"]
        counters = bench.counters.get("h")
        assert counters.failed >= 10
        assert counters.retried >= 10
        assert counters.last_error == "down"
        assert len(bench.log) == 2  # once when it fails, once when it works

    run_in_fake_time(run())


def test_70000_hooks_on_a_dead_endpoint_are_one_task_and_one_try_at_a_time(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        hook = Hook(["a"])
        bench.couriers.down.add("a")
        async with running(bench):
            for at in range(70_000):
                bench.hooks[f"h{at}"] = hook
                bench.put(f"h{at}", b"x")
            await asyncio.sleep(2)
            assert delivery_task_count() == 1
            assert bench.couriers.tries["a"] <= 5

    run_in_fake_time(run())


def test_a_refused_event_holds_up_its_own_hook_only(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.hooks.update({"bad": Hook(["a"]), "good": Hook(["a"])})
        bench.couriers.refused.add(b"2")
        async with running(bench):
            bench.put("bad", b"1", b"2", b"3")
            bench.put("good", b"x", b"y")
            await asyncio.sleep(1.2)
            assert sorted(bench.couriers.delivered["a"]) == [b"1", b"x", b"y"]
            bench.couriers.refused.clear()
            await asyncio.sleep(0.6)
        assert bench.couriers.delivered["a"][-2:] == [b"2", b"3"]

    run_in_fake_time(run())


def test_an_event_that_breaks_connections_holds_up_no_other_hook_of_its_endpoint(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.hooks.update({name: Hook(["a"]) for name in ("bad", "worse", "good", "fine")})
        bench.couriers.poison.update((b"17", b"w"))
        expected = [b"%d" % number for number in range(100)]
        async with running(bench):
            bench.put("bad", *expected)
            bench.put("worse", b"w")
            bench.put("good", *(b"g" + body for body in expected))
            await asyncio.sleep(8)
            bench.put("fine", *(b"f" + body for body in expected))
            await asyncio.sleep(1.5)
            delivered = bench.couriers.delivered["a"]
            assert [body for body in delivered if body[:1] == b"g"] == [
                b"g" + body for body in expected
            ]
            assert [body for body in delivered if body[:1] == b"f"] == [
                b"f" + body for body in expected
            ]
            assert [body for body in delivered if body.isdigit()] == expected[:17]
            assert bench.counters.get("bad").last_error == "connection lost"
            assert bench.counters.get("fine").failed == 0
            bench.couriers.poison.clear()
            await asyncio.sleep(5)
        assert [body for body in delivered if body.isdigit()] == expected

    run_in_fake_time(run())


def test_batches_grow_again_once_a_dead_endpoint_is_back(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.hooks["h"] = Hook(["a"])
        bench.couriers.down.add("a")
        async with running(bench):
            bench.put("h", *(b"%d" % number for number in range(5000)))
            await asyncio.sleep(5)
            bench.couriers.down.clear()
            before = bench.couriers.tries["a"]
            await asyncio.sleep(1)
            assert len(bench.couriers.delivered["a"]) == 5000
            assert bench.couriers.tries["a"] - before < 20

    run_in_fake_time(run())


def test_what_went_out_past_a_refused_event_is_not_sent_again(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.hooks["h"] = Hook(["u"])
        bench.couriers.refused = {b"2"}
        bench.couriers.stops_at_refusals = False
        async with running(bench):
            bench.put("h", b"1", b"2", b"3", b"4")
            await asyncio.sleep(3)
            assert bench.couriers.delivered["u"] == [b"1", b"3", b"4"]
            assert bench.queue.count == 3
            bench.couriers.refused = set()
            await asyncio.sleep(1)
        assert bench.couriers.delivered["u"] == [b"1", b"3", b"4", b"2"]
        assert (bench.queue.count, bench.counters.total.sent) == (0, 4)

    run_in_fake_time(run())


def test_replacing_a_hook_hands_its_events_to_the_new_endpoint_at_once(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.hooks["h"] = Hook(["a"])
        bench.couriers.down.add("a")
        async with running(bench):
            bench.put("h", b"1", b"2")
            await asyncio.sleep(0.1)
            bench.hooks["h"] = Hook(["b"])
            bench.worker.changed("h")
            await asyncio.sleep(0.01)
            assert bench.couriers.delivered == {"b": [b"1", b"2"]}

    run_in_fake_time(run())


def test_replacing_a_hook_while_a_send_hangs_strands_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.hooks["h"] = Hook(["a"])
        bench.couriers.hanging.add("a")
        async with running(bench):
            bench.put("h", b"1")
            await asyncio.sleep(1)
            bench.hooks["h"] = Hook(["b"])
            bench.worker.changed("h")
            bench.put("h", b"2")
            await asyncio.sleep(5)
            assert bench.couriers.delivered == {"b": [b"1", b"2"]}

    run_in_fake_time(run())


def test_deleting_a_hook_in_the_middle_of_a_send_drops_its_events(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.hooks["h"] = Hook(["a"])
        bench.couriers.hanging.add("a")
        async with running(bench):
            bench.put("h", b"old")
            await asyncio.sleep(1)
            del bench.hooks["h"]
            bench.worker.changed("h")
            bench.hooks["h"] = Hook(["b"])
            bench.worker.changed("h")
            bench.put("h", b"new")
            await asyncio.sleep(10)
            assert bench.couriers.delivered == {"b": [b"new"]}
            assert bench.queue.count == 0

    run_in_fake_time(run())


def test_an_event_that_no_endpoint_takes_ends_with_its_ttl(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.hooks["h"] = Hook(["a"])
        bench.couriers.down.add("a")
        async with running(bench):
            bench.put("h", b"1")
            await asyncio.sleep(31)
            assert delivery_task_count() == 0
        assert bench.counters.get("h").expired == 1

    run_in_fake_time(run())


def test_events_of_the_last_run_go_out_when_it_starts(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.queue.append(hook_event("h", b"1"), bench.clock.now_ns())
        bench.queue.append(hook_event("gone", b"2"), bench.clock.now_ns())
        await bench.queue.flush()
        again = DeliveryHarness(tmp_path / "queue.db")
        again.hooks["h"] = Hook(["a"])
        async with running(again):
            await asyncio.sleep(0.1)
        assert again.couriers.delivered == {"a": [b"1"]}
        assert not again.queue.has("gone")

    run_in_fake_time(run())


def test_small_batches_begin_apart_so_that_they_grow_where_each_costs_the_broker(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.couriers.linger = 0.005
        hooks = [f"h{at}" for at in range(40)]
        bench.hooks.update({hook: Hook(["a"]) for hook in hooks})
        async with running(bench):
            bench.put(hooks[0], b"x")
            await asyncio.sleep(0.0011)
            assert bench.couriers.delivered["a"] == [b"x"]  # at once: nothing was sent before
            for hook in hooks[1:]:
                bench.put(hook, b"x")
                await asyncio.sleep(0.0005)
            await asyncio.sleep(1)
            assert bench.couriers.delivered["a"] == [b"x"] * 40
            # A send takes one of twenty milliseconds: without a pause it would be twenty batches.
            assert bench.couriers.tries["a"] <= 6

    run_in_fake_time(run())


@asynccontextmanager
async def waiting_in_line(path: Path) -> AsyncIterator[DeliveryHarness]:
    """A hook `h` whose event stands behind one that hangs."""
    bench = DeliveryHarness(path)
    bench.couriers.hanging.add("old")
    bench.hooks.update({"first": Hook(["old"]), "h": Hook(["old"])})
    async with running(bench):
        bench.put("first", b"0")
        await asyncio.sleep(0.001)
        bench.put("h", b"1")
        yield bench


def test_a_hook_that_is_replaced_while_it_waits_its_turn_goes_to_its_new_endpoints(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with waiting_in_line(tmp_path / "queue.db") as bench:
            for urls in (["new"], ["old"], ["new"]):
                bench.hooks["h"] = Hook(urls)
                bench.worker.changed("h")
            await asyncio.sleep(0.01)
            assert bench.couriers.delivered == {"new": [b"1"]}
            bench.couriers.hanging.clear()
            await asyncio.sleep(10)
        assert bench.couriers.delivered == {"new": [b"1"], "old": [b"0"]}

    run_in_fake_time(run())


def test_a_hook_that_is_deleted_in_line_and_made_again_gets_nothing_of_the_former(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with waiting_in_line(tmp_path / "queue.db") as bench:
            former = bench.hooks.pop("h")
            bench.worker.changed("h")
            bench.hooks["h"] = former
            bench.worker.changed("h")
            bench.put("h", b"2")
            bench.couriers.hanging.clear()
            await asyncio.sleep(10)
        assert sorted(bench.couriers.delivered["old"]) == [b"0", b"2"]

    run_in_fake_time(run())


def test_others_get_fewer_turns_while_messages_pile_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deliver(url: str, batch: Batch) -> None:
        del url
        batch.delivered.update(range(len(batch.events)))

    async def turns(count: int) -> int:
        bench = DeliveryHarness(tmp_path / f"{count}.db")
        monkeypatch.setattr(bench.couriers, "send", deliver)
        hooks = [f"h{at}" for at in range(count)]
        bench.hooks.update({hook: Hook(["a"]) for hook in hooks})
        passed = 0
        async with running(bench):
            for hook in hooks:
                bench.put(hook, b"x")
            while bench.queue.count:
                await asyncio.sleep(0)
                passed += 1
        return passed

    async def run() -> None:
        few = await turns(2 * HOOK_BATCH_COUNT_MAX)
        assert few > 2 * HOOK_BATCH_COUNT_MAX // HOOK_STEP_COUNT_MAX
        assert await turns(6 * HOOK_BATCH_COUNT_MAX) < 2 * few

    run_in_fake_time(run())


def test_a_paused_hook_sends_nothing_and_holds_up_nobody(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db", Retention(ttl_ns=0))
        bench.hooks["h"] = Hook(["a"], is_paused=True)
        bench.hooks["other"] = Hook(["a"])
        bench.queue.append(hook_event("h", b"1"), bench.clock.now_ns())
        async with running(bench):
            bench.put("h", b"2")
            bench.put("other", b"x")
            await asyncio.sleep(100)
            assert bench.couriers.delivered == {"a": [b"x"]}
            assert bench.queue.waiting("h") == 2
            assert delivery_task_count() == 0
            bench.hooks["h"].is_paused = False
            bench.worker.changed("h")
            bench.put("h", b"3")
            await asyncio.sleep(1)
        assert bench.couriers.delivered == {"a": [b"x", b"1", b"2", b"3"]}

    run_in_fake_time(run())


def test_a_pause_ends_what_waits_for_an_endpoint_that_is_down(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db", Retention(ttl_ns=0))
        bench.hooks["h"] = Hook(["a"])
        bench.couriers.down.add("a")
        async with running(bench):
            bench.put("h", b"1")
            await asyncio.sleep(10)
            bench.hooks["h"].is_paused = True
            bench.worker.changed("h")
            await asyncio.sleep(1)
            tries = bench.couriers.tries["a"]
            bench.couriers.down.clear()
            await asyncio.sleep(10)
            assert bench.couriers.tries["a"] == tries
            assert bench.queue.waiting("h") == 1

    run_in_fake_time(run())
