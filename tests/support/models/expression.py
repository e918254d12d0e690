"""WHERE expressions, modelled from the specification: the text is split anew at each level.

Tile38 does the same, as far as is known; the engine compiles a tree instead.
"""

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tests.support.models.value import (
    THIS,
    UNDEFINED,
    Document,
    Double,
    Int64,
    Match,
    Uint64,
    UnspecifiedError,
    Value,
    applied,
    signed,
    text_of,
    truth_of,
)

# Those that bind loosest first. `,` and `?:` bind looser; two of the levels have prefixes.
LEVELS: Final = (
    ("||", "??"),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!=", "===", "!==", "=~"),
    ("<", "<=", ">", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)
EQUALITY_LEVEL: Final = 5
ADDITIVE_LEVEL: Final = 7
# The longest first: the symbol at a position is the first one that matches.
SYMBOLS: Final = (
    *("===", "!==", "==", "!=", "=~", "<=", ">=", "||", "??", "&&", "?.", "|", "^", "&"),
    *("<", ">", "+", "-", "*", "/", "%", "?", ":", ","),
)
BRACKETS: Final = {"(": ")", "[": "]"}
NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]+|[0-9][0-9_]*\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+")
INTEGER: Final = re.compile(r"(0[xX][0-9a-fA-F]+|[0-9]+)(u64|i64)")
SIMPLE_PATTERN: Final = re.compile(rb"(?:\(\?i\))?[\w ,]*|\^\[a-c\]\+\$|\(", re.ASCII)
NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
CONSTANTS: Final[dict[str, Value]] = {
    "true": True,
    "false": False,
    "null": None,
    "undefined": UNDEFINED,
    "NaN": Double(float("nan")),
    "Infinity": Double(float("inf")),
    "this": THIS,
}
RESERVED: Final = {"new", "typeof", "void", "await", "in", "instanceof", "yield"}


class EvaluationError(Exception):
    """An expression that can't be computed, and so is false."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The object to which the names of an expression refer."""

    object_id: str
    type_name: str | None
    fields: dict[str, Value] = field(default_factory=dict)
    members: dict[str, Value] = field(default_factory=dict)

    def resolve(self, name: str) -> Value:
        """Return the value of a name."""
        if name in self.members:
            return self.members[name]
        if name == "id":
            return self.object_id.encode()
        if name == "type":
            return UNDEFINED if self.type_name is None else self.type_name.encode()
        return self.fields.get(name, Double(0.0, 0))


def holds(text: str, scope: Scope) -> bool:
    """Return whether an expression is true for an object."""
    try:
        return truth_of(_sequence(text, scope))
    except EvaluationError:
        return False


def value_of_json(text: str) -> Value:
    """Return the value of a JSON text."""
    return _value(json.loads(text, parse_int=Double.of_text, parse_float=Double.of_text))


def _value(content: object) -> Value:
    match content:
        case str():
            return content.encode()
        case dict() | list():
            return Document(_dumped(content).encode(), content)
        case None | bool() | Double():
            return content
    raise AssertionError(content)


