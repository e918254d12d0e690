"""Each metric that Tile38 has is in a scrape, with its type and its labels, in both formats."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tests.support.process import ServerProcess
from tests.support.scraping import METRICS_OPTIONS, families_of, get, parse_openmetrics

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
# Names, and labels behind them, of Tile38's gauges.
TILE38_GAUGES = """
tile38_collections
tile38_collection_objects col
tile38_collection_points col
tile38_collection_strings col
tile38_collection_weight_bytes col
tile38_hooks
tile38_in_memory_size_bytes
tile38_avg_item_size_bytes
tile38_aof_size_bytes
tile38_heap_size_bytes
tile38_memory_reap_released_bytes
tile38_memory_max_heap_size_bytes
tile38_pointer_size_bytes
tile38_num_cpus
tile38_pid
tile38_connected_clients
tile38_connections_received_total
tile38_messages_sent_total
tile38_expired_keys_total
tile38_start_time_seconds
tile38_server_info id version
tile38_replication_info role following caught_up caught_up_once
"""
# What Tile38 has from its runtime's collector of the process, but network traffic, which Python's
# hasn't.
PROCESS = """
process_cpu_seconds_total counter
process_max_fds gauge
process_open_fds gauge
process_resident_memory_bytes gauge
process_virtual_memory_bytes gauge
process_start_time_seconds gauge
"""
HELP_TEXTS = """
# HELP tile38_collections Total number of collections
# HELP tile38_collection_objects Total number of objects per collection
# HELP tile38_collection_points Total number of points per collection
# HELP tile38_collection_strings Total number of strings per collection
# HELP tile38_collection_weight_bytes Total weight of collection in bytes
# HELP tile38_server_info Server info
# HELP tile38_replication_info Replication info
"""
SUMMARY = "tile38_cmd_duration_seconds"
QUANTILES = {"0.5", "0.9", "0.95", "0.99"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server with a collection."""
    with ServerProcess(tmp_path, METRICS_OPTIONS) as server:
        assert server.call("SET", "fleet", "truck", "POINT", 33, -115) == "+OK"
        yield server


def gauges_of_tile38() -> dict[str, frozenset[str]]:
    """Return the labels of each gauge."""
    rows = (line.split() for line in TILE38_GAUGES.split("\n") if line)
    return {name: frozenset(labels) for name, *labels in rows}


def test_the_text_format_has_each_metric_as_tile38_has_it(server: ServerProcess) -> None:
    text = get(server, "/metrics")[0].decode()
    families = families_of(parse_text(text))
    for name, labels in gauges_of_tile38().items():
        assert families[name].kind == "gauge", name
        assert families[name].labels == {name: labels}
    assert families[SUMMARY].kind == "summary"
    assert families[SUMMARY].labels == {
        SUMMARY: {"cmd", "quantile"},
        f"{SUMMARY}_sum": {"cmd"},
        f"{SUMMARY}_count": {"cmd"},
    }
    quantiles = {
        sample.labels["quantile"]
        for family in parse_text(text)
        for sample in family.samples
        if sample.name == SUMMARY
    }
    assert quantiles == QUANTILES
    for name, kind in (line.split() for line in PROCESS.split("\n") if line):
        family = families[name.removesuffix("_total") if kind == "counter" else name]
        assert family.kind == kind
        assert family.labels[name] == frozenset()
    assert set(HELP_TEXTS.split("\n")) - {""} <= set(text.split("\n"))


def test_openmetrics_has_the_same_samples_with_valid_types_and_units(server: ServerProcess) -> None:
    body, headers = get(server, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert headers["Content-Type"] == OPENMETRICS
    text = body.decode()
    assert text.endswith("\n# EOF\n")
    families = families_of(parse_openmetrics(text))
    samples = {name: found for family in families.values() for name, found in family.labels.items()}
    for name, labels in gauges_of_tile38().items():
        assert samples[name] == labels
    assert families["tile38_messages_sent"].kind == "counter"
    assert families["tile38_aof_size_bytes"].kind == "gauge"
    assert "# UNIT tile38_aof_size_bytes bytes\n" in text
    assert "# UNIT tile38_cmd_duration_seconds seconds\n" in text
    plain = families_of(parse_text(get(server, "/metrics")[0].decode()))
    assert {name for family in plain.values() for name in family.labels} <= samples.keys()
