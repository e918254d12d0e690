"""Metrics of the log and its rewrites, and of the queue of hooks' messages."""

from collections.abc import Iterator

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from tile38py.commands.registry import Services
from tile38py.config.properties import HOOK_QUEUE_MAX_SIZE, HOOK_QUEUE_TTL
from tile38py.limits import SECOND_NS


def hook_figures(server: Services) -> Iterator[Metric]:
    """Yield sums over all hooks. HOOKSTATS has each: 70,000 labels would be too many."""
    outbox = server.outbox
    total = outbox.total
    for name, text, count in (
        ("delivered", "Messages that an endpoint accepted", total.sent),
        ("failed_tries", "Attempts in which no endpoint accepted the message", total.failed),
        ("retries", "Attempts after the first one of a message", total.retried),
        ("expired", "Messages dropped after hook-queue-ttl", total.expired),
        ("dropped", "Messages dropped because of hook-queue-max-size or QUEUE", total.dropped),
        ("dead", "Messages that went to the URL of DEADLETTER, or wait for it", total.dead),
    ):
        yield CounterMetricFamily(f"tile38_hook_messages_{name}", text, value=count)
    oldest_ns = outbox.oldest_ns
    age_ns = server.clock.now_ns() - oldest_ns if oldest_ns else 0
    for name, text, value in (
        ("oldest_seconds", "Age of the oldest of these messages", max(age_ns, 0) / SECOND_NS),
        ("messages", "Messages in the queues of all hooks", outbox.waiting_count),
        ("bytes", "Bytes of these messages", outbox.waiting_bytes),
        ("max_bytes", "hook-queue-max-size", server.config.get(HOOK_QUEUE_MAX_SIZE)),
        ("ttl_seconds", "hook-queue-ttl", server.config.get(HOOK_QUEUE_TTL)),
    ):
        yield GaugeMetricFamily(f"tile38_hook_queue_{name}", text, value=value)


def rewrite_figures(server: Services) -> Iterator[Metric]:
    """Yield the progress of the running rewrite of the log, and results of the former ones."""
    figures = server.shrinker.figures
    for name, text, count in (
        ("s", "Rewrites of the log that ended", figures.count),
        ("_failures", "Rewrites of the log that failed", figures.failed_count),
    ):
        yield CounterMetricFamily(f"tile38_aof_rewrite{name}", text, value=count)
    for name, text, value in (
        ("rewrite_in_progress", "1 while the log is rewritten", int(figures.is_running)),
        ("rewrite_written", "Objects and hooks written by the rewrite", figures.written),
        ("rewrite_expected", "Objects and hooks that the rewrite has to write", figures.total),
        ("rewrite_last_seconds", "Duration of the last rewrite", figures.last_ns / SECOND_NS),
        ("rewrite_last_ok", "0 if the last rewrite failed", int(figures.last_error is None)),
        ("base_size_bytes", "Size after the last rewrite, or else the load", figures.size_base),
    ):
        yield GaugeMetricFamily(f"tile38_aof_{name}", text, value=value)


def log_figures(server: Services) -> Iterator[Metric]:
    """Yield the state of the log."""
    yield GaugeMetricFamily(
        "tile38_aof_writable",
        "0 while the log cannot be written and writes are refused",
        value=int(server.journal.error is None),
    )
    syncs = server.syncs
    yield SummaryMetricFamily(
        "tile38_aof_sync_seconds",
        "Durations of syncs of the log",
        count_value=syncs.count,
        sum_value=syncs.took_ns / SECOND_NS,
    )
    yield CounterMetricFamily(
        "tile38_aof_sync_failures", "Syncs of the log that failed", value=syncs.failed_count
    )
