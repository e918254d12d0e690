"""The metrics of the server for Prometheus: Tile38's names and our own.

Only reads counters that other modules keep. The labels are names of collections, commands and
followers, never of hooks or clients, so that their number is bounded. HTTP is in server/metrics.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from tile38py._engine import Engine
from tile38py.access.refusals import REASONS
from tile38py.commands.memory import sizes
from tile38py.commands.registry import Services
from tile38py.commands.server import Fields, basic_fields, own_fields
from tile38py.limits import SECOND_NS
from tile38py.metrics.commands import command_figures, duration_figures
from tile38py.metrics.openmetrics import generate_openmetrics, openmetrics_families
from tile38py.metrics.replication import follower_figures, leader_figures
from tile38py.metrics.storage import hook_figures, log_figures, rewrite_figures

# Fields of STATS, metric names, help texts. The help texts are Tile38's.
COLLECTION_GAUGES: Final = (
    ("num_objects", "tile38_collection_objects", "Total number of objects per collection"),
    ("num_points", "tile38_collection_points", "Total number of points per collection"),
    ("num_strings", "tile38_collection_strings", "Total number of strings per collection"),
    ("in_memory_size", "tile38_collection_weight_bytes", "Total weight of collection in bytes"),
)
# Fields of SERVER and SERVER EXT, metric names, help texts. All of them are gauges, as in Tile38,
# even those named `total`.
SERVER_GAUGES: Final = (
    ("num_collections", "tile38_collections", "Total number of collections"),
    ("num_hooks", "tile38_hooks", ""),
    ("in_memory_size", "tile38_in_memory_size_bytes", ""),
    ("avg_item_size", "tile38_avg_item_size_bytes", ""),
    ("aof_size", "tile38_aof_size_bytes", ""),
    ("heap_size", "tile38_heap_size_bytes", ""),
    ("heap_released", "tile38_memory_reap_released_bytes", ""),
    ("max_heap_size", "tile38_memory_max_heap_size_bytes", ""),
    ("pointer_size", "tile38_pointer_size_bytes", ""),
    ("cpus", "tile38_num_cpus", ""),
    ("pid", "tile38_pid", ""),
    ("connected_clients", "tile38_connected_clients", ""),
    ("total_connections_received", "tile38_connections_received_total", ""),
    ("total_messages_sent", "tile38_messages_sent_total", ""),
    ("expired_keys", "tile38_expired_keys_total", ""),
)


class MetricsExporter:
    """Collects the metrics of a server and renders them for a scrape."""

    def __init__(self, server: Services, certificate_expiry: Callable[[], float | None]) -> None:
        self._server = server
        self._certificate_expiry = certificate_expiry
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def collect(self, *, is_openmetrics: bool = False) -> Callable[[], bytes]:
        """Read all figures now; return a function that renders them, on any thread.

        The format is OpenMetrics 1.0.0, or else Prometheus' text format 0.0.4.
        """
        server = self._server
        families = [
            *gauges({**own_fields(server), **basic_fields(server)}),
            *identity(server),
            *hook_figures(server),
            *connection_figures(server),
            *leader_figures(server),
            *follower_figures(server),
            *command_figures(server),
            *log_figures(server),
            *limit_figures(server),
            *access_figures(server),
            *rewrite_figures(server),
            *memory_figures(server),
            duration_figures(server),
            *tls_figures(server, self._certificate_expiry()),
        ]
        data = server.engine.snapshot()

        def text() -> bytes:
            found = [*families, *collection_figures(data), *self._registry.collect()]
            scraped = CollectorRegistry()
            if is_openmetrics:
                scraped.register(CollectedFamilies(openmetrics_families(found)))
                return generate_openmetrics(scraped)
            scraped.register(CollectedFamilies(found))
            return generate_latest(scraped)

        return text


class CollectedFamilies:
    """A collector, in the library's sense, of metric families that were collected before."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Return all families."""
        return self._families


def gauges(fields: Fields) -> Iterator[Metric]:
    """Yield the gauges of SERVER's fields."""
    for field, name, text in SERVER_GAUGES:
        yield GaugeMetricFamily(name, text, value=float(fields[field]))


