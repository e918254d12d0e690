"""Delivery of hooks' events, put together: the queue, the connections, the engine's registry."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tile38py._engine import Engine
from tile38py.clock import new_server_id
from tile38py.delivery.dead_letters import PREFIX
from tile38py.delivery.deliveries import Deliveries
from tile38py.endpoints.pool import Pool
from tile38py.endpoints.registry import EndpointDependencies, Registry
from tile38py.gates import Gates
from tile38py.interfaces import Journal, Tell
from tile38py.interfaces.delivery import HookOptions, Publisher
from tile38py.interfaces.history import HistoryBounds
from tile38py.limits import HOOK_KNOWN_COUNT_MAX
from tile38py.server.core import Core
from tile38py.server.hook_options import bounds_of, options_of

Properties = tuple[tuple[bytes, ...], tuple[bytes, ...], bool]


@dataclass(frozen=True, slots=True)
class FoundHook:
    """A hook of the engine, as delivery needs it."""

    endpoints: tuple[str, ...]
    options: HookOptions | None
    is_paused: bool


class EngineHooks:
    """The hooks of an engine. Those with the same properties, as many have, are one object.

    Numbered events of a follower wait until it becomes the leader: their hooks are paused.
    """

    def __init__(self, engine: Engine, gates: Gates) -> None:
        self._engine = engine
        self._gates = gates
        self._known: dict[Properties, FoundHook] = {}

    def names(self) -> list[str]:
        """The names of all hooks."""
        return [name.decode("utf-8", "surrogateescape") for name in self._engine.hook_names()]

    def closing(self) -> list[str]:
        """The names of deleted hooks whose last messages may still be sent."""
        return [name.decode("utf-8", "surrogateescape") for name in self._engine.closing_hooks()]

    def close(self, hook: str) -> None:
        """Forget a deleted hook: it has no message to send."""
        self._engine.close_hook(hook.encode("utf-8", "surrogateescape"))

    def find(self, hook: str) -> FoundHook | None:
        """The hook of a name, or the dead letters of one; None if there is none."""
        if hook.startswith(PREFIX):
            return dead_letters_of(self.find(hook.removeprefix(PREFIX)))
        definition = self._engine.hook(hook.encode("utf-8", "surrogateescape"))
        if definition is None:
            return None
        options = definition.options
        is_held = self._gates.is_following and (b"SEQUENCE" in options or b"HISTORY" in options)
        properties = (definition.endpoints, options, definition.is_paused or is_held)
        found = self._known.get(properties)
        if found is None:
            if len(self._known) >= HOOK_KNOWN_COUNT_MAX:
                self._known.clear()
            texts = (url.decode("utf-8", "surrogateescape") for url in definition.endpoints)
            found = FoundHook(tuple(texts), options_of(options) if options else None, properties[2])
            self._known[properties] = found
        return found

    def sequence(self, name: str) -> tuple[int, int] | None:
        """The number of the last event of a hook or channel, and the time of its first one."""
        return self._engine.sequence(name.encode("utf-8", "surrogateescape"))

    def history(self, name: str) -> HistoryBounds | None:
        """The bounds of a hook's or channel's history; None if it has none."""
        encoded = name.encode("utf-8", "surrogateescape")
        definition = self._engine.hook(encoded) or self._engine.channel(encoded)
        options = definition.options if definition is not None else ()
        if b"HISTORY" not in options:
            return None
        return bounds_of(options[options.index(b"HISTORY") + 1])


def dead_letters_of(hook: FoundHook | None) -> FoundHook | None:
    """Return what delivers a hook's dead letters; None if it has no URL for them.

    The URL is another server's: it gets no header and signature that is for the hook's own.
    """
    if hook is None or hook.options is None or not hook.options.dead_letter:
        return None
    options = HookOptions(
        is_cloud_event=hook.options.is_cloud_event, ttl_ns=0, queue_bytes=hook.options.queue_bytes
    )
    return FoundHook((hook.options.dead_letter,), options, is_paused=False)


def log_delivered(core: Core, journal: Journal) -> Callable[[list[tuple[bytes, int]]], None]:
    """Return the function that logs up to which number the events of hooks are delivered."""

    def log(delivered: list[tuple[bytes, int]]) -> None:
        if core.gates.is_following or core.gates.log_error is not None:
            return
        data = core.engine.set_delivered(delivered)
        if data:
            journal.append(data)

    return log


def open_deliveries(path: Path, core: Core, *, publish: Publisher, log: Tell) -> Deliveries:
    """Delivery for a server's hooks, with its queue open. Raises StartError."""
    dependencies = EndpointDependencies(os.environ, new_server_id, publish)
    engine, clock = core.engine, core.clock
    pool = Pool(Registry(), dependencies, clock=clock, log=log)
    engine.check_endpoints(pool.checker)
    deliveries = Deliveries(path, pool, clock=clock, hooks=EngineHooks(engine, core.gates), log=log)
    deliveries.open()
    return deliveries
