"""Delivery of hooks' messages, put together: the queue, the connections, the engine's registry."""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tile38py._engine import Engine, admit_schemes
from tile38py.clock import SystemClock, new_server_id
from tile38py.delivery.deliveries import Deliveries
from tile38py.endpoints.pool import Pool
from tile38py.endpoints.registry import Registry, Surroundings, foreign_schemes
from tile38py.interfaces import HookCounters, HookReport, Publisher, Tell
from tile38py.limits import HOOK_KNOWN_COUNT_MAX, STOP_SECONDS_MAX


@dataclass(frozen=True, slots=True)
class FoundHook:
    """A hook of the engine, as delivery needs it."""

    endpoints: tuple[str, ...]


class Hooks:
    """What delivers, from the start of a server to its stop. Takes what fences found."""

    def __init__(
        self, path: Path, engine: Engine, *, clock: SystemClock, publish: Publisher, log: Tell
    ) -> None:
        # Once for the process: it can't change while it runs.
        admit_schemes(foreign_schemes())
        surroundings = Surroundings(os.environ, new_server_id, publish)
        self._engine = engine
        self._known: dict[tuple[bytes, ...], FoundHook] = {}  # many hooks have the same URLs
        self._pool = Pool(Registry(), surroundings, clock=clock, log=log)
        self._deliveries = Deliveries(path, self._pool, clock=clock, find=self._find, log=log)
        self._deliveries.open()
        self._ended = asyncio.Event()
        self._ended.set()

    @property
    def waiting_count(self) -> int:
        """Messages that wait, over all hooks."""
        return self._deliveries.queue.count

    @property
    def waiting_bytes(self) -> int:
        """What they occupy."""
        return self._deliveries.queue.bytes

    @property
    def memory_bytes(self) -> int:
        """What of them is in memory, not only in the file."""
        return self._deliveries.queue.memory_bytes

    @property
    def connection_count(self) -> int:
        """Connections to brokers that are open."""
        return self._pool.open_count

    @property
    def total(self) -> HookCounters:
        """The sums over all hooks."""
        return self._deliveries.counters.total

    def report(self, hook: str) -> HookReport:
        """What became of a hook's messages."""
        return self._deliveries.report(hook)

    def retain(self, *, ttl_seconds: int, bytes_max: int) -> None:
        """Keep messages so long, and so many bytes of them; 0 = no bound. In force at once."""
        self._deliveries.retain(ttl_ns=ttl_seconds * 10**9, bytes_max=bytes_max)

    def enqueue(self, events: Sequence[tuple[str, bytes]]) -> None:
        """Queue messages."""
        self._deliveries.enqueue(events)

    def hooks_changed(self, names: Sequence[str]) -> None:
        """Hand over or drop what waits for these hooks."""
        self._deliveries.hooks_changed(names)

    async def run(self) -> None:
        """Deliver, from when the log is loaded until stop()."""
        self._ended.clear()
        try:
            async with asyncio.TaskGroup() as tasks:
                sweeping = tasks.create_task(self._pool.run(), name="endpoints")
                await self._deliveries.run()
                sweeping.cancel()
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """End delivery; what wasn't delivered stays in the file."""
        self._deliveries.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await self._ended.wait()

    def _find(self, name: str) -> FoundHook | None:
        urls = self._engine.hook_endpoints(name.encode("utf-8", "surrogateescape"))
        if urls is None:
            return None
        found = self._known.get(urls)
        if found is None:
            if len(self._known) >= HOOK_KNOWN_COUNT_MAX:
                self._known.clear()
            texts = (url.decode("utf-8", "surrogateescape") for url in urls)
            found = self._known[urls] = FoundHook(tuple(texts))
        return found
