"""The pool: one connection for each cluster, shared by all hooks and URLs, and its lifetime.

URLs that differ only in their topic, queue or channel are one cluster. The pool connects at the
first send, closes connections that are idle or too old, gives each wait a deadline, and each
cluster and URL that fails a backoff. It keeps no message.
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass

from tile38py.endpoints.address import AddressError, host_of, scrubbed, shown
from tile38py.endpoints.checker import EndpointChecker
from tile38py.endpoints.opening import Clients, Pacer
from tile38py.endpoints.registry import (
    BusyError,
    Endpoint,
    EndpointDependencies,
    Kind,
    Registry,
    Settings,
    TargetError,
    Traits,
)
from tile38py.interfaces import Clock, Tell
from tile38py.interfaces.delivery import Batch
from tile38py.limits import (
    ENDPOINT_CLOSE_SECONDS_MAX,
    ENDPOINT_CONNECT_SECONDS_MAX,
    ENDPOINT_FIRST_SECONDS,
    ENDPOINT_IDLE_SECONDS_MAX,
    ENDPOINT_REPEAT_SECONDS,
    ENDPOINT_SWEEP_SECONDS,
    HOOK_RETRY_AFTER_SECONDS_MAX,
    HOOK_RETRY_COUNT_STEADY,
    HOOK_RETRY_SECONDS,
    HOOK_RETRY_SECONDS_MAX,
)

ClusterKey = tuple[type[Settings], Hashable]


@dataclass(slots=True)
class Backoff:
    """Consecutive failures of a cluster or a URL, and the time of the next attempt."""

    failures: int = 0
    failed_ns: int = -1
    until_ns: int = 0
    reason: str = ""

    def fail(self, reason: str, now_ns: int) -> str:
        """Note a failure and return its reason. Failures at the same time count once."""
        self.failed_ns = now_ns
        self.reason = reason
        if now_ns >= self.until_ns:
            self.failures += 1
            beyond = min(max(self.failures - HOOK_RETRY_COUNT_STEADY, 0), 10)
            seconds = min(HOOK_RETRY_SECONDS * 2**beyond, HOOK_RETRY_SECONDS_MAX)
            self.until_ns = now_ns + int(seconds * 1e9)
        return reason

    def postpone(self, seconds: float, now_ns: int) -> None:
        """Delay the next attempt by so many seconds at least."""
        self.until_ns = max(self.until_ns, now_ns + int(seconds * 1e9))

    def reset(self) -> None:
        """Note a success."""
        self.failures = 0
        self.until_ns = 0


class Link:
    """A connection and its users."""

    def __init__(self, endpoint: Endpoint, opened_ns: int) -> None:
        self.endpoint = endpoint
        self.opened_ns = opened_ns
        self.used_ns = opened_ns
        self.users = 0
        self.is_over = False  # closed by its last user
        self.is_closed = False


class Cluster:
    """A broker and a login, with the connection that their URLs share."""

    def __init__(self, traits: Traits, label: str) -> None:
        self.traits = traits
        self.label = label  # for the log: the first of its URLs
        self.connecting = asyncio.Lock()
        self.slots = asyncio.Semaphore(traits.batches_count_max)
        self.link: Link | None = None
        self.backoff = Backoff()
        self.url_count = 0

    def is_old(self, link: Link, now_ns: int) -> bool:
        """Whether the connection has reached its lifetime, however busy it is."""
        lifetime = self.traits.lifetime_seconds_max
        return lifetime is not None and now_ns - link.opened_ns >= lifetime * 1e9

    def is_idle(self, link: Link, now_ns: int) -> bool:
        """Whether no send has begun for too long."""
        idle = self.traits.idle_seconds_max
        return idle is not None and now_ns - link.used_ns >= idle * 1e9


class Line:
    """A URL with its parsed settings and the backoff of its target."""

    __slots__ = ("backoff", "cluster", "settings", "url", "used_ns", "users")

    def __init__(self, url: str, settings: Settings, cluster: Cluster) -> None:
        self.url = url
        self.settings = settings
        self.cluster = cluster
        self.backoff = Backoff()
        self.used_ns = 0
        self.users = 0


class Pool:
    """The connections to all clusters. Implements Couriers."""

    def __init__(
        self,
        registry: Registry,
        dependencies: EndpointDependencies,
        *,
        clock: Clock,
        log: Tell,
    ) -> None:
        self.checker = EndpointChecker(registry)
        self._registry = registry
        self._dependencies = dependencies
        self._clock = clock
        self._log = log
        self._lines: dict[str, Line] = {}  # the last used at the end
        self._clusters: dict[ClusterKey, Cluster] = {}
        self._clients = Clients()
        self._firsts = Pacer(clock, ENDPOINT_FIRST_SECONDS)
        self._repeats = Pacer(clock, ENDPOINT_REPEAT_SECONDS)

    @property
    def open_count(self) -> int:
        """Connections that are open."""
        return sum(cluster.link is not None for cluster in self._clusters.values())

    @property
    def url_count(self) -> int:
        """URLs that are cached."""
        return len(self._lines)

    def shown(self, url: str) -> str:
        """Return a URL without secrets, for the log."""
        return shown(url)

    def problem(self, url: str) -> str:
        """Return why nothing can ever be sent to a URL; empty if it can. Any thread."""
        return self.checker.problem(url)

    def backoff_until_ns(self, url: str) -> int:
        """Return the monotonic time of a URL's next attempt; 0 if it may be tried now."""
        line = self._lines.get(url)
        return 0 if line is None else max(line.backoff.until_ns, line.cluster.backoff.until_ns)

    def linger_seconds(self, url: str) -> float:
        """Return the linger time of a URL's kind; 0 before the first send."""
        line = self._lines.get(url)
        return 0.0 if line is None else line.cluster.traits.linger_seconds

    async def send(self, url: str, batch: Batch) -> str | None:
        """Send a batch; return the reason if the endpoint is down."""
        try:
            line = self._line(url)
        except AddressError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - another package's kind may raise what it likes
            return scrubbed(text_of(error), url)
        line.users += 1
        try:
            return await self._send(line, batch)
        finally:
            line.users -= 1

    def _line(self, url: str) -> Line:
        line = self._lines.pop(url, None)
        if line is None:
            kind = self._registry.kind(url)
            settings = kind.settings.parse(url)
            line = Line(url, settings, self._cluster(url, kind, settings))
            line.cluster.url_count += 1
        line.used_ns = self._clock.monotonic_ns()
        self._lines[url] = line
        return line

    def _cluster(self, url: str, kind: Kind, settings: Settings) -> Cluster:
        key = (kind.settings, settings.cluster)
        cluster = self._clusters.get(key)
        if cluster is None:
            cluster = self._clusters[key] = Cluster(kind.traits, shown(url))
        return cluster

    async def _send(self, line: Line, batch: Batch) -> str | None:
        cluster, began_ns = line.cluster, self._clock.monotonic_ns()
        async with cluster.slots:
            try:
                link = await self._join(cluster, line, began_ns)
            except Exception as error:  # noqa: BLE001 - clients of brokers raise what they like
                return self._fail(cluster.backoff, line, text_of(error))
            if link is None:
                return cluster.backoff.reason
            try:
                return await self._send_on(line, link, batch)
            finally:
                link.users -= 1
                if link.is_over and not link.users:
                    await self._close(cluster, link)

    async def _send_on(self, line: Line, link: Link, batch: Batch) -> str | None:
        cluster = line.cluster
        link.used_ns = self._clock.monotonic_ns()
        try:
            async with asyncio.timeout(cluster.traits.send_seconds_max):
                await link.endpoint.send(batch, line.settings)
        except TargetError as error:
            cluster.backoff.reset()
            reason = self._fail(line.backoff, line, text_of(error))
            if isinstance(error, BusyError):
                lifetime = batch.lifetime_seconds or HOOK_RETRY_AFTER_SECONDS_MAX
                seconds = min(error.retry_seconds, lifetime, HOOK_RETRY_AFTER_SECONDS_MAX)
                line.backoff.postpone(seconds, self._clock.monotonic_ns())
            return reason
        except Exception as error:  # noqa: BLE001 - as above
            self._give_up(cluster, link)
            return self._fail(cluster.backoff, line, text_of(error))
        except asyncio.CancelledError:
            # Half a batch may be in flight: the next one needs a new connection.
            self._give_up(cluster, link)
            raise
        cluster.backoff.reset()
        line.backoff.reset()
        return None

    async def _join(self, cluster: Cluster, line: Line, began_ns: int) -> Link | None:
        """Return the cluster's connection; None if others failed to connect meanwhile."""
        async with cluster.connecting:
            if cluster.backoff.until_ns and cluster.backoff.failed_ns > began_ns:
                return None
            link = cluster.link
            if link is not None and cluster.is_old(link, self._clock.monotonic_ns()):
                self._give_up(cluster, link)
                if not link.users:
                    await self._close(cluster, link)
                link = None
            if link is None:
                # Paced: attempts for a thousand dead brokers would block the event loop.
                await (self._repeats if cluster.backoff.failures else self._firsts).wait()
                await self._clients.load(cluster.traits)
                async with asyncio.timeout(ENDPOINT_CONNECT_SECONDS_MAX):
                    if cluster.traits.has_host:
                        await self._dependencies.names.find(host_of(line.url))
                    endpoint = await line.settings.connect(self._dependencies)
                link = cluster.link = Link(endpoint, self._clock.monotonic_ns())
            link.users += 1
            return link

    def _give_up(self, cluster: Cluster, link: Link) -> None:
        """Accept no new users of a connection."""
        link.is_over = True
        if cluster.link is link:
            cluster.link = None

    def _fail(self, backoff: Backoff, line: Line, reason: str) -> str:
        return backoff.fail(scrubbed(reason, line.url), self._clock.monotonic_ns())

    async def _close(self, cluster: Cluster, link: Link) -> None:
        if link.is_closed:
            return
        link.is_closed = True
        try:
            async with asyncio.timeout(ENDPOINT_CLOSE_SECONDS_MAX):
                await link.endpoint.close()
        except Exception as error:  # noqa: BLE001 - as above, and it is gone either way
            self._log("Endpoint close error: %s: %s", cluster.label, text_of(error))

    async def sweep(self) -> None:
        """Close connections that are idle or too old, and drop URLs that are unused."""
        now_ns = self._clock.monotonic_ns()
        self._forget_lines(now_ns)
        over: list[tuple[Cluster, Link]] = []
        for key, cluster in list(self._clusters.items()):
            link = cluster.link
            if link is None:
                if not cluster.url_count:
                    del self._clusters[key]
            elif not link.users and (cluster.is_idle(link, now_ns) or cluster.is_old(link, now_ns)):
                self._give_up(cluster, link)
                over.append((cluster, link))
        await asyncio.gather(*(self._close(cluster, link) for cluster, link in over))

    def _forget_lines(self, now_ns: int) -> None:
        old: list[Line] = []
        for line in self._lines.values():
            if now_ns - line.used_ns < ENDPOINT_IDLE_SECONDS_MAX * 1e9:
                break  # the following lines were used later
            if not line.users:
                old.append(line)
        for line in old:
            line.cluster.url_count -= 1
            del self._lines[line.url]

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
        over: list[tuple[Cluster, Link]] = []
        for cluster in self._clusters.values():
            if cluster.link is not None:
                over.append((cluster, cluster.link))
                self._give_up(*over[-1])
        await asyncio.gather(*(self._close(cluster, link) for cluster, link in over))


def text_of(error: BaseException) -> str:
    """Return an error's text in one line."""
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    text = " ".join(str(error).split())
    return text or type(error).__name__
