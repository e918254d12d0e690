"""RETRY, TIMEOUT, BATCH and TTL of single hooks: what each changes, and that others keep theirs."""

import asyncio
from pathlib import Path

from tests.support.deliveries import DeliveryHarness, Hook, running
from tests.support.fake_time import run_in_fake_time
from tile38py.interfaces.delivery import HookOptions, SendingRule

QUICK = HookOptions(rule=SendingRule(retry_seconds_min=0.1, retry_seconds_max=0.4))
PATIENT = HookOptions(rule=SendingRule(retry_seconds_min=4.0, retry_seconds_max=64.0))


async def tries_of(bench: DeliveryHarness, seconds: float) -> int:
    """Let time pass; return how often endpoint `a` was tried meanwhile."""
    before = bench.couriers.tries.get("a", 0)
    await asyncio.sleep(seconds)
    return bench.couriers.tries.get("a", 0) - before


def test_a_dead_endpoint_is_tried_again_as_the_hook_says(tmp_path: Path) -> None:
    async def run() -> None:
        for options, counts in [(QUICK, [4, 5]), (PATIENT, [1, 0])]:
            bench = DeliveryHarness(tmp_path / f"{id(options)}.db")
            bench.retention.ttl_ns = 0
            bench.hooks["h"] = Hook(["a"], options=options)
            bench.couriers.down.add("a")
            async with running(bench):
                bench.put("h", b"1")
                assert [await tries_of(bench, 1), await tries_of(bench, 2)] == counts
                assert await tries_of(bench, 10) in {2, 25}
                bench.couriers.down.clear()
                await asyncio.sleep(20)
            assert bench.couriers.delivered == {"a": [b"1"]}

    run_in_fake_time(run())


def test_a_refused_event_is_tried_again_as_the_hook_says(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.hooks["h"] = Hook(["a"], options=QUICK)
        bench.couriers.refused.add(b"1")
        async with running(bench):
            bench.put("h", b"1", b"2")
            assert await tries_of(bench, 3) == 9
            bench.couriers.refused.clear()
            await asyncio.sleep(1)
        assert bench.couriers.delivered == {"a": [b"1", b"2"]}

    run_in_fake_time(run())


def test_hooks_with_other_rules_go_on_beside_each_other(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        bench.hooks["patient"] = Hook(["a"], options=PATIENT)
        bench.hooks["plain"] = Hook(["a"])
        bench.couriers.down.add("a")
        async with running(bench):
            bench.put("patient", b"1")
            bench.put("plain", b"2")
            await asyncio.sleep(1)
            bench.couriers.down.clear()
            await asyncio.sleep(1)
            assert bench.couriers.delivered == {"a": [b"2"]}
            await asyncio.sleep(3)
            assert bench.couriers.delivered == {"a": [b"2", b"1"]}

    run_in_fake_time(run())


def test_a_batch_waits_until_it_is_full_or_time_is_over(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        rule = SendingRule(has_batches=True, batch_count=3, batch_seconds=0.5)
        bench.hooks["h"] = Hook(["a"], options=HookOptions(rule=rule))
        async with running(bench):
            bench.put("h", b"1")
            await asyncio.sleep(0.1)
            assert bench.couriers.delivered == {}
            bench.put("h", b"2")
            await asyncio.sleep(0.5)
            assert bench.couriers.delivered == {"a": [b"1", b"2"]}
            assert bench.couriers.tries == {"a": 1}
            bench.put("h", b"3", b"4", b"5")
            await asyncio.sleep(0.1)
            assert bench.couriers.delivered["a"][2:] == [b"3", b"4", b"5"]

    run_in_fake_time(run())


def test_events_expire_by_their_hooks_own_lifetime(tmp_path: Path) -> None:
    async def run() -> None:
        bench = DeliveryHarness(tmp_path / "queue.db")
        lives = {"short": 10**9, "long": 3600 * 10**9, "endless": 0}
        for hook, ttl_ns in lives.items():
            bench.hooks[hook] = Hook(["a"], options=HookOptions(ttl_ns=ttl_ns, is_numbered=True))
        bench.hooks["plain"] = Hook(["a"])
        bench.couriers.down.add("a")
        async with running(bench):
            for hook in bench.hooks:
                bench.put(hook, hook.encode())
            await asyncio.sleep(2)
            await bench.sweeper.sweep()
            assert bench.counters.get("short").expired == 1
            assert bench.counters.total.expired == 1
            await asyncio.sleep(3000)
            await bench.sweeper.sweep()
            assert bench.counters.get("plain").expired == 1
            bench.couriers.down.clear()
            await asyncio.sleep(5)
        assert sorted(bench.couriers.delivered["a"]) == [b"endless", b"long"]

    run_in_fake_time(run())
