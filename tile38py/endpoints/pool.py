"""One connection for each URL, shared by all hooks: the only owner of its age and of its end.

Connects at the first send, closes what is idle or too old, gives each wait a deadline, and lets a
dead endpoint rest before the next try. Keeps no message.
"""

import asyncio
import contextlib
import importlib
import sys

from tile38py.endpoints.address import AddressError, scrubbed, shown
from tile38py.endpoints.registry import (
    Endpoint,
    Kind,
    Registry,
    Settings,
    Surroundings,
    missing_extra,
)
from tile38py.interfaces import Batch, Clock, Tell
from tile38py.limits import (
    ENDPOINT_CLOSE_SECONDS_MAX,
    ENDPOINT_CONNECT_SECONDS_MAX,
    ENDPOINT_SWEEP_SECONDS,
    HOOK_RETRY_COUNT_STEADY,
    HOOK_RETRY_SECONDS,
    HOOK_RETRY_SECONDS_MAX,
)


class Line:
    """One URL: its connection while there is one, and how it does."""

    def __init__(self, url: str, kind: Kind) -> None:
        self.url = url
        self.traits = kind.traits
        self.settings: Settings = kind.settings.parse(url)
        self.lock = asyncio.Lock()
        self.endpoint: Endpoint | None = None
        self.opened_ns = 0
        self.used_ns = 0
        self.users = 0
        self.failures = 0  # in a row
        self.resting_until_ns = 0

    def is_old(self, now_ns: int) -> bool:
        """Whether the connection has reached its lifetime, however busy it is."""
        lifetime = self.traits.lifetime_seconds_max
        return lifetime is not None and now_ns - self.opened_ns >= lifetime * 1e9

    def is_idle(self, now_ns: int) -> bool:
        """Whether no send has begun for too long."""
        idle = self.traits.idle_seconds_max
        return idle is not None and now_ns - self.used_ns >= idle * 1e9


class Pool:
    """All lines. Deliveries' couriers."""

    def __init__(
        self,
        registry: Registry,
        surroundings: Surroundings,
        *,
        clock: Clock,
        log: Tell,
    ) -> None:
        self._registry = registry
        self._surroundings = surroundings
        self._clock = clock
        self._log = log
        self._lines: dict[str, Line] = {}

    @property
    def open_count(self) -> int:
        """Connections that are open."""
        return sum(line.endpoint is not None for line in self._lines.values())

    @property
    def url_count(self) -> int:
        """URLs of which anything is remembered."""
        return len(self._lines)

    def shown(self, url: str) -> str:
        """A URL for the log."""
        return shown(url)

    def resting_until_ns(self, url: str) -> int:
        """When a URL that failed may be tried again."""
        line = self._lines.get(url)
        return 0 if line is None else line.resting_until_ns

    async def send(self, url: str, batch: Batch) -> str | None:
        """Send a batch; the reason if the endpoint is down."""
        try:
            line = self._line(url)
        except AddressError as error:
            return str(error)
        line.users += 1
        try:
            return await self._send(line, batch)
        finally:
            line.users -= 1

    def _line(self, url: str) -> Line:
        line = self._lines.get(url)
        if line is None:
            line = self._lines[url] = Line(url, self._registry.kind(url))
        return line

    async def _send(self, line: Line, batch: Batch) -> str | None:
        async with contextlib.AsyncExitStack() as stack:
            if not line.traits.is_concurrent:
                await stack.enter_async_context(line.lock)
            if (missing := missing_extra(line.traits)) is not None:
                return self._fail(line, missing)
            try:
                if line.traits.is_concurrent:
                    async with line.lock:
                        endpoint = await self._open(line)
                else:
                    endpoint = await self._open(line)
                line.used_ns = self._clock.monotonic_ns()
                async with asyncio.timeout(line.traits.send_seconds_max):
                    await endpoint.send(batch)
            except Exception as error:  # noqa: BLE001 - clients of brokers raise what they like
                if not line.traits.is_concurrent:
                    await self._close(line)
                return self._fail(line, scrubbed(text_of(error), line.url))
            except asyncio.CancelledError:
                # Half a batch may be on the way: whoever sends next needs a clean connection.
                await self._close(line)
                raise
            line.failures = 0
            line.resting_until_ns = 0
            return None

    async def _open(self, line: Line) -> Endpoint:
        if line.endpoint is not None and line.is_old(self._clock.monotonic_ns()):
            await self._close(line)
        if line.endpoint is None:
            await import_client(line.traits.module)
            async with asyncio.timeout(ENDPOINT_CONNECT_SECONDS_MAX):
                endpoint = await line.settings.connect(self._surroundings)
            line.endpoint = endpoint
            line.opened_ns = self._clock.monotonic_ns()
        return line.endpoint

    def _fail(self, line: Line, reason: str) -> str:
        line.failures += 1
        beyond = min(max(line.failures - HOOK_RETRY_COUNT_STEADY, 0), 10)
        seconds = min(HOOK_RETRY_SECONDS * 2**beyond, HOOK_RETRY_SECONDS_MAX)
        line.resting_until_ns = self._clock.monotonic_ns() + int(seconds * 1e9)
        return reason

    async def _close(self, line: Line) -> None:
        endpoint, line.endpoint = line.endpoint, None
        if endpoint is None:
            return
        try:
            async with asyncio.timeout(ENDPOINT_CLOSE_SECONDS_MAX):
                await endpoint.close()
        except Exception as error:  # noqa: BLE001 - as above, and it is gone either way
            self._log("Endpoint close error: %s: %s", shown(line.url), text_of(error))

    async def sweep(self) -> None:
        """Close what nobody uses any more."""
        now_ns = self._clock.monotonic_ns()
        over = []
        for url, line in list(self._lines.items()):
            if line.users:
                continue
            if line.endpoint is None:
                if now_ns > line.resting_until_ns + HOOK_RETRY_SECONDS_MAX * 1e9:
                    del self._lines[url]
            elif line.is_idle(now_ns) or line.is_old(now_ns):
                over.append(line)
        await asyncio.gather(*(self._close_unused(line) for line in over))

    async def _close_unused(self, line: Line) -> None:
        async with line.lock:
            if line.users == 0:
                await self._close(line)

    async def run(self) -> None:
        """Sweep until cancelled, then close everything."""
        try:
            while True:
                await asyncio.sleep(ENDPOINT_SWEEP_SECONDS)
                await self.sweep()
        finally:
            await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(self._close(line) for line in self._lines.values()))


async def import_client(module: str) -> None:
    """Import a broker's client where it holds up nobody: some take seconds."""
    if module and module not in sys.modules:
        await asyncio.to_thread(importlib.import_module, module)


def text_of(error: BaseException) -> str:
    """What an error says, in one line."""
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    text = " ".join(str(error).split())
    return text or type(error).__name__
