"""Read units on an executor, in place of the pool of native threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from tile38py._engine import ReadUnit


class ExecutorUnits:
    """Runs read units in an executor; None = the event loop's default one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pool: Executor | None = None) -> None:
        self._loop = loop
        self._pool = pool

    def set_threads(self, count: int | None) -> None:
        """Change nothing: the executor has threads of its own."""

    def start(self, unit: ReadUnit, done: Callable[[BaseException | None], None]) -> None:
        """Run a unit, and call done on the event loop unless the work was cancelled."""

        def finish(future: "asyncio.Future[None]") -> None:
            if not future.cancelled():
                done(future.exception())

        self._loop.run_in_executor(self._pool, unit.run).add_done_callback(finish)

    def shutdown(self) -> None:
        """Change nothing."""
