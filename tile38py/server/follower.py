"""Following, put together: the network, threads, the place of the copy, the server's parts."""

import asyncio
import functools
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from tile38py._engine import Engine
from tile38py.commands.replication import keep_leader
from tile38py.following import Target
from tile38py.interfaces import Broadcaster
from tile38py.limits import FOLLOW_THREADS_MAX
from tile38py.persistence.aof import Aof, NoLog
from tile38py.persistence.edges import InThread
from tile38py.persistence.files import Folder
from tile38py.persistence.resync import Resync
from tile38py.replication.dial import TcpDial
from tile38py.replication.surroundings import Surroundings
from tile38py.server.listener import port_of
from tile38py.server.logs import Log
from tile38py.server.options import Options
from tile38py.server.parts import Parts
from tile38py.server.rewriting import Rewriting

Result = TypeVar("Result")


class LoopThreads:
    """Threads of their own: long reads of clients don't hold up a follower, nor it them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pool = ThreadPoolExecutor(FOLLOW_THREADS_MAX, "follow")

    def run(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Begin on another thread."""
        return self._loop.run_in_executor(self._pool, work)

    def shutdown(self) -> None:
        """Wait for what runs."""
        self._pool.shutdown()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What a follower needs besides a server's parts."""

    journal: Aof | NoLog
    broadcaster: Broadcaster
    rewriting: Rewriting
    in_thread: InThread
    threads: LoopThreads
    listener: socket.socket | None


def follower_parts(
    options: Options, parts: Parts, log: Log, rest: Rest
) -> tuple[Surroundings, Target | None]:
    """What it is made of, and whom it follows as soon as it runs."""
    identity = parts.config.identity
    target = None
    if identity.follow_host:
        target = Target(identity.follow_host, identity.follow_port)
    disk = None
    if isinstance(rest.journal, Aof):
        folder = Folder(options.append_path)
        disk = Resync(rest.journal, folder, rest.rewriting, rest.in_thread)
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
        disk=disk,
        port=0 if rest.listener is None else port_of(rest.listener),
        inform=log.info,
        complain=log.error,
        keep_leader=functools.partial(keep_leader, parts.config, parts.config_file),
    )
    return surroundings, target
