"""Delivery as a whole: its tasks, its thread, and what a kill leaves behind."""

import asyncio
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tests.support.process import ROOT
from tests.support.sending import delivering, enqueue, event, new_pool, until
from tile38py._engine import HookEvent
from tile38py.endpoints.local import LocalSettings
from tile38py.endpoints.registry import Registry

VICTIM = """
import asyncio, pathlib, sys
from tests.support.sending import delivering, enqueue, event

async def main():
    hooks = {"h": ["redis://127.0.0.1:1/c"]}  # nobody listens there
    async with delivering(pathlib.Path(sys.argv[1]), hooks) as deliveries:
        enqueue(deliveries, [("h", event(number)) for number in range(1000)])
        while deliveries.queue.is_dirty:
            await asyncio.sleep(0.01)
        print("written", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_events_reach_their_endpoints_and_the_counters(tmp_path: Path) -> None:
    published: list[tuple[bytes, bytes]] = []
    hooks = {"one": ["local://a"], "two": ["local://b"]}
    async with delivering(tmp_path, hooks, new_pool(published)) as deliveries:
        enqueue(deliveries, [("one", b"1"), ("two", b"2"), ("one", b"3"), ("none", b"4")])
        await until(lambda: len(published) == 3)
        assert sorted(published) == [(b"a", b"1"), (b"a", b"3"), (b"b", b"2")]
        report = deliveries.report("one")
        assert (report.counters.sent, report.waiting, report.oldest_ns) == (2, 0, 0)


async def test_the_oldest_message_is_that_of_all_hooks(tmp_path: Path) -> None:
    down = ["redis://127.0.0.1:1/c"]
    async with delivering(tmp_path, {"later": down, "first": down}) as deliveries:
        assert deliveries.oldest_ns == 0
        enqueue(deliveries, [("first", b"1")])
        enqueue(deliveries, [("later", b"2")])
        assert 0 < deliveries.oldest_ns == deliveries.report("first").oldest_ns
        assert deliveries.oldest_ns <= deliveries.report("later").oldest_ns


async def test_what_waits_at_a_clean_stop_goes_out_after_the_start(tmp_path: Path) -> None:
    async with delivering(tmp_path, {"h": ["redis://127.0.0.1:1/c"]}) as deliveries:
        enqueue(deliveries, [("h", event(number)) for number in range(10)])
    published: list[tuple[bytes, bytes]] = []
    async with delivering(tmp_path, {"h": ["local://c"]}, new_pool(published)):
        await until(lambda: len(published) == 10)
    assert [body for _, body in published] == [event(number) for number in range(10)]


def run_until_killed(folder: Path) -> None:
    """Queue 1,000 events in a process of its own and kill it once they are written."""
    words = [sys.executable, "-c", VICTIM, str(folder)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"written\n" in iter(process.stdout.readline, b"")
        process.kill()


async def test_events_survive_a_kill_and_go_out_after_the_start(tmp_path: Path) -> None:
    await asyncio.to_thread(run_until_killed, tmp_path)
    published: list[tuple[bytes, bytes]] = []
    async with delivering(tmp_path, {"h": ["local://c"]}, new_pool(published)) as deliveries:
        await until(lambda: len(published) == 1000)
        await until(lambda: not deliveries.queue.is_dirty)
    assert [body for _, body in published] == [event(number) for number in range(1000)]


async def test_idle_hooks_have_no_task(tmp_path: Path) -> None:
    hooks = {f"h{at}": ["local://c"] for at in range(1000)}
    published: list[tuple[bytes, bytes]] = []
    async with delivering(tmp_path, hooks, new_pool(published)) as deliveries:
        enqueue(deliveries, [(hook, b"1") for hook in hooks])
        await until(lambda: len(published) == 1000)
        # This one, run(), and the three that flush, sweep, and close connections.
        await until(lambda: len(asyncio.all_tasks()) <= 5)


def test_other_packages_add_schemes_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("other", "tile38py.endpoints.local:LocalSettings", "tile38py.endpoints")

    def entries(*, group: str) -> list[EntryPoint]:
        return [entry] if group == entry.group else []

    monkeypatch.setattr("tile38py.endpoints.registry.entry_points", entries)
    assert Registry().kind("other://x").settings is LocalSettings


@pytest.mark.parametrize("is_numbered", [False, True])
async def test_only_numbered_events_hold_up_a_rewrite_of_the_log(
    tmp_path: Path, *, is_numbered: bool
) -> None:
    ended: list[OSError | None] = []
    async with delivering(tmp_path, {"h": ["redis://127.0.0.1:1/c"]}) as deliveries:
        numbering = (1, 7, 0) if is_numbered else (0, 0, 0)
        deliveries.take([HookEvent("h", "k", "a", "enter", b"{}", numbering=numbering)])
        deliveries.store(ended.append)
        assert ended == ([] if is_numbered else [None])
        await until(lambda: ended == [None])
