"""The demo, on a part of its data, against answers worked out by other means."""

import json
from pathlib import Path

import pytest
import shapely

from tests.support.process import ROOT, ServerProcess
from tests.support.sphere import distance_meters
from tile38py import demo

SAMPLE = ROOT / "tests" / "data" / "demo"


def rows(name: str) -> list[list[str]]:
    lines = (SAMPLE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def run_demo(server: ServerProcess, capsys: pytest.CaptureFixture[str]) -> str:
    status = demo.main(["--server", f"127.0.0.1:{server.port}", "--places", str(SAMPLE)])
    output = capsys.readouterr().out
    assert status == 0, output
    return output


def answer_to(question: str, output: str) -> str:
    """What is printed between a question and the next."""
    start = output.index("?\n", output.index(question)) + 1
    return output[start : output.find("?\n", start)]


def test_the_demo_answers_as_other_means_do(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")  # so that no name is broken
    output = run_demo(server, capsys)
    cities = [(row[1], int(row[3]), float(row[4]), float(row[5])) for row in rows("cities")]

    nearest = sorted(cities, key=lambda city: distance_meters(47.2, 9.5, city[2], city[3]))[:5]
    answer = answer_to("Which places are nearest", output)
    assert all(name in answer for name, *_ in nearest)

    austria = shapely.from_geojson(
        next(json.dumps(shape) for code, _, shape in rows("countries") if code == "AUT")
    )
    inside = sum(austria.contains(shapely.Point(city[3], city[2])) for city in cities)
    assert f"\n  {inside}\n" in answer_to("How many places lie within Austria", output)

    line = shapely.from_geojson(json.dumps(demo.LINE))
    crossed = [
        code
        for code, _, shape in rows("countries")
        if shapely.from_geojson(json.dumps(shape)).intersects(line)
    ]
    assert " ".join(sorted(crossed)) in answer_to("Which countries", output)

    for low, high in demo.BANDS:
        count = sum(float(low) <= city[1] <= float(high) for city in cities)
        assert f"\n  {count}\n" in answer_to(f"have {low} to {high} inhabitants", output)


def test_the_demo_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert demo.main(["--places", str(tmp_path / "places")]) == 1
    assert "npm or node is missing" in " ".join(capsys.readouterr().out.split())
