"""The server's figures in Prometheus' text format: Tile38's names, then ours.

Looks at counters that others keep; labels are bounded by what the operator made, never by what
hooks or clients are called. How it is asked for over HTTP is in server/metrics.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from tile38py._engine import Engine
from tile38py.commands.memory import sizes
from tile38py.commands.registry import Services
from tile38py.commands.server import Fields, basic_fields, own_fields
from tile38py.config.properties import HOOK_QUEUE_MAX_SIZE, HOOK_QUEUE_TTL

NANOSECONDS: Final = 10**9
NAN: Final = float("nan")  # what Prometheus expects where nothing was measured lately
QUANTILES: Final = (0.5, 0.9, 0.95, 0.99)
# Of STATS; the help texts are Tile38's.
OF_A_COLLECTION: Final = (
    ("num_objects", "tile38_collection_objects", "Total number of objects per collection"),
    ("num_points", "tile38_collection_points", "Total number of points per collection"),
    ("num_strings", "tile38_collection_strings", "Total number of strings per collection"),
    ("in_memory_size", "tile38_collection_weight_bytes", "Total weight of collection in bytes"),
)
# Gauges all, those called total too, as Tile38 has them: fields of SERVER and SERVER EXT.
OF_THE_SERVER: Final = (
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


class Figures:
    """What one scrape shows."""

    def __init__(self, server: Services) -> None:
        self._server = server
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def ask(self) -> Callable[[], bytes]:
        """Look at everything now; the function makes the text, on any thread."""
        server = self._server
        families = [
            *gauges({**own_fields(server), **basic_fields(server)}),
            *identity(server),
            *hook_figures(server),
            *connection_figures(server),
            *rewrite_figures(server),
            *memory_figures(server),
            duration_figures(server),
        ]
        data = server.engine.snapshot()

        def text() -> bytes:
            scraped = CollectorRegistry()
            scraped.register(Families([*families, *collection_figures(data)]))
            return generate_latest(scraped) + generate_latest(self._registry)

        return text


class Families:
    """A collector of what was found already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """All of it."""
        return self._families


def gauges(fields: Fields) -> Iterator[Metric]:
    """Fields of SERVER under Prometheus' names."""
    for field, name, text in OF_THE_SERVER:
        yield GaugeMetricFamily(name, text, value=float(fields[field]))


def identity(server: Services) -> Iterator[Metric]:
    """Who this is, since when, and its part in replication."""
    fields = basic_fields(server)
    up_ns = server.clock.monotonic_ns() - server.started_ns
    started = (server.clock.now_ns() - up_ns) / NANOSECONDS
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
    """STATS of each collection; the longest part, so the engine is a snapshot."""
    keys = [
        key.encode("utf-8", "surrogateescape") if isinstance(key, str) else key
        for key in _list(engine.execute([b"KEYS", b"*"], 0)[0])
        if isinstance(key, str | bytes)
    ]
    found = _list(engine.execute([b"STATS", *keys], 0)[0]) if keys else []
    families = [GaugeMetricFamily(name, text, labels=["col"]) for _, name, text in OF_A_COLLECTION]
    for key, row in zip(keys, found, strict=True):
        counts = _list(row)
        values = dict(zip(counts[::2], counts[1::2], strict=True))
        # A label is text, a key may be any bytes; different keys need different labels.
        label = key.decode("utf-8", "backslashreplace")
        for (field, _, _), family in zip(OF_A_COLLECTION, families, strict=True):
            family.add_metric([label], float(str(values[field])))
    return iter(families if keys else [])


