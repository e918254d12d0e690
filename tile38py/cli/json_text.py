"""Indented JSON for people: what fits into a line stays on one line."""

import json
from typing import Final, TypeAlias

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
INDENT: Final = 2


def compact(value: JsonValue) -> str:
    """Return a value as JSON in one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def indented(value: JsonValue, width: int, depth: int = 0) -> str:
    """Return a value as JSON in lines of this width, where values can be parted."""
    if not isinstance(value, dict | list) or not value:
        return json.dumps(value, ensure_ascii=False)
    if not _is_surely_long(value):
        line = json.dumps(value, ensure_ascii=False)
        if len(line) <= width - INDENT * depth:
            return line
    blank = " " * (INDENT * (depth + 1))
    if isinstance(value, dict):
        items = [
            f"{blank}{json.dumps(name, ensure_ascii=False)}: {indented(item, width, depth + 1)}"
            for name, item in value.items()
        ]
    else:
        items = [blank + indented(item, width, depth + 1) for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    joined = ",\n".join(items)
    return f"{opening}\n{joined}\n{' ' * (INDENT * depth)}{closing}"


def _is_surely_long(value: dict[str, JsonValue] | list[JsonValue]) -> bool:
    """Spare writing a large value in one line at each level above it."""
    longest = 200
    return len(value) > longest or any(
        isinstance(item, dict | list) and len(item) > longest
        for item in (value.values() if isinstance(value, dict) else value)
    )
