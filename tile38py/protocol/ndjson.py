"""Batches of commands as lines of JSON: each line is an array, the words of one command.

A number is written as JSON has it, `true` and `false` as these words; an object or array is a word
of its own, such as GeoJSON behind OBJECT.
"""

import json
from collections.abc import Iterator

from tile38py.errors import CommandError, invalid_line


def lines(body: bytes) -> Iterator[bytes]:
    """Yield the lines that aren't blank, one by one: the body may be large."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        line = body[start:end].strip()
        if line:
            yield line
        start = end + 1


def words_of(line: bytes) -> list[bytes]:
    """Return the words of a command. Raises CommandError for anything but a command's array."""
    try:
        values = json.loads(line, parse_constant=_refuse)
        if not isinstance(values, list) or not values:
            raise invalid_line()
        return [_word(value) for value in values]
    except (ValueError, RecursionError):
        raise invalid_line() from None


def _word(value: object) -> bytes:
    match value:
        case str():
            return value.encode()
        case bool() | dict() | list() | float() | int():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    raise invalid_line()


def _refuse(constant: str) -> CommandError:
    raise ValueError(constant)
