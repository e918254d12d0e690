"""Read units: reads of one session that run on a pool of native threads.

The pool belongs to the engine's binding; this is its side on the event loop: it submits units,
collects those that are finished, and lets the loop run units for which no thread is free.
"""

import asyncio
from collections.abc import Callable

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
        # Units may wait for threads that are no more: the loop runs them.
        self._loop.call_soon(self._collect)

    def start(self, unit: ReadUnit, done: Callable[[BaseException | None], None]) -> None:
        """Run a unit, and call done on the event loop with its error, None if there was none. The
        unit's session takes the results.
        """
        if self._pool.submit(unit, done):
            self._loop.call_soon(self._collect)

    def shutdown(self) -> None:
        """Cancel all units and wait for the threads."""
        self._engine.enable_read_units(False)
        self._loop.remove_reader(self._pool.fileno())
        self._pool.stop()

    def _collect(self) -> None:
        """Deliver the results of finished units; run a unit if no thread is free for it."""
        finished, needs_help = self._pool.collect()
        if needs_help:
            self._loop.call_soon(self._collect)
        for done, has_panicked in finished:
            try:
                done(RuntimeError("a read has panicked") if has_panicked else None)
            except Exception as error:  # noqa: BLE001 # a fault of one connection's units
                context = {"message": "The end of a read unit failed", "exception": error}
                self._loop.call_exception_handler(context)
        if needs_help:
            self._pool.help()
