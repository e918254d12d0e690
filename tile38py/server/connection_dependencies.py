"""Dependencies of connections: the parts of the server that each of them uses."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
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


class UnitRunner(Protocol):
    """Runs read units on threads."""

    def start(self, unit: ReadUnit) -> "asyncio.Future[object]":
        """Run a unit. The future has no result: the unit's session takes it."""


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

    def start(self, work: BackgroundWork) -> "asyncio.Future[object]":
        """Start work that isn't done in time slices."""
        match work.kind:
            case WorkKind.TASK:
                return cast("asyncio.Future[object]", work.run())
            case WorkKind.READS:
                assert work.unit is not None
                return self.read_units.start(work.unit)
            case WorkKind.SCRIPT:
                return self.loop.run_in_executor(self.script_pool, work.run)
            case _:
                return self.loop.run_in_executor(self.pool, work.run)
