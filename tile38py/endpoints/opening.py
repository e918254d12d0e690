"""Preparation of a connection: import of the broker's client, pacing of attempts to connect."""

import asyncio
from importlib import import_module
from importlib.util import find_spec

from tile38py.endpoints.registry import Traits
from tile38py.interfaces import Clock


class MissingClientError(Exception):
    """A broker's client isn't installed; the text names the extra."""

    def __init__(self, traits: Traits) -> None:
        extra = f"pip install 'tile38py[{traits.extra}]'"
        super().__init__(f"its client isn't installed: {extra}")


class ClientImporter:
    """Imports brokers' clients, each once."""

    def __init__(self) -> None:
        self._loaded: set[str] = {""}
        self._loading = asyncio.Lock()

    async def load(self, traits: Traits) -> None:
        """Import a client on another thread: a large one would block the event loop."""
        if traits.module in self._loaded:
            return
        async with self._loading:
            if traits.module in self._loaded:
                return
            try:
                await asyncio.to_thread(import_module, traits.module)
            except ModuleNotFoundError as error:
                if first_part(error.name or "") != first_part(traits.module):
                    raise
                raise MissingClientError(traits) from error
            self._loaded.add(traits.module)


class Pacer:
    """Spaces out events: at least step_seconds pass between two of them."""

    def __init__(self, clock: Clock, step_seconds: float) -> None:
        self._clock = clock
        self._step_ns = int(step_seconds * 1e9)
        self._next_ns = 0

    async def wait(self) -> None:
        """Wait until the next event may happen, which is now if none happened lately."""
        now_ns = self._clock.monotonic_ns()
        moment_ns = max(now_ns, self._next_ns)
        self._next_ns = moment_ns + self._step_ns
        if moment_ns > now_ns:
            await asyncio.sleep((moment_ns - now_ns) / 1e9)


def require_client(traits: Traits) -> None:
    """Raise MissingClientError unless a kind's client is installed. Doesn't import it."""
    parts = traits.module.split(".") if traits.module else []
    for count in range(1, len(parts) + 1):
        try:
            spec = find_spec(".".join(parts[:count]))
        except ModuleNotFoundError:
            spec = None
        if spec is None:
            raise MissingClientError(traits)
        # Packages of several distributions share a namespace, such as `google`.
        if spec.origin is not None:
            return


def first_part(module: str) -> str:
    """Return the top-level package of a module."""
    return module.partition(".")[0]
