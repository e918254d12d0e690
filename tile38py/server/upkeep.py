"""Periodic work of a server, and the effects of changed settings."""

import asyncio
import gc
import hashlib
import os
import socket
from collections.abc import Callable

from tile38py._engine import Engine
from tile38py.clock import zone_offset_seconds
from tile38py.config import Config
from tile38py.config.output_limits import CLIENT_OUTPUT_BUFFER_LIMIT
from tile38py.config.properties import (
    APPENDFSYNC,
    BUSY_REPLY_THRESHOLD,
    CLIENT_QUERY_BUFFER_LIMIT,
    EVENT_WINDOW,
    HOOK_QUEUE_MAX_SIZE,
    HOOK_QUEUE_TTL,
    MAXCLIENTS,
    MAXCLIENTS_PER_USER,
    MAXMEMORY,
    READ_THREADS,
    REQUESTS_PER_SECOND_PER_USER,
    REQUIREPASS,
    SLOWLOG_LOG_SLOWER_THAN,
    SLOWLOG_MAX_LEN,
)
from tile38py.delivery.deliveries import Deliveries
from tile38py.interfaces import Clock
from tile38py.interfaces.delivery import Outbox
from tile38py.limits import (
    COLLECT_NEVER,
    COLLECT_PAUSE_FACTOR,
    COLLECT_SECONDS_MAX,
    COLLECT_WAITING_COUNT_MAX,
    MIB,
)
from tile38py.persistence.aof import Aof
from tile38py.persistence.no_log import NoLog
from tile38py.server.core import Core
from tile38py.server.logs import Log
from tile38py.server.read_units import ReadUnits
from tile38py.subscriptions import Subscriptions

PARTIAL_COUNT_MIN = 10  # as the interpreter's own threshold


def settings_in_force(
    core: Core, journal: Aof | NoLog, hooks: Deliveries, live: Subscriptions
) -> Callable[[str], None]:
    """Apply the settings now; return a function that applies them again after CONFIG SET."""

    def apply(name: str = "") -> None:
        if name == REQUIREPASS.name:
            core.users.set_default_password(core.config.get(REQUIREPASS))
        journal.policy = core.config.get(APPENDFSYNC)
        core.memory.check()
        core.slow_log.configure(
            microseconds=core.config.get(SLOWLOG_LOG_SLOWER_THAN),
            count_max=core.config.get(SLOWLOG_MAX_LEN),
        )
        apply_client_limits(core)
        live.bytes_max = core.config.get(CLIENT_OUTPUT_BUFFER_LIMIT).pubsub.hard_bytes
        core.engine.set_event_window(core.config.get(EVENT_WINDOW))
        core.engine.set_script_limit(core.config.get(BUSY_REPLY_THRESHOLD))
        hooks.retain(
            ttl_seconds=core.config.get(HOOK_QUEUE_TTL),
            bytes_max=core.config.get(HOOK_QUEUE_MAX_SIZE),
        )

    apply()
    return apply


def read_threads_in_force(config: Config, read_units: ReadUnits) -> Callable[[str], None]:
    """Set the threads of reads now; return a function that does so after CONFIG SET."""

    def apply(name: str = READ_THREADS.name) -> None:
        if name == READ_THREADS.name:
            read_units.set_threads(config.get(READ_THREADS))

    apply()
    return apply


def apply_client_limits(core: Core) -> None:
    """Apply the limits of clients. Connections that are open stay, even above a new maximum."""
    config, clients = core.config, core.clients
    clients.count_max = min(config.get(MAXCLIENTS), core.files_count_max)
    clients.per_user_count_max = config.get(MAXCLIENTS_PER_USER)
    core.engine.set_query_limit(config.get(CLIENT_QUERY_BUFFER_LIMIT))
    rate = config.get(REQUESTS_PER_SECOND_PER_USER)
    if rate != core.limiter.rate:
        core.limiter.rate = rate
        for client in clients:
            client.limit()


def memory_checker(core: Core, log: Log) -> Callable[[], None]:
    """A function that checks the memory, and logs when writes are refused and accepted again."""
    was_exhausted = False

    def check() -> None:
        nonlocal was_exhausted
        core.memory.check()
        is_exhausted = core.memory.is_exhausted
        if is_exhausted and not was_exhausted:
            heap, process = core.memory.used() // MIB, core.budget.process.private_bytes() // MIB
            text = "Writes are refused: the data takes %d MB, the process %d MB, maxmemory is %s"
            log.error(text, heap, process, core.config.text(MAXMEMORY.name))
        elif was_exhausted and not is_exhausted:
            log.info("Memory is below its bound, writes are accepted again")
        was_exhausted = is_exhausted

    return check


def time_zone_updater(engine: Engine) -> Callable[[], None]:
    """A function that passes the local time zone to the engine, for the messages of fences."""
    host = hashlib.md5(socket.gethostname().encode(), usedforsecurity=False).digest()[:3]
    seed = host + (os.getpid() & 0xFFFF).to_bytes(2, "big")

    def tell() -> None:
        engine.set_fence_context(utc_offset=zone_offset_seconds(), group_seed=seed)

    return tell


class CycleCollector:
    """Runs full garbage collections in place of the interpreter, which would at any moment.

    A full collection takes the longer the more messages of hooks wait. It is postponed then.
    """

    def __init__(self, clock: Clock, outbox: Outbox) -> None:
        self._clock = clock
        self._outbox = outbox
        self._ended_ns = clock.monotonic_ns()
        self._took_ns = 0

    def start(self) -> None:
        """Disable the interpreter's full collections. Objects of now are excluded from ours."""
        gc.collect()
        gc.freeze()
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, COLLECT_NEVER)

    def tick(self) -> None:
        """Run a full collection if it is due. Called once a second."""
        if self._is_time():
            started_ns = self._clock.monotonic_ns()
            gc.collect()
            self._ended_ns = self._clock.monotonic_ns()
            self._took_ns = self._ended_ns - started_ns

    def _is_time(self) -> bool:
        pause_ns = self._clock.monotonic_ns() - self._ended_ns
        if pause_ns > COLLECT_SECONDS_MAX * 10**9:
            return True
        if self._outbox.waiting_count > COLLECT_WAITING_COUNT_MAX:
            return False
        # The third count is the number of partial collections since the last full one.
        return (
            pause_ns > self._took_ns * COLLECT_PAUSE_FACTOR
            and gc.get_count()[2] > PARTIAL_COUNT_MIN
        )


async def every(seconds: float, step: Callable[[], bool | None]) -> None:
    """Call a function periodically; without a pause while it returns that there is more."""
    while True:
        has_more = step()
        await asyncio.sleep(0 if has_more else seconds)
