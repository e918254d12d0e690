"""The benchmark program runs from end to end; its numbers aren't looked at."""

import shutil
import sys
from pathlib import Path

import pytest

from benchmarks import compare
from benchmarks.loads import LOADS


@pytest.mark.skipif(not shutil.which("redis-benchmark"), reason="redis-benchmark isn't installed")
@pytest.mark.timeout(120)
def test_compare_measures_every_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["compare", "--quick", "--output", str(tmp_path)])
    assert compare.main() == 0
    table = (tmp_path / "table.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in table.splitlines() if "requests/s" in line]
    assert len(rows) == len(LOADS) * len(compare.CONNECTIONS) * len(compare.PIPELINES)
    assert all(row[4].strip() != "–" for row in rows)