def identity(server: Services) -> Iterator[Metric]:
    """Yield the start time, the id and version, and the role in replication."""
    fields = basic_fields(server)
    up_ns = server.clock.monotonic_ns() - server.started_ns
    started = (server.clock.now_ns() - up_ns) / SECOND_NS
    yield GaugeMetricFamily("tile38_start_time_seconds", "", value=started)
    info = GaugeMetricFamily("tile38_server_info", "Server info", labels=["id", "version"])
    info.add_metric([str(fields["id"]), str(fields["version"])], 1)
    yield info
    labels = ["role", "following", "caught_up", "caught_up_once"]
    role = GaugeMetricFamily("tile38_replication_info", "Replication info", labels=labels)
    following = str(fields.get("following", ""))
    flags = [str(fields.get(name, "")).lower() for name in labels[2:]]
    role.add_metric(["follower" if following else "leader", following, *flags], 1)
    yield role


def collection_figures(engine: Engine) -> Iterator[Metric]:
    """Return the gauges of all collections. The engine is a snapshot: this is the longest part."""
    keys = [
        key.encode("utf-8", "surrogateescape") if isinstance(key, str) else key
        for key in _list(engine.execute([b"KEYS", b"*"], 0)[0])
        if isinstance(key, str | bytes)
    ]
    found = _list(engine.execute([b"STATS", *keys], 0)[0]) if keys else []
    families = [
        GaugeMetricFamily(name, text, labels=["col"]) for _, name, text in COLLECTION_GAUGES
    ]
    for key, row in zip(keys, found, strict=True):
        counts = _list(row)
        values = dict(zip(counts[::2], counts[1::2], strict=True))
        # A label is text, a key may be any bytes; different keys need different labels.
        label = key.decode("utf-8", "backslashreplace")
        for (field, _, _), family in zip(COLLECTION_GAUGES, families, strict=True):
            family.add_metric([label], float(str(values[field])))
    return iter(families if keys else [])


def memory_figures(server: Services) -> Iterator[Metric]:
    """Yield the memory by cause, and the number of producers, whose memory isn't known."""
    found = sizes(server)
    producers = found.pop("producers")
    yield GaugeMetricFamily("tile38_producers", "Connections to brokers", value=producers)
    family = GaugeMetricFamily("tile38_memory_bytes", "Memory by cause", labels=["cause"])
    for name, size in found.items():
        family.add_metric([name.removeprefix("memory_")], size)
    yield family


def connection_figures(server: Services) -> Iterator[Metric]:
    """Yield the counters of live connections."""
    yield CounterMetricFamily(
        "tile38_slow_subscribers_cut",
        "Live connections cut because their write buffers were full",
        value=server.broadcaster.cut_count,
    )


def tls_figures(server: Services, certificate_expiry: float | None) -> Iterator[Metric]:
    """Yield the figures of TLS. Failed handshakes are connections that a limit ended."""
    yield CounterMetricFamily(
        "tile38_tls_connections_received",
        "Connections whose TLS handshake succeeded",
        value=server.clients.encrypted,
    )
    if certificate_expiry is not None:
        yield GaugeMetricFamily(
            "tile38_tls_certificate_expiry_timestamp_seconds",
            "Unix time at which the certificate expires",
            value=certificate_expiry,
        )


def limit_figures(server: Services) -> Iterator[Metric]:
    """Yield what the limits of clients have done since the start."""
    counts = server.clients.counts
    ended = CounterMetricFamily(
        "tile38_connections_ended", "Connections ended by a limit, by reason", labels=["reason"]
    )
    for reason, count in (
        ("max_clients", counts.rejected),
        ("handshake", counts.refused),
        ("idle", counts.idle),
        ("slow_request", counts.slow),
        ("unread_replies", counts.flooded),
    ):
        ended.add_metric([reason], count)
    yield ended
    yield CounterMetricFamily(
        "tile38_rate_limit_pauses",
        "Pauses of connections because of requests-per-second-per-user",
        value=counts.pauses,
    )
    maximum = server.clients.count_max
    yield GaugeMetricFamily("tile38_max_clients", "Connections that may be open", value=maximum)


def access_figures(server: Services) -> Iterator[Metric]:
    """Yield the counters of refused requests and logins."""
    access = server.access
    family = CounterMetricFamily(
        "tile38_access_denied", "Requests and logins refused for want of a right", labels=["reason"]
    )
    for reason in REASONS:
        family.add_metric([reason], access.refusals.counts[reason])
    yield family
    yield CounterMetricFamily(
        "tile38_logins_delayed",
        "Replies to failed logins that were delayed",
        value=access.failed_logins.delayed_count,
    )
    yield GaugeMetricFamily("tile38_users", "Users of ACL SETUSER", value=len(access.users))


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value
