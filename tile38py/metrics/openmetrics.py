"""OpenMetrics' form of metric families. The names and values of samples stay as they are.

OpenMetrics reserves names in `_total` for counters. Tile38 has gauges of such names, which the
older text format permits.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition

# The library's function has no types.
generate_openmetrics: Final[Callable[[CollectorRegistry], bytes]] = exposition.generate_latest

UNITS: Final = ("bytes", "seconds")


def openmetrics_families(families: Iterable[Metric]) -> Iterator[Metric]:
    """Yield each family with the type and the unit that its name has in OpenMetrics."""
    for family in families:
        name, kind = family.name, family.type
        if kind == "gauge" and name.endswith("_total"):
            name, kind = name.removesuffix("_total"), "counter"
        unit = next((unit for unit in UNITS if name.endswith(f"_{unit}")), "")
        converted = Metric(name, family.documentation, kind, unit)
        converted.samples = family.samples
        yield converted