def hook_figures(server: Services) -> Iterator[Metric]:
    """Sums over all hooks: a label for each of 70,000 would be too many. See HOOKSTATS."""
    outbox = server.outbox
    total = outbox.total
    for name, text, count in (
        ("delivered", "Messages that an endpoint took", total.sent),
        ("failed_tries", "Tries in which no endpoint took the message", total.failed),
        ("retries", "Tries beyond a message's first", total.retried),
        ("expired", "Messages dropped after hook-queue-ttl", total.expired),
        ("dropped", "Messages dropped because of hook-queue-max-size", total.dropped),
    ):
        yield CounterMetricFamily(f"tile38_hook_messages_{name}", text, value=count)
    for name, text, value in (
        ("messages", "Messages that wait for an endpoint", outbox.waiting_count),
        ("bytes", "What they occupy", outbox.waiting_bytes),
        ("max_bytes", "hook-queue-max-size", server.config.get(HOOK_QUEUE_MAX_SIZE)),
        ("ttl_seconds", "hook-queue-ttl", server.config.get(HOOK_QUEUE_TTL)),
    ):
        yield GaugeMetricFamily(f"tile38_hook_queue_{name}", text, value=value)


def rewrite_figures(server: Services) -> Iterator[Metric]:
    """How rewriting the log goes and went."""
    figures = server.shrinker.figures
    for name, text, count in (
        ("s", "Rewrites of the log that ended", figures.count),
        ("_failures", "Those of them that failed", figures.failed_count),
    ):
        yield CounterMetricFamily(f"tile38_aof_rewrite{name}", text, value=count)
    for name, text, value in (
        ("rewrite_in_progress", "1 while the log is rewritten", int(figures.is_running)),
        ("rewrite_written", "Objects and hooks that it wrote so far", figures.written),
        ("rewrite_expected", "Objects and hooks that it has to write", figures.total),
        ("rewrite_last_seconds", "What the last one took", figures.last_ns / NANOSECONDS),
        ("rewrite_last_ok", "0 if the last one failed", int(figures.last_error is None)),
        ("base_size_bytes", "Size when last rewritten, or else loaded", figures.size_base),
    ):
        yield GaugeMetricFamily(f"tile38_aof_{name}", text, value=value)


def duration_figures(server: Services) -> Metric:
    """How long commands took. What isn't a command is one label, or clients could make labels."""
    name = "tile38_cmd_duration_seconds"
    family = Metric(name, "", "summary")
    for command, count, sum_ns, quantiles in server.engine.durations(QUANTILES):
        for part, took_ns in zip(QUANTILES, quantiles, strict=True):
            seconds = NAN if took_ns is None else took_ns / NANOSECONDS
            family.add_sample(name, {"cmd": command, "quantile": str(part)}, seconds)
        family.add_sample(f"{name}_sum", {"cmd": command}, sum_ns / NANOSECONDS)
        family.add_sample(f"{name}_count", {"cmd": command}, count)
    return family


def memory_figures(server: Services) -> Iterator[Metric]:
    """What occupies the memory; the producers among it, whose clients can't tell their part."""
    found = sizes(server)
    producers = found.pop("producers")
    yield GaugeMetricFamily("tile38_producers", "Connections to brokers", value=producers)
    family = GaugeMetricFamily("tile38_memory_bytes", "Memory by cause", labels=["cause"])
    for name, size in found.items():
        family.add_metric([name.removeprefix("memory_")], size)
    yield family


def connection_figures(server: Services) -> Iterator[Metric]:
    """Live connections and followers."""
    yield CounterMetricFamily(
        "tile38_slow_subscribers_cut",
        "Live connections cut because they took no messages",
        value=server.broadcaster.cut_count,
    )
    yield GaugeMetricFamily(
        "tile38_connected_followers",
        "Followers that read the log",
        value=server.log_streams.count,
    )
    yield GaugeMetricFamily(
        "tile38_follower_lag_seconds_max",
        "Since the follower that lags most had all of the log",
        value=server.log_streams.lag_seconds_max(),
    )
    yield CounterMetricFamily(
        "tile38_follower_messages_dropped",
        "Messages of channels that lagging followers didn't get",
        value=server.log_streams.dropped_count,
    )
    yield CounterMetricFamily(
        "tile38_commands_processed",
        "Requests, those refused included",
        value=server.engine.statistics()["commands_processed"],
    )


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value
