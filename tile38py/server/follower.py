"""Following, put together: the network, threads, the place of the copy, the server's parts."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from tile38py._engine import Engine
from tile38py.following import Target
from tile38py.interfaces import Broadcaster, Journal
from tile38py.replication.dial import TcpDial
from tile38py.replication.edges import CopyDisk
from tile38py.replication.follower import Follower
from tile38py.replication.surroundings import Surroundings
from tile38py.server.logs import Log
from tile38py.server.options import Options
from tile38py.server.parts import Parts

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class LoopThreads:
    """The threads of a pool, which may not be the one that long reads fill."""

    loop: asyncio.AbstractEventLoop
    pool: ThreadPoolExecutor

    def run(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Begin on another thread."""
        return self.loop.run_in_executor(self.pool, work)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What a follower needs besides a server's parts."""

    journal: Journal
    broadcaster: Broadcaster
    disk: CopyDisk | None
    threads: LoopThreads
    port: int


def make_follower(options: Options, parts: Parts, log: Log, rest: Rest) -> Follower:
    """Make it; it follows as soon as it runs."""
    identity = parts.config.identity
    target = None
    if identity.follow_host:
        target = Target(identity.follow_host, identity.follow_port)
    surroundings = Surroundings(
        engine=parts.engine,
        new_engine=functools.partial(Engine, require_valid=options.requires_valid),
        clock=parts.clock,
        config=parts.config,
        gates=parts.gates,
        journal=rest.journal,
        broadcaster=rest.broadcaster,
        dial=TcpDial(),
        threads=rest.threads,
        disk=rest.disk,
        port=rest.port,
        inform=log.info,
        complain=log.error,
    )
    return Follower(surroundings, target)
