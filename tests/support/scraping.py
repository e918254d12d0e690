"""Scrapes of a server's metrics, over HTTP, as Prometheus makes them."""

import re
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser

from tests.support.process import ServerProcess
from tests.support.waiting import wait_until

LISTENING = re.compile(r"Listening for metrics at: \S*?:(\d+)\s")
# The library's function has no types.
parse_openmetrics: Final[Callable[[str], Iterable[Metric]]] = parser.text_string_to_metric_families
METRICS_OPTIONS = ("--metrics-addr", "127.0.0.1:0")


def metrics_port(server: ServerProcess) -> int:
    """Return the port of --metrics-addr once the server listens there."""

    def named() -> str:
        match = LISTENING.search(server.log())
        return match[1] if match else ""

    return int(wait_until(named, what="a listener for metrics"))


def get(server: ServerProcess, path: str, **headers: str) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers of a response."""
    url = f"http://127.0.0.1:{metrics_port(server)}{path}"
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as reply:
        return reply.read(), dict(reply.headers)


@dataclass(frozen=True)
class Family:
    """The type of a metric family, and all labels of its samples, by sample name."""

    kind: str
    labels: dict[str, frozenset[str]]


def families_of(metrics: Iterable[Metric]) -> dict[str, Family]:
    """Return parsed families by name."""
    found = {}
    for metric in metrics:
        labels: dict[str, frozenset[str]] = {}
        for sample in metric.samples:
            labels[sample.name] = labels.get(sample.name, frozenset()) | set(sample.labels)
        found[metric.name] = Family(metric.type, labels)
    return found
