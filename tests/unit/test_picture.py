"""The README's picture shows what RESULTS.md says."""

from benchmarks.picture import RESULTS, measurements


def test_each_load_is_drawn_once_with_its_ratio() -> None:
    found = list(measurements(RESULTS.read_text("utf-8")))
    names = [(one.name, one.setting) for one in found]
    assert len(names) == len(set(names)) > 20
    table = "| SET point | 50 × 32 | requests/s | 300,000 | 150,000 | 2.00 |\n"
    (one,) = measurements(table + table)
    assert one.ratio("tile38py", "redis") == 2
