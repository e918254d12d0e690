"""What a server does by itself, again and again, and what has to follow a change of a setting."""

import asyncio
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
)
from tile38py.persistence.aof import Aof, NoLog
from tile38py.server.hooks import Hooks
from tile38py.server.parts import Parts


def settings_in_force(parts: Parts, journal: Aof | NoLog, hooks: Hooks) -> Callable[[str], None]:
    """What each CONFIG SET has to bring about at once."""

    def apply(_name: str = "") -> None:
        journal.policy = parts.config.get(APPENDFSYNC)
        parts.gates.requires_password = bool(parts.config.get(REQUIREPASS))
        parts.gates.apply()
        parts.memory.check()
        hooks.retain(
            ttl_seconds=parts.config.get(HOOK_QUEUE_TTL),
            bytes_max=parts.config.get(HOOK_QUEUE_MAX_SIZE),
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


async def every(seconds: float, step: Callable[[], bool | None]) -> None:
    """Call a function for ever; again at the next turn if it says that there is more."""
    while True:
        has_more = step()
        await asyncio.sleep(0 if has_more else seconds)
