"""promtool, which Debian packages with Prometheus, accepts the alerts and the dashboard."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.process import ROOT

PROGRAM = "promtool"
VARIABLE = re.compile(r"\$\w+")


def check(rules: Path) -> None:
    """Let promtool check a file of rules."""
    if not shutil.which(PROGRAM):
        pytest.skip(f"{PROGRAM} isn't installed: run .ci/clients")
    done = subprocess.run([PROGRAM, "check", "rules", str(rules)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_alerts() -> None:
    check(ROOT / "config" / "alerts.yaml")


def test_promtool_accepts_the_queries_of_the_dashboard(tmp_path: Path) -> None:
    dashboard = json.loads((ROOT / "config" / "grafana-dashboard.json").read_text("utf-8"))
    queries = [
        target["expr"].replace("$__rate_interval", "5m")
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
    ]
    assert queries
    rules = [
        {"record": f"query:{number}", "expr": VARIABLE.sub(".*", query)}
        for number, query in enumerate(queries)
    ]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), "utf-8")
    check(file)
