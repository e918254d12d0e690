"""Delivery of hooks' events, put together: the queue, the connections, the engine's registry."""

import os
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tile38py._engine import Engine
from tile38py.clock import SystemClock, new_server_id
from tile38py.delivery.deliveries import Deliveries
from tile38py.endpoints.pool import Pool
from tile38py.endpoints.registry import EndpointDependencies, Registry
from tile38py.interfaces import Tell
from tile38py.interfaces.delivery import HookOptions, Publisher
from tile38py.limits import HOOK_KNOWN_COUNT_MAX

ENCODED_PREFIX: Final = b"whsec_"  # of a secret in base64, as in Standard Webhooks
Properties = tuple[tuple[bytes, ...], tuple[bytes, ...], bool]


@dataclass(frozen=True, slots=True)
class FoundHook:
    """A hook of the engine, as delivery needs it."""

    endpoints: tuple[str, ...]
    options: HookOptions | None
    is_paused: bool


class EngineHooks:
    """The hooks of an engine. Those with the same properties, as many have, are one object."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[Properties, FoundHook] = {}

    def names(self) -> list[str]:
        """The names of all hooks."""
        return [name.decode("utf-8", "surrogateescape") for name in self._engine.hook_names()]

    def find(self, hook: str) -> FoundHook | None:
        """The hook of a name; None if there is none."""
        definition = self._engine.hook(hook.encode("utf-8", "surrogateescape"))
        if definition is None:
            return None
        properties = (definition.endpoints, definition.options, definition.is_paused)
        found = self._known.get(properties)
        if found is None:
            if len(self._known) >= HOOK_KNOWN_COUNT_MAX:
                self._known.clear()
            texts = (url.decode("utf-8", "surrogateescape") for url in definition.endpoints)
            options = options_of(definition.options) if definition.options else None
            found = FoundHook(tuple(texts), options, definition.is_paused)
            self._known[properties] = found
        return found


def options_of(words: Sequence[bytes]) -> HookOptions:
    """Return the options that the words of a hook, which SETHOOK has checked, stand for."""
    keys: list[bytes] = []
    headers: list[tuple[str, str]] = []
    is_cloud_event = False
    while words:
        match words:
            case [b"SIGN", secret, *words]:
                keys.append(key_of(secret))
            case [b"HEADERS", name, value, *words]:
                headers.append((name.decode("ascii"), value.decode("ascii")))
            case [b"FORMAT", b"cloudevents", *words]:
                is_cloud_event = True
            case _:
                raise AssertionError(f"unknown option {words[0]!r}")
    return HookOptions(tuple(keys), tuple(headers), is_cloud_event)


def key_of(secret: bytes) -> bytes:
    """Return the key of a secret: the bytes behind `whsec_` in base64, or the secret itself."""
    encoded = secret.removeprefix(ENCODED_PREFIX)
    return secret if encoded is secret else b64decode(encoded)


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
