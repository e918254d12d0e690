"""Metrics of replication: on a leader its followers, on a follower its own progress.

Followers have a label each, up to a maximum: the one that lags most is always shown.
"""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from tile38py.commands.registry import Services
from tile38py.commands.replication import replica_host
from tile38py.interfaces import StreamProgress
from tile38py.limits import METRICS_FOLLOWERS_COUNT_MAX


def leader_figures(server: Services) -> Iterator[Metric]:
    """Yield the figures of the followers of this server."""
    streams = server.log_streams
    for name, text, value in (
        ("connected_followers", "Followers that the log is streamed to", streams.count),
        (
            "follower_lag_seconds_max",
            "Seconds since the most lagging follower had all of the log",
            streams.lag_seconds_max(),
        ),
    ):
        yield GaugeMetricFamily(f"tile38_{name}", text, value=value)
    yield CounterMetricFamily(
        "tile38_follower_messages_dropped",
        "Messages of channels dropped because followers lag",
        value=streams.dropped_count,
    )
    lags = GaugeMetricFamily(
        "tile38_follower_lag_seconds",
        "Seconds since a follower had all of the log",
        labels=["follower"],
    )
    offsets = GaugeMetricFamily(
        "tile38_follower_offset_bytes",
        "Bytes of the log that a follower acknowledged, or that were sent to one that doesn't",
        labels=["follower"],
    )
    for address, progress in _followers(server):
        lags.add_metric([address], progress.lag_seconds)
        offsets.add_metric([address], progress.offset)
    yield from (lags, offsets)


def _followers(server: Services) -> list[tuple[str, StreamProgress]]:
    """Return the followers that lag most, one for each address."""
    found: dict[str, StreamProgress] = {}
    for client in server.clients.replicas():
        progress = server.log_streams.progress(client)
        if progress is not None:
            # A follower that connects again has two streams for a moment: the later one counts.
            found[f"{replica_host(client)}:{client.replica_port}"] = progress
    ordered = sorted(found.items(), key=lambda item: (-item[1].lag_seconds, item[0]))
    return ordered[:METRICS_FOLLOWERS_COUNT_MAX]


def follower_figures(server: Services) -> Iterator[Metric]:
    """Yield the progress of this server with its leader; nothing if it has none."""
    following = server.following
    if following.leader is None:
        return
    stale = following.stale_seconds
    for name, text, value in (
        ("offset_bytes", "Position in the leader's log", following.offset),
        (
            "stale_seconds",
            "Seconds since the data was caught up with the leader; +Inf if it never was",
            float("inf") if stale < 0 else stale,
        ),
    ):
        yield GaugeMetricFamily(f"tile38_replication_{name}", text, value=value)
