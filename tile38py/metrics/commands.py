"""Metrics of commands: durations, errors, transactions and scripts."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from tile38py.commands.registry import Services
from tile38py.limits import SECOND_NS

NAN: Final = float("nan")  # Prometheus' value of a quantile without recent samples
QUANTILES: Final = (0.5, 0.9, 0.95, 0.99)
# Names of statistics, metric names, help texts.
COUNTERS: Final = (
    ("commands_processed", "commands_processed", "Requests, refused ones included"),
    ("error_replies", "error_replies", "Error replies"),
    ("timeouts", "timeouts", "Commands and scripts that exceeded their time"),
)
# Results of transactions by the names of their statistics.
TRANSACTIONS: Final = (
    ("run", "transactions_run"),
    ("refused", "transactions_refused"),
    ("conflict", "transactions_conflicting"),
)


def duration_figures(server: Services) -> Metric:
    """Return the durations of commands. All unknown commands share one label."""
    name = "tile38_cmd_duration_seconds"
    family = Metric(name, "", "summary")
    for command, count, sum_ns, durations in server.engine.durations(QUANTILES):
        for quantile, took_ns in zip(QUANTILES, durations, strict=True):
            seconds = NAN if took_ns is None else took_ns / SECOND_NS
            family.add_sample(name, {"cmd": command, "quantile": str(quantile)}, seconds)
        family.add_sample(f"{name}_sum", {"cmd": command}, sum_ns / SECOND_NS)
        family.add_sample(f"{name}_count", {"cmd": command}, count)
    return family


def command_figures(server: Services) -> Iterator[Metric]:
    """Yield the counters of requests, transactions and scripts."""
    counts = server.engine.statistics()
    for field, name, text in COUNTERS:
        yield CounterMetricFamily(f"tile38_{name}", text, value=counts[field])
    yield CounterMetricFamily(
        "tile38_slow_commands",
        "Commands of slowlog-log-slower-than or more",
        value=server.slow_log.count,
    )
    transactions = CounterMetricFamily(
        "tile38_transactions",
        "Transactions that EXEC ran, refused, or dropped for a conflict with WATCH",
        labels=["result"],
    )
    for result, field in TRANSACTIONS:
        transactions.add_metric([result], counts[field])
    yield transactions
    for name, text, value in (
        ("scripts", "Cached scripts", counts["scripts"]),
        ("script_text_bytes", "Bytes of the texts of cached scripts", counts["script_bytes"]),
    ):
        yield GaugeMetricFamily(f"tile38_{name}", text, value=value)
