"""The benchmark program runs from end to end; its numbers aren't looked at."""

import shutil
import sys
from pathlib import Path

import pytest

from benchmarks import compare, hooks, large_writes, numbered
from benchmarks.servers import ours
from benchmarks.workloads import WORKLOADS


@pytest.mark.skipif(not shutil.which("redis-benchmark"), reason="redis-benchmark isn't installed")
@pytest.mark.timeout(120)
def test_compare_measures_every_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["compare", "--quick", "--output", str(tmp_path)])
    assert compare.main() == 0
    table = (tmp_path / "table.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in table.splitlines() if "requests/s" in line]
    assert len(rows) == len(WORKLOADS) * len(compare.CONNECTIONS) * len(compare.PIPELINES)
    assert all(row[4].strip() != "–" for row in rows)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server isn't installed")
@pytest.mark.timeout(120)
def test_the_hooks_benchmark_reports_every_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hooks", "--quick"])
    assert hooks.main() == 0
    shown = capsys.readouterr().out
    for figure in ("registrations", "SETs with hooks", "deliveries", "p99", "the most of these"):
        assert figure in shown


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server isn't installed")
@pytest.mark.timeout(120)
def test_the_benchmark_of_numbered_events_compares_both_kinds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["numbered", "--quick"])
    numbered.main()
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == ["plain", "numbered"]
    assert rows[0][-1] == "1.00"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_benchmark_of_large_writes_reports_every_operation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ours() as leader, ours() as follower:
        large_writes.measure(leader, follower, 1)
    rows = [line.split(" | ")[0] for line in capsys.readouterr().out.splitlines()[2:]]
    assert rows == ["| none", "| SET", "| SET again", "| GET", "| DEL"]


def test_fences_of_the_hooks_benchmark_lie_apart() -> None:
    places = hooks.FenceGrid(70_000).places
    assert len({(place.latitude, place.longitude) for place in places}) == 70_000
    # The radius is 0.045 degrees of the equator; at 60 degrees of latitude twice as many.
    assert min(place.beside - place.longitude for place in places) > 2 * 0.1
