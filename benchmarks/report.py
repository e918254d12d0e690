"""Reports of results: a table in Markdown, JSON and a picture. Measures nothing."""

import dataclasses
import json
import os
import platform
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

WHOLE_FROM = 100.0  # smaller numbers are shown with decimals
Values = dict[str, list[float]]  # the values of all rounds, by the server's name


@dataclasses.dataclass(frozen=True, slots=True)
class Measurement:
    """A measurement of all servers: a row of the table."""

    name: str
    setting: str
    unit: str
    values: Values
    is_more_better: bool = True

    def median(self, server: str) -> float | None:
        """Return the median of a server's rounds, None if it wasn't measured."""
        values = self.values.get(server)
        return statistics.median(values) if values else None

    def ratio(self, server: str, peer: str) -> float | None:
        """Return the factor by which a server is better than a peer."""
        own, other = self.median(server), self.median(peer)
        if not own or not other:
            return None
        return own / other if self.is_more_better else other / own


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """All measurements of a run. The first server is ours."""

    servers: Sequence[str]
    rows: Sequence[Measurement]
    rounds: int

    def markdown(self) -> str:
        """Return the table, with a description of the machine."""
        ours, *peers = self.servers
        head = ["measured", "clients × pipeline", "unit", *self.servers]
        head += [f"{ours} / {peer}" for peer in peers]
        lines = [
            f"Medians of {self.rounds} alternating rounds on {os.cpu_count()} cores,"
            f" {platform.machine()}, {platform.system()}, Python {platform.python_version()}.",
            "A ratio above 1 means that we are better.",
            "",
            "| " + " | ".join(head) + " |",
            "| --- | --- | --- |" + " ---: |" * (len(head) - 3),
        ]
        for row in self.rows:
            cells = [row.name, row.setting, row.unit]
            cells += [number(row.median(server)) for server in self.servers]
            cells += [number(row.ratio(ours, peer), digits=2) for peer in peers]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join([*lines, ""])

    def json(self) -> str:
        """Return all values of all rounds."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False)

    def write(self, folder: Path) -> Iterator[Path]:
        """Write the table, the values and the picture into a folder; yield their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (("table.md", self.markdown()), ("values.json", self.json())):
            (folder / name).write_text(text, encoding="utf-8")
            yield folder / name
        if len(self.servers) > 1:
            draw(self, folder / "ratios.png")
            yield folder / "ratios.png"


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with separators of thousands; a dash for None."""
    if value is None:
        return "–"
    if not digits and value < WHOLE_FROM:
        digits = 2
    return f"{value:,.{digits}f}"


def draw(report: Report, file: Path) -> None:
    """Draw a bar for each ratio, on a logarithmic scale around 1."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    ours, *peers = report.servers
    labels = [f"{row.name}  ({row.setting})" for row in report.rows]
    figure, axes = plt.subplots(figsize=(9, 1.5 + 0.28 * len(labels) * len(peers)))
    height = 0.8 / len(peers)
    for index, peer in enumerate(peers):
        ratios = [(position, row.ratio(ours, peer)) for position, row in enumerate(report.rows)]
        known = [(position + index * height, ratio) for position, ratio in ratios if ratio]
        axes.barh(
            [position for position, _ in known],
            [ratio - 1 for _, ratio in known],
            height,
            left=1,
            label=f"against {peer}",
        )
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlabel(f"how many times better {ours} is")
    axes.legend()
    figure.tight_layout()
    figure.savefig(file, dpi=120)
    plt.close(figure)
