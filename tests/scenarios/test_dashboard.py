"""The dashboard and the alerts name metrics that servers have, with the labels they have."""

import json
import re
from collections.abc import Iterable
from typing import Final

import pytest
import yaml
from prometheus_client.samples import Sample

from tests.support.pair import follow, wait_until_equal
from tests.support.process import ROOT, ServerProcess
from tests.support.promql import Selector, names_in
from tests.support.scraping import METRICS_OPTIONS, get, parse_openmetrics
from tests.support.tls import Authority, TlsServer

DASHBOARD: Final = ROOT / "config" / "grafana-dashboard.json"
ALERTS: Final = ROOT / "config" / "alerts.yaml"
RUNBOOK: Final = ROOT / "docs" / "operating.md"
PROMETHEUS_LABELS: Final = {"job", "instance"}  # which Prometheus adds to each sample
PROMETHEUS_METRICS: Final = {"up"}
LABEL_VALUES: Final = re.compile(r"label_values\((.*), (\w+)\)")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """The samples of a leader with TLS and of its follower."""
    folders = [tmp_path_factory.mktemp(name) for name in ("leader", "follower")]
    options = [*METRICS_OPTIONS, "--tls-auth-clients", "no"]
    with (
        TlsServer(folders[0], Authority(folders[0]), options) as leader,
        ServerProcess(folders[1], METRICS_OPTIONS) as follower,
    ):
        leader.call("SET", "fleet", "truck", "POINT", 33, -115)
        follow(follower, leader)
        wait_until_equal(leader, follower)
        return [sample for server in (leader, follower) for sample in scraped(server)]


def scraped(server: ServerProcess) -> Iterable[Sample]:
    """Return the samples of a server."""
    text = get(server, "/metrics", Accept="application/openmetrics-text")[0].decode()
    return [sample for family in parse_openmetrics(text) for sample in family.samples]


def is_found(selector: Selector, samples: list[Sample]) -> bool:
    """Whether a server has samples of a metric with these labels, and fixed values of them."""
    wanted = {k: v for k, v in selector.matchers.items() if k not in PROMETHEUS_LABELS}
    return selector.metric in PROMETHEUS_METRICS or any(
        sample.name == selector.metric
        and all(k in sample.labels and v in ("", sample.labels[k]) for k, v in wanted.items())
        for sample in samples
    )


def missing_names(expressions: Iterable[str], samples: list[Sample]) -> list[str]:
    """Return the expressions that name a metric or a label which no server has."""
    wrong = []
    for text in expressions:
        names = names_in(text)
        assert names.selectors, text
        metrics = {selector.metric for selector in names.selectors}
        labels = {k for sample in samples if sample.name in metrics for k in sample.labels}
        is_known = names.grouping <= labels | PROMETHEUS_LABELS
        if not is_known or not all(is_found(found, samples) for found in names.selectors):
            wrong.append(text)
    return wrong


def rules() -> list[dict[str, object]]:
    """Return the alerting rules."""
    (group,) = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    found: list[dict[str, object]] = group["rules"]
    return found


def test_the_alerts_name_what_servers_have(samples: list[Sample]) -> None:
    assert missing_names((str(rule["expr"]) for rule in rules()), samples) == []


def test_each_alert_says_what_to_do() -> None:
    runbook = set(re.findall(r"^\| (Tile38\w+) \|", RUNBOOK.read_text("utf-8"), re.MULTILINE))
    assert runbook == {rule["alert"] for rule in rules()}
    for rule in rules():
        annotations = rule["annotations"]
        assert isinstance(annotations, dict)
        assert annotations["summary"]
        assert annotations["runbook"] == "docs/operating.md#alerts"
        assert rule["labels"] in ({"severity": "critical"}, {"severity": "warning"})


def test_the_dashboard_names_what_servers_have(samples: list[Sample]) -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    targets = [target["expr"] for panel in panels for target in panel["targets"]]
    assert missing_names(targets, samples) == []
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            match = LABEL_VALUES.fullmatch(variable["query"]["query"])
            assert match
            (selector,) = names_in(match[1]).selectors
            selector.matchers[match[2]] = ""
            assert is_found(selector, samples)


def test_the_dashboard_has_no_data_source_of_its_own() -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    used = [panel["datasource"]["uid"] for panel in panels]
    used += [target["datasource"]["uid"] for panel in panels for target in panel["targets"]]
    assert set(used) == {"${datasource}"}
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_a_name_that_no_server_has_is_noticed(samples: list[Sample]) -> None:
    wrong = [
        "tile38_pidd",
        'tile38_connections_ended_total{reason="boredom"}',
        "sum by (cause) (tile38_pid)",
    ]
    assert missing_names([*wrong, "tile38_pid"], samples) == wrong
