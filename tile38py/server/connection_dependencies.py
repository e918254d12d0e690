"""Dependencies of connections: the parts of the server that each of them uses."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

from tile38py._engine import ReadUnit
from tile38py.clients import Clients
from tile38py.config import Config
from tile38py.dispatch import BackgroundWork, WorkKind
from tile38py.interfaces import Clock, Journal
from tile38py.server.logs import Log
from tile38py.server.peers import ConnectionFilter
from tile38py.server.rate_limiter import RateLimiter
from tile38py.server.transports import TransportDependencies

# Called with the result of work, or with its error; not at all if the work was cancelled.
WorkDone = Callable[[object, BaseException | None], None]


class UnitRunner(Protocol):
    """Runs read units on threads."""

    def start(self, unit: ReadUnit, done: Callable[[BaseException | None], None]) -> None:
        """Run a unit, and call done on the event loop with its error, None if there was none. The
        unit's session takes the results.
        """


@dataclass(frozen=True, slots=True)
class ConnectionDependencies:
    """Dependencies of all connections of a server."""

    loop: asyncio.AbstractEventLoop
    transports: TransportDependencies
    journal: Journal
    clients: Clients
    clock: Clock
    config: Config
    pool: Executor
    script_pool: Executor
    read_units: UnitRunner
    connection_filter: ConnectionFilter
    limiter: RateLimiter
    log: Log
    report: Callable[[str, str], None]  # logs the host of a refused connection and the reason
    output: str = ""  # the initial output, if it isn't the transport's own

    def start(self, work: BackgroundWork, done: WorkDone) -> None:
        """Start work on another thread or in a task."""
        if work.unit is not None and work.kind is WorkKind.READS:
            self.read_units.start(work.unit, partial(done, None))
            return
        if work.kind is WorkKind.TASK:
            future = cast("asyncio.Future[object]", work.run())
        else:
            pool = self.script_pool if work.kind is WorkKind.SCRIPT else self.pool
            future = self.loop.run_in_executor(pool, work.run)
        future.add_done_callback(partial(_report, done))


def _report(done: WorkDone, future: "asyncio.Future[object]") -> None:
    if not future.cancelled():
        error = future.exception()
        done(None if error else future.result(), error)