def _dumped(content: object) -> str:
    if isinstance(content, dict):
        pairs = (f"{json.dumps(name)}:{_dumped(item)}" for name, item in content.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(content, list):
        return "[" + ",".join(map(_dumped, content)) + "]"
    if isinstance(content, Double):
        return text_of(content).decode()
    return json.dumps(content)


@functools.lru_cache(maxsize=4096)
def _symbols(text: str) -> tuple[tuple[int, str], ...]:
    """Return the operators outside of strings, brackets and numbers, with their positions."""
    return tuple(_scan(text))


def _scan(text: str) -> Iterator[tuple[int, str]]:
    at = 0
    while at < len(text):
        character = text[at]
        if character in "\"'":
            at = _string_end(text, at)
        elif character in BRACKETS:
            at = _group_end(text, at)
        elif character in ")]":
            raise EvaluationError(text)
        elif (number := NUMBER.match(text, at)) and not _is_within_name(text, at):
            at = number.end()
        else:
            symbol = next((symbol for symbol in SYMBOLS if text.startswith(symbol, at)), None)
            # A sign directly after an e is treated as that of an exponent.
            is_exponent = symbol in {"+", "-"} and text[:at].endswith(("e", "E"))
            if symbol is not None and not is_exponent:
                yield at, symbol
            at += len(symbol or "-")


def _is_within_name(text: str, at: int) -> bool:
    return at > 0 and (text[at - 1].isalnum() or text[at - 1] in "_$")


def _string_end(text: str, start: int) -> int:
    at = start + 1
    while at < len(text) and text[at] != text[start]:
        at += 2 if text[at] == "\\" else 1
    if at >= len(text):
        raise EvaluationError(text)
    return at + 1


def _group_end(text: str, start: int) -> int:
    at = start + 1
    while at < len(text) and text[at] != BRACKETS[text[start]]:
        if text[at] in "\"'":
            at = _string_end(text, at)
        elif text[at] in BRACKETS:
            at = _group_end(text, at)
        elif text[at] in ")]":
            raise EvaluationError(text)
        else:
            at += 1
    if at >= len(text):
        raise EvaluationError(text)
    return at + 1


def _split(text: str, separators: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield each operand of a level with the operator before it, empty for the first one."""
    start, operator = 0, ""
    for at, symbol in _symbols(text):
        # A sign with nothing before it is a prefix, not an operator.
        is_prefix = symbol in {"+", "-"} and not text[start:at].strip(" +-")
        if is_prefix and symbol == operator and at == start:
            raise EvaluationError(text)
        if symbol in separators and not is_prefix:
            yield operator, text[start:at]
            start, operator = at + len(symbol), symbol
    yield operator, text[start:]


def _sequence(text: str, scope: Scope) -> Value:
    return [_choice(part, scope) for _, part in _split(text, (",",))][-1]


def _choice(text: str, scope: Scope) -> Value:
    """Evaluate `a ? b : c ? d : e`, all of whose operands are evaluated."""
    marks = [(at, symbol) for at, symbol in _symbols(text) if symbol in {"?", ":"}]
    if not marks:
        return _level(text, 0, scope)
    depth, colon = 0, None
    for at, symbol in marks:
        depth += 1 if symbol == "?" else -1
        if depth == 0:
            colon = at
            break
    question = marks[0][0]
    if colon is None or marks[0][1] == ":":
        raise EvaluationError(text)
    condition = _level(text[:question], 0, scope)
    chosen = _choice(text[question + 1 : colon], scope)
    otherwise = _choice(text[colon + 1 :], scope)
    return chosen if truth_of(condition) else otherwise


def _level(text: str, level: int, scope: Scope) -> Value:
    if level == len(LEVELS):
        return _atom(text.strip(), scope)
    result: Value = UNDEFINED
    for operator, part in _split(text, LEVELS[level]):
        operand = _operand(part, level, scope)
        if not operator:
            result = operand
        elif operator == "=~":
            result = _is_found(text_of(operand), text_of(result))
        else:
            result = applied(operator, result, operand)
    return result


def _operand(text: str, level: int, scope: Scope) -> Value:
    """Evaluate an operand of a level, with the prefixes that the level allows."""
    text = text.strip()
    if level == EQUALITY_LEVEL and text.startswith("!"):
        rest = text.lstrip("! ")
        is_true = truth_of(_level(rest, level + 1, scope))
        return is_true != bool(text[: len(text) - len(rest)].count("!") % 2)
    if level == ADDITIVE_LEVEL and text.startswith(("+", "-")):
        rest = text.lstrip("+- ")
        signs = text[: len(text) - len(rest)]
        if "++" in signs or "--" in signs:
            raise EvaluationError(text)
        return signed(_level(rest, level + 1, scope), "-" if signs.count("-") % 2 else "+")
    return _level(text, level + 1, scope)


def _is_found(pattern: bytes, text: bytes) -> bool:
    if SIMPLE_PATTERN.fullmatch(pattern) is None:
        raise UnspecifiedError("a pattern that Python and RE2 may read differently")
    try:
        return re.search(pattern, text) is not None
    except re.error:
        raise EvaluationError(pattern) from None


def _atom(text: str, scope: Scope) -> Value:
    value, at = _base(text, scope)
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        step = re.compile(r"(\??)\.\s*([A-Za-z_$][A-Za-z0-9_$]*)").match(text, at)
        if step is not None:
            is_skipped = value is UNDEFINED and step[1] == "?"
            value = UNDEFINED if is_skipped else _member(value, step[2].encode(), scope)
            at = step.end()
        elif text[at] in BRACKETS:
            end = _group_end(text, at)
            inner = text[at + 1 : end - 1]
            if text[at] == "[":
                value = _member(value, text_of(_sequence(inner, scope)), scope)
            else:
                value = _called(value, _list(inner, scope))
            at = end
        else:
            raise EvaluationError(text)
    return value


def _list(text: str, scope: Scope) -> list[Value]:
    return [_choice(part, scope) for _, part in _split(text, (",",))] if text.strip() else []


def _base(text: str, scope: Scope) -> tuple[Value, int]:
    """Return the value at the start of an atom, and its end."""
    if text[:1] in {"'", '"'}:
        end = _string_end(text, 0)
        return _unescaped(text[1 : end - 1]).encode(), end
    if text[:1] in BRACKETS:
        end = _group_end(text, 0)
        inner = text[1 : end - 1]
        return (_sequence if text[0] == "(" else _list)(inner, scope), end
    if (integer := INTEGER.match(text)) is not None:
        kind = Int64 if integer[2] == "i64" else Uint64
        return kind.wrapped(int(integer[1], 16 if "x" in integer[1] else 10)), integer.end()
    if (number := NUMBER.match(text)) is not None:
        return _number(number[0]), number.end()
    name = NAME.match(text)
    if name is None or name[0] in RESERVED:
        raise EvaluationError(text)
    if name[0] in CONSTANTS:
        return CONSTANTS[name[0]], name.end()
    value = scope.resolve(name[0])
    if value is UNDEFINED:
        raise EvaluationError(text)
    return value, name.end()


def _number(text: str) -> Double:
    if text[:2] in {"0x", "0X"}:
        return Double(float(int(text, 16)), int(text, 16))
    return Double.of_text(text.replace("_", ""))


def _unescaped(content: str) -> str:
    if re.search(r"\\[xu0]", content):
        raise UnspecifiedError("escapes that the generator doesn't make")
    named = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
    return re.sub(r"\\(.)", lambda match: named.get(match[1], match[1]), content)


def _member(value: Value, name: bytes, scope: Scope) -> Value:
    match value:
        case _ if value is UNDEFINED:
            raise EvaluationError(name)
        case _ if value is THIS:
            return scope.resolve(name.decode())
        case Document():
            return _found(value.content, name.decode())
        case _ if name == b"match":
            return Match(text_of(value))
        case _:
            return UNDEFINED


def _found(content: object, path: str) -> Value:
    """Return the value at a path of names and indexes."""
    for part in path.split("."):
        if isinstance(content, dict) and part in content:
            content = content[part]
        elif isinstance(content, list) and part == "#":
            content = Double(float(len(content)), len(content))
        elif isinstance(content, list) and part.isdigit() and int(part) < len(content):
            content = content[int(part)]
        else:
            return UNDEFINED
    return _value(content)


def _called(value: Value, arguments: list[Value]) -> Value:
    if not isinstance(value, Match):
        raise EvaluationError("not a function")
    pattern = text_of(arguments[0] if arguments else UNDEFINED)
    parts = {ord("*"): ".*", ord("?"): "."}
    expression = "".join(parts.get(byte, re.escape(chr(byte))) for byte in pattern)
    return re.fullmatch(expression, value.text.decode(), re.IGNORECASE | re.DOTALL) is not None
