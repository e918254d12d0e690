"""What a server does by itself, again and again, and what has to follow a change of a setting."""

import asyncio
import gc
import hashlib
import os
import socket
from collections.abc import Callable

from tile38py._engine import Engine
from tile38py.clock import zone_offset_seconds
from tile38py.config.properties import (
    APPENDFSYNC,
    HOOK_QUEUE_MAX_SIZE,
    HOOK_QUEUE_TTL,
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
)
from tile38py.persistence.aof import Aof
from tile38py.persistence.no_log import NoLog
from tile38py.server.core import Core

LOOKS_MIN = 10  # as the interpreter's own threshold


def settings_in_force(core: Core, journal: Aof | NoLog, hooks: Deliveries) -> Callable[[str], None]:
    """What each CONFIG SET has to bring about at once."""

    def apply(_name: str = "") -> None:
        journal.policy = core.config.get(APPENDFSYNC)
        core.gates.requires_password = bool(core.config.get(REQUIREPASS))
        core.gates.apply()
        core.memory.check()
        core.slow_log.configure(
            microseconds=core.config.get(SLOWLOG_LOG_SLOWER_THAN),
            count_max=core.config.get(SLOWLOG_MAX_LEN),
        )
        hooks.retain(
            ttl_seconds=core.config.get(HOOK_QUEUE_TTL),
            bytes_max=core.config.get(HOOK_QUEUE_MAX_SIZE),
        )

    apply()
    return apply


def follow_zone(engine: Engine) -> Callable[[], None]:
    """What keeps the engine's idea of the local time zone right; messages of fences show it."""
    host = hashlib.md5(socket.gethostname().encode(), usedforsecurity=False).digest()[:3]
    seed = host + (os.getpid() & 0xFFFF).to_bytes(2, "big")

    def tell() -> None:
        engine.set_fence_context(utc_offset=zone_offset_seconds(), group_seed=seed)

    return tell


class CycleFinder:
    """Looks for garbage in cycles in place of the interpreter, which would do it at any time.

    A look at all objects takes the longer the more messages of hooks wait: then it is put off.
    """

    def __init__(self, clock: Clock, outbox: Outbox) -> None:
        self._clock = clock
        self._outbox = outbox
        self._looked_ns = clock.monotonic_ns()
        self._took_ns = 0

    def start(self) -> None:
        """From here on it is ours to look. What lives now lives long and isn't looked at again."""
        gc.collect()
        gc.freeze()
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, COLLECT_NEVER)

    def tick(self) -> None:
        """Once a second: look, if it is time."""
        if self._is_time():
            started_ns = self._clock.monotonic_ns()
            gc.collect()
            self._looked_ns = self._clock.monotonic_ns()
            self._took_ns = self._looked_ns - started_ns

    def _is_time(self) -> bool:
        pause_ns = self._clock.monotonic_ns() - self._looked_ns
        if pause_ns > COLLECT_SECONDS_MAX * 10**9:
            return True
        if self._outbox.waiting_count > COLLECT_WAITING_COUNT_MAX:
            return False
        # The third count is that of the smaller looks since the last one at everything.
        return pause_ns > self._took_ns * COLLECT_PAUSE_FACTOR and gc.get_count()[2] > LOOKS_MIN


async def every(seconds: float, step: Callable[[], bool | None]) -> None:
    """Call a function for ever; again at the next turn if it says that there is more."""
    while True:
        has_more = step()
        await asyncio.sleep(0 if has_more else seconds)
