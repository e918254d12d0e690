"""Read units: reads of one session that run on a pool of native threads.

The pool belongs to the engine's binding; this is its side on the event loop: it submits units,
collects those that are finished, and lets the loop run units for which no thread is free.
"""

import asyncio
from functools import partial

from tile38py._engine import Engine, ReadPool, ReadUnit
from tile38py.limits import LONG_READ_THREADS_MAX


class ReadUnits:
    """The pool of threads for reads, on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, engine: Engine) -> None:
        self._loop = loop
        self._engine = engine
        self._pool = ReadPool(0, LONG_READ_THREADS_MAX)
        loop.add_reader(self._pool.fileno(), self._collect)

    def set_threads(self, count: int | None) -> None:
        """Set the number of threads; None = one for each core but one. Without threads, reads stay
        on the event loop for as long as they exceed no budget.
        """
        threads = max(1, ReadPool.core_count() - 1) if count is None else count
        self._pool.set_threads(threads)
        self._engine.enable_read_units(threads > 0)

    def start(self, unit: ReadUnit) -> "asyncio.Future[object]":
        """Run a unit. The future has no result: the unit's session takes it."""
        future: asyncio.Future[object] = self._loop.create_future()
        if self._pool.submit(unit, partial(_settle, future)):
            self._loop.call_soon(self._collect)
        return future

    def shutdown(self) -> None:
        """Cancel all units and wait for the threads."""
        self._engine.enable_read_units(False)
        self._loop.remove_reader(self._pool.fileno())
        self._pool.stop()

    def _collect(self) -> None:
        """Deliver the results of finished units; run a unit if no thread is free for it."""
        finished, needs_help = self._pool.collect()
        for done in finished:
            done()
        if needs_help:
            self._pool.help()
            self._loop.call_soon(self._collect)


def _settle(future: "asyncio.Future[object]") -> None:
    if not future.done():
        future.set_result(None)
