"""Splits a line into words as redis-cli does, and takes JSON without quotes as tile38-cli does."""

import json
import re
from collections.abc import Iterator
from typing import Final

BLANK: Final = re.compile(r"\s*")
PLAIN: Final = re.compile(r"\S+")
DOUBLE: Final = re.compile(r'"((?:[^"\\]|\\.)*)("?)', re.DOTALL)
SINGLE: Final = re.compile(r"'((?:[^'\\]|\\.)*)('?)", re.DOTALL)
ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
ESCAPED: Final = {"n": b"\n", "r": b"\r", "t": b"\t", "b": b"\b", "a": b"\a"}
JSON_DECODER: Final = json.JSONDecoder()


class QuoteError(Exception):
    """The quotes of a line aren't balanced; the text says where."""


def split_words(line: str) -> list[bytes]:
    r"""Split a line. Raises QuoteError.

    Within double quotes \n, \r, \t, \b, \a, \xHH and \" are replaced, within single quotes \'. A
    word that begins as a JSON object or array reaches to the end of that.
    """
    return list(_words(line))


def _words(line: str) -> Iterator[bytes]:
    position = _skip_blank(line, 0)
    while position < len(line):
        word, position = _word(line, position)
        yield word
        position = _skip_blank(line, position)


def _word(line: str, start: int) -> tuple[bytes, int]:
    first = line[start]
    if first in "{[" and (end := _json_end(line, start)):
        return _encode(line[start:end]), end
    if first not in "\"'":
        end = _matched_end(PLAIN, line, start)
        return _encode(line[start:end]), end
    match = (DOUBLE if first == '"' else SINGLE).match(line, start)
    if match is None or not match[2]:
        name = "double" if first == '"' else "single"
        raise QuoteError(f"the {name} quote at column {start + 1} isn't closed")
    if match.end() < len(line) and not line[match.end()].isspace():
        raise QuoteError(f"a space has to follow the closing quote at column {match.end()}")
    word = _unescape(match[1]) if first == '"' else _encode(match[1].replace("\\'", "'"))
    return word, match.end()


def _json_end(line: str, start: int) -> int:
    """Return the end of the JSON that begins here, 0 if there is none up to a space."""
    try:
        _, end = JSON_DECODER.raw_decode(line, start)
    except (ValueError, RecursionError):
        return 0
    return end if end == len(line) or line[end].isspace() else 0


def _unescape(text: str) -> bytes:
    parts: list[bytes] = []
    position = 0
    for match in ESCAPE.finditer(text):
        parts.append(_encode(text[position : match.start()]))
        code = match[1]
        if len(code) > 1:
            parts.append(bytes.fromhex(code[1:]))
        else:
            parts.append(ESCAPED.get(code) or _encode(code))
        position = match.end()
    return b"".join((*parts, _encode(text[position:])))


def _skip_blank(line: str, position: int) -> int:
    return _matched_end(BLANK, line, position)


def _matched_end(pattern: re.Pattern[str], line: str, position: int) -> int:
    match = pattern.match(line, position)
    return match.end() if match else position


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
