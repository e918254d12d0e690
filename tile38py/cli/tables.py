"""Tables of JSON replies that hold a list of results: ids, objects, points, hooks, keys."""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from tile38py.cli.json_text import JsonValue, compact

MEASURED_ROWS: Final = 1000  # later rows don't widen the columns, so that a table needs one pass
CELL_MIN: Final = 8
GAP: Final = "  "
CUT: Final = "…"
Row = dict[str, str]


def table(reply: dict[str, JsonValue], width: int) -> str | None:
    """Return the reply as a table for lines of this width, None if it holds no results."""
    name = _results_name(reply)
    if name is None:
        return None
    results = reply[name]
    assert isinstance(results, list)
    field_names = reply.get("fields")
    rows = [
        _row(name, result, field_names if isinstance(field_names, list) else [])
        for result in results
    ]
    return "".join((*_lines(rows, width), _footer(reply, name, len(rows))))


def _results_name(reply: dict[str, JsonValue]) -> str | None:
    """Return the name of the one list of results; `fields` may stand beside it."""
    names = [name for name, value in reply.items() if isinstance(value, list) and name != "fields"]
    return names[0] if len(names) == 1 else None


def _row(name: str, result: JsonValue, field_names: list[JsonValue]) -> Row:
    if not isinstance(result, dict):
        return {_singular(name): _cell(result)}
    row: Row = {}
    for column, value in result.items():
        if column == "fields" and isinstance(value, list):
            row |= {
                str(field): _cell(item) for field, item in zip(field_names, value, strict=False)
            }
        elif isinstance(value, dict) and column in {"fields", "point"}:
            row |= {inner: _cell(item) for inner, item in value.items()}
        else:
            row[column] = _cell(value)
    return row


def _singular(name: str) -> str:
    return name.removesuffix("s")


def _cell(value: JsonValue) -> str:
    if value is None:
        return ""
    # Control characters would break the table, or take over the terminal.
    text = value if isinstance(value, str) else compact(value)
    return "".join(" " if unicodedata.category(each) == "Cc" else each for each in text)


def _lines(rows: list[Row], width: int) -> Iterator[str]:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    if not columns:
        return
    widths = _widths(columns, rows[:MEASURED_ROWS], width)
    yield _line(columns, widths)
    yield GAP.join("─" * size for size in widths) + "\n"
    for row in rows:
        yield _line((row.get(column, "") for column in columns), widths)


def _widths(columns: list[str], rows: list[Row], width: int) -> list[int]:
    """Return the columns' widths; the widest ones are narrowed until the line fits."""
    widths = [
        max(_size(column), *(_size(row.get(column, "")) for row in rows)) for column in columns
    ]
    available = max(width - len(GAP) * (len(columns) - 1), CELL_MIN * len(columns))
    while (excess := sum(widths) - available) > 0:
        widest = widths.index(max(widths))
        others = sorted(widths)[-2] if len(widths) > 1 else 0
        step = max(1, min(excess, widths[widest] - others))
        widths[widest] -= step
    return widths


def _line(cells: Iterable[str], widths: list[int]) -> str:
    fitted = (_fit(cell, size) for cell, size in zip(cells, widths, strict=True))
    return GAP.join(fitted).rstrip() + "\n"


def _fit(text: str, size: int) -> str:
    missing = size - _size(text)
    if missing >= 0:
        return text + " " * missing
    while text and _size(text) > size - len(CUT):
        text = text[: max(0, min(len(text) - 1, size))]
    return text + CUT


def _size(text: str) -> int:
    """Return the columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(each) in {"W", "F"} for each in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def _footer(reply: dict[str, JsonValue], name: str, count: int) -> str:
    facts = [f"{count} {_singular(name)}" if count == 1 else f"{count} {name}"]
    facts += [
        f"{fact} {_cell(value)}"
        for fact, value in reply.items()
        if fact not in {"ok", "fields", "count", name}
    ]
    return f"({', '.join(facts)})\n"
