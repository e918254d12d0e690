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
from tile38py.endpoints.opening import ClientImporter, Pacer
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


class SharedConnection:
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
        self.connection: SharedConnection | None = None
        self.backoff = Backoff()
        self.url_count = 0

    def is_old(self, connection: SharedConnection, now_ns: int) -> bool:
        """Whether the connection has reached its lifetime, however busy it is."""
        lifetime = self.traits.lifetime_seconds_max
        return lifetime is not None and now_ns - connection.opened_ns >= lifetime * 1e9

    def is_idle(self, connection: SharedConnection, now_ns: int) -> bool:
        """Whether no send has begun for too long."""
        idle = self.traits.idle_seconds_max
        return idle is not None and now_ns - connection.used_ns >= idle * 1e9


class UrlEntry:
    """A cached URL: its parsed settings and the backoff of its target."""

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
        self._urls: dict[str, UrlEntry] = {}  # the last used at the end
        self._clusters: dict[ClusterKey, Cluster] = {}
        self._importer = ClientImporter()
        self._firsts = Pacer(clock, ENDPOINT_FIRST_SECONDS)
        self._repeats = Pacer(clock, ENDPOINT_REPEAT_SECONDS)

    @property
    def open_count(self) -> int:
        """Connections that are open."""
        return sum(cluster.connection is not None for cluster in self._clusters.values())

    @property
    def url_count(self) -> int:
        """URLs that are cached."""
        return len(self._urls)

    def shown(self, url: str) -> str:
        """Return a URL without secrets, for the log."""
        return shown(url)

    def problem(self, url: str) -> str:
        """Return why nothing can ever be sent to a URL; empty if it can. Any thread."""
        return self.checker.problem(url)

    def backoff_until_ns(self, url: str) -> int:
        """Return the monotonic time of a URL's next attempt; 0 if it may be tried now."""
        entry = self._urls.get(url)
        return 0 if entry is None else max(entry.backoff.until_ns, entry.cluster.backoff.until_ns)

    def linger_seconds(self, url: str) -> float:
        """Return the linger time of a URL's kind; 0 before the first send."""
        entry = self._urls.get(url)
        return 0.0 if entry is None else entry.cluster.traits.linger_seconds

    async def send(self, url: str, batch: Batch) -> str | None:
        """Send a batch; return the reason if the endpoint is down."""
        try:
            entry = self._entry(url)
        except AddressError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - another package's kind may raise what it likes
            return scrubbed(text_of(error), url)
        entry.users += 1
        try:
            return await self._send(entry, batch)
        finally:
            entry.users -= 1

    def _entry(self, url: str) -> UrlEntry:
        entry = self._urls.pop(url, None)
        if entry is None:
            kind = self._registry.kind(url)
            settings = kind.settings.parse(url)
            entry = UrlEntry(url, settings, self._cluster(url, kind, settings))
            entry.cluster.url_count += 1
        entry.used_ns = self._clock.monotonic_ns()
        self._urls[url] = entry
        return entry

    def _cluster(self, url: str, kind: Kind, settings: Settings) -> Cluster:
        key = (kind.settings, settings.cluster)
        cluster = self._clusters.get(key)
        if cluster is None:
            cluster = self._clusters[key] = Cluster(kind.traits, shown(url))
        return cluster

    async def _send(self, entry: UrlEntry, batch: Batch) -> str | None:
        cluster, began_ns = entry.cluster, self._clock.monotonic_ns()
        async with cluster.slots:
            try:
                connection = await self._join(cluster, entry, began_ns)
            except Exception as error:  # noqa: BLE001 - clients of brokers raise what they like
                return self._fail(cluster.backoff, entry, text_of(error))
            if connection is None:
                return cluster.backoff.reason
            try:
                return await self._send_on(entry, connection, batch)
            finally:
                connection.users -= 1
                if connection.is_over and not connection.users:
                    await self._close(cluster, connection)

    async def _send_on(
        self, entry: UrlEntry, connection: SharedConnection, batch: Batch
    ) -> str | None:
        cluster = entry.cluster
        connection.used_ns = self._clock.monotonic_ns()
        try:
            async with asyncio.timeout(send_seconds(cluster.traits, batch)):
                await connection.endpoint.send(batch, entry.settings)
        except TargetError as error:
            cluster.backoff.reset()
            reason = self._fail(entry.backoff, entry, text_of(error))
            if isinstance(error, BusyError):
                lifetime = batch.lifetime_seconds or HOOK_RETRY_AFTER_SECONDS_MAX
                seconds = min(error.retry_seconds, lifetime, HOOK_RETRY_AFTER_SECONDS_MAX)
                entry.backoff.postpone(seconds, self._clock.monotonic_ns())
            return reason
        except Exception as error:  # noqa: BLE001 - as above
            self._give_up(cluster, connection)
            return self._fail(cluster.backoff, entry, text_of(error))
        except asyncio.CancelledError:
            # Half a batch may be in flight: the next one needs a new connection.
            self._give_up(cluster, connection)
            raise
        cluster.backoff.reset()
        entry.backoff.reset()
        return None

    async def _join(
        self, cluster: Cluster, entry: UrlEntry, began_ns: int
    ) -> SharedConnection | None:
        """Return the cluster's connection; None if others failed to connect meanwhile."""
        async with cluster.connecting:
            if cluster.backoff.until_ns and cluster.backoff.failed_ns > began_ns:
                return None
            connection = cluster.connection
            if connection is not None and cluster.is_old(connection, self._clock.monotonic_ns()):
                self._give_up(cluster, connection)
                if not connection.users:
                    await self._close(cluster, connection)
                connection = None
            if connection is None:
                # Paced: attempts for a thousand dead brokers would block the event loop.
                await (self._repeats if cluster.backoff.failures else self._firsts).wait()
                await self._importer.load(cluster.traits)
                async with asyncio.timeout(ENDPOINT_CONNECT_SECONDS_MAX):
                    if cluster.traits.has_host:
                        await self._dependencies.names.find(host_of(entry.url))
                    endpoint = await entry.settings.connect(self._dependencies)
                connection = cluster.connection = SharedConnection(
                    endpoint, self._clock.monotonic_ns()
                )
            connection.users += 1
            return connection

    def _give_up(self, cluster: Cluster, connection: SharedConnection) -> None:
        """Accept no new users of a connection."""
        connection.is_over = True
        if cluster.connection is connection:
            cluster.connection = None

    def _fail(self, backoff: Backoff, entry: UrlEntry, reason: str) -> str:
        return backoff.fail(scrubbed(reason, entry.url), self._clock.monotonic_ns())

    async def _close(self, cluster: Cluster, connection: SharedConnection) -> None:
        if connection.is_closed:
            return
        connection.is_closed = True
        try:
            async with asyncio.timeout(ENDPOINT_CLOSE_SECONDS_MAX):
                await connection.endpoint.close()
        except Exception as error:  # noqa: BLE001 - as above, and it is gone either way
            self._log("Endpoint close error: %s: %s", cluster.label, text_of(error))

    async def sweep(self) -> None:
        """Close connections that are idle or too old, and drop URLs that are unused."""
        now_ns = self._clock.monotonic_ns()
        self._forget_unused_urls(now_ns)
        over: list[tuple[Cluster, SharedConnection]] = []
        for key, cluster in list(self._clusters.items()):
            connection = cluster.connection
            if connection is None:
                if not cluster.url_count:
                    del self._clusters[key]
            elif not connection.users and (
                cluster.is_idle(connection, now_ns) or cluster.is_old(connection, now_ns)
            ):
                self._give_up(cluster, connection)
                over.append((cluster, connection))
        await asyncio.gather(*(self._close(cluster, connection) for cluster, connection in over))

    def _forget_unused_urls(self, now_ns: int) -> None:
        old: list[UrlEntry] = []
        for entry in self._urls.values():
            if now_ns - entry.used_ns < ENDPOINT_IDLE_SECONDS_MAX * 1e9:
                break  # the following URLs were used later
            if not entry.users:
                old.append(entry)
        for entry in old:
            entry.cluster.url_count -= 1
            del self._urls[entry.url]

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
        over: list[tuple[Cluster, SharedConnection]] = []
        for cluster in self._clusters.values():
            if cluster.connection is not None:
                over.append((cluster, cluster.connection))
                self._give_up(*over[-1])
        await asyncio.gather(*(self._close(cluster, connection) for cluster, connection in over))


def send_seconds(traits: Traits, batch: Batch) -> float:
    """Return the deadline of a batch; TIMEOUT says that of one attempt."""
    if not batch.timeout_seconds:
        return traits.send_seconds_max
    attempt_seconds = traits.attempt_seconds_max or traits.send_seconds_max
    return traits.send_seconds_max - attempt_seconds + batch.timeout_seconds


def text_of(error: BaseException) -> str:
    """Return an error's text in one line."""
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    text = " ".join(str(error).split())
    return text or type(error).__name__
