"""Delivery of hooks' events, put together: the queue, the connections, the engine's registry."""

import os
from dataclasses import dataclass
from pathlib import Path

from tile38py._engine import Engine
from tile38py.clock import SystemClock, new_server_id
from tile38py.delivery.deliveries import Deliveries
from tile38py.endpoints.pool import Pool
from tile38py.endpoints.registry import EndpointDependencies, Registry
from tile38py.interfaces import Tell
from tile38py.interfaces.delivery import Publisher
from tile38py.limits import HOOK_KNOWN_COUNT_MAX


@dataclass(frozen=True, slots=True)
class FoundHook:
    """A hook of the engine, as delivery needs it."""

    endpoints: tuple[str, ...]
    is_paused: bool


class EngineHooks:
    """The hooks of an engine. Those with the same properties, as many have, are one object."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[tuple[tuple[bytes, ...], bool], FoundHook] = {}

    def names(self) -> list[str]:
        """The names of all hooks."""
        return [name.decode("utf-8", "surrogateescape") for name in self._engine.hook_names()]

    def find(self, hook: str) -> FoundHook | None:
        """The hook of a name; None if there is none."""
        definition = self._engine.hook(hook.encode("utf-8", "surrogateescape"))
        if definition is None:
            return None
        properties = (definition.endpoints, definition.is_paused)
        found = self._known.get(properties)
        if found is None:
            if len(self._known) >= HOOK_KNOWN_COUNT_MAX:
                self._known.clear()
            texts = (url.decode("utf-8", "surrogateescape") for url in definition.endpoints)
            found = self._known[properties] = FoundHook(tuple(texts), definition.is_paused)
        return found


def open_deliveries(
    path: Path, engine: Engine, *, clock: SystemClock, publish: Publisher, log: Tell
) -> Deliveries:
    """Delivery for an engine's hooks, with its queue open. Raises StartError."""
    dependencies = EndpointDependencies(os.environ, new_server_id, publish)
    pool = Pool(Registry(), dependencies, clock=clock, log=log)
    engine.check_endpoints(pool.checker)
    deliveries = Deliveries(path, pool, clock=clock, hooks=EngineHooks(engine), log=log)
    deliveries.open()
    return deliveries
