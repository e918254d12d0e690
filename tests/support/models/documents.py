"""JSET and JDEL of documents, modelled from the specification on parsed JSON instead of text.

Numbers stay the text that they are spelled by. Knows plain paths only.
"""

import json
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

JSON_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
JSON_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its text."""

    text: str


Document: TypeAlias = "bool | str | Number | list[Document] | dict[str, Document] | None"


class PathError(Exception):
    """A path that can't be written; the text is the error's."""


class InvalidValueError(Exception):
    """A value with the option RAW that isn't JSON."""


def parsed(text: str) -> Document:
    """Parse a JSON text. Raises ValueError if it isn't JSON."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    document: Document = json.loads(
        text, parse_int=Number, parse_float=Number, parse_constant=refuse
    )
    return document


def stored_value(text: str, mode: str) -> Document:
    """Return the document that JSET stores for its value."""
    if mode == "RAW":
        try:
            return parsed(text)
        except ValueError as error:
            raise InvalidValueError(text) from error
    if mode == "STR":
        return text
    if text in JSON_WORDS:
        return JSON_WORDS[text]
    return Number(text) if JSON_NUMBER.fullmatch(text) else text


def written(document: Document, path: str, value: Document) -> Document:
    """Return the document with a value written at a path."""
    if not path:
        raise PathError("path cannot be empty")
    return _put(document, path.split("."), value)


def without(document: Document, path: str) -> tuple[Document, bool]:
    """Return the document without the value at a path, and whether there was one."""
    if not path:
        raise PathError("path cannot be empty")
    *parents, last = path.split(".")
    copy = _copied(document)
    place = copy
    for part in parents:
        found = _step(place, part)
        if found is None:
            return document, False
        place = found[0]
    match place:
        case dict() if last in place:
            del place[last]
        case list() if last == "-1" and place:
            place.pop()
        case list() if last.isdigit() and int(last) < len(place):
            del place[int(last)]
        case _:
            return document, False
    return copy, True


def _copied(document: Document) -> Document:
    match document:
        case dict():
            return {name: _copied(value) for name, value in document.items()}
        case list():
            return [_copied(value) for value in document]
        case _:
            return document


def _step(place: Document, part: str) -> tuple[Document] | None:
    match place:
        case dict() if part in place:
            return (place[part],)
        case list() if part == "-1" and place:
            return (place[-1],)
        case list() if part.isdigit() and int(part) < len(place):
            return (place[int(part)],)
        case _:
            return None


def _put(place: Document, parts: list[str], value: Document) -> Document:
    if not parts:
        return value
    part, rest = parts[0], parts[1:]
    match place:
        case dict() if part in place:
            return {**place, part: _put(place[part], rest, value)}
        case dict():
            return {**place, part: _made(rest, value)}
        case list():
            return _put_into_list(place, parts, value)
    # Other kinds are replaced; only here, `-1` is the name of an object's member.
    return _made(parts, value) if part != "-1" else {part: _made(rest, value)}


def _put_into_list(place: list[Document], parts: list[str], value: Document) -> Document:
    part, rest = parts[0], parts[1:]
    if part in {"-1", ""}:
        return [*place, _made(rest, value)]
    if not part.isdigit():
        raise PathError(f"cannot set array element for non-numeric key '{part}'")
    index = int(part)
    if index < len(place):
        return [*place[:index], _put(place[index], rest, value), *place[index + 1 :]]
    return [*place, *[None] * (index - len(place)), _made(rest, value)]


def _made(parts: list[str], value: Document) -> Document:
    """Return a value nested in a new array or object for each part."""
    if not parts:
        return value
    part, rest = parts[0], parts[1:]
    if part == "-1":
        return [_made(rest, value)]
    if part.isdigit():
        return [*[None] * int(part), _made(rest, value)]
    return {part: _made(rest, value)}
