"""The README's picture: `python -m benchmarks.picture` draws the ratios that RESULTS.md has."""

import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.report import Measurement, Report, draw

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
PICTURE = ROOT / "docs" / "measured.svg"
SERVERS = ("tile38py", "redis")
ROW = re.compile(
    r"^\| ([^|]+) \| (\d+ × \d+) \| (requests/s) \| ([\d,.]+) \| ([\d,.]+) \|", re.MULTILINE
)


def measurements(text: str) -> Iterator[Measurement]:
    """Yield the first row of each load and setting that has figures of both servers."""
    known: set[tuple[str, str]] = set()
    for match in ROW.finditer(text):
        name, setting, unit, *figures = match.groups()
        if (name, setting) not in known:  # a later table has some of the rows with more objects
            known.add((name, setting))
            values = [[float(figure.replace(",", ""))] for figure in figures]
            yield Measurement(name, setting, unit, dict(zip(SERVERS, values, strict=True)))


def main() -> None:
    """Draw the picture."""
    found = list(measurements(RESULTS.read_text("utf-8")))
    draw(Report(SERVERS, found, rounds=1), PICTURE)


if __name__ == "__main__":
    main()
