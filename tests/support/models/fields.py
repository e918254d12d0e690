"""Stored field values, modelled from the specification: typing, comparison, WHERE and WHEREIN."""

import json
import math
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

JSON_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
INFINITY: Final = re.compile(r"([+-]?)inf(inity)?", re.IGNORECASE)
OPERATORS: Final = ("<", "<=", ">", ">=", "==", "!=")


class Kind(IntEnum):
    """The kinds of values, in the order in which they compare."""

    NULL = 0
    FALSE = 1
    NUMBER = 2
    STRING = 3
    TRUE = 4
    JSON = 5


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A stored value."""

    kind: Kind
    text: str

    @property
    def deletes(self) -> bool:
        """Whether storing the value deletes the field."""
        return self.kind is Kind.NUMBER and self.text == "0"

    @property
    def number(self) -> float:
        """The value of a number, as a double."""
        return float(self.text)

    @property
    def integer(self) -> int | None:
        """The value of a number that is spelled as an integer; None for others."""
        return int(self.text) if self.text.removeprefix("-").isdigit() else None

    def is_less(self, other: "FieldValue") -> bool:
        """Return whether the value sorts before another one."""
        if self.kind is not other.kind:
            return self.kind < other.kind
        match self.kind:
            case Kind.NUMBER if self.integer is not None and other.integer is not None:
                return self.integer < other.integer
            case Kind.NUMBER:
                return self.number < other.number
            case Kind.STRING:
                return self.text.encode().lower() < other.text.encode().lower()
            case Kind.JSON:
                return self.text.encode() < other.text.encode()
            case _:
                return False

    def equals(self, other: "FieldValue") -> bool:
        """Return whether neither value sorts before the other."""
        return not self.is_less(other) and not other.is_less(self)


WORDS: Final = {"null": Kind.NULL, "true": Kind.TRUE, "false": Kind.FALSE}
ABSENT: Final = FieldValue(Kind.NUMBER, "0")


def typed(text: str) -> FieldValue:
    """Return the typed value of a text as clients write it."""
    text = text.strip()
    special = not_finite(text)
    if special is not None:
        return special
    if JSON_NUMBER.fullmatch(text):
        if math.isinf(float(text)):
            return FieldValue(Kind.NUMBER, "-Inf" if text.startswith("-") else "+Inf")
        return FieldValue(Kind.NUMBER, text)
    if text in WORDS:
        return FieldValue(WORDS[text], text)
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if isinstance(content, str):
        return not_finite(content) or FieldValue(Kind.STRING, content)
    is_json = isinstance(content, dict | list)
    return FieldValue(Kind.JSON if is_json else Kind.STRING, minified(text) if is_json else text)


def minified(text: str) -> str:
    """Return a JSON text without blanks; the tests have no blanks in strings."""
    return re.sub(r"\s+", "", text)


def not_finite(text: str) -> FieldValue | None:
    """Return the number of a text that names NaN or an infinity; None for other texts."""
    if text.lower() == "nan":
        return FieldValue(Kind.NUMBER, "NaN")
    infinity = INFINITY.fullmatch(text)
    if infinity is None:
        return None
    return FieldValue(Kind.NUMBER, "-Inf" if infinity[1] == "-" else "+Inf")


def passes_where(value: FieldValue, low: str, high: str) -> bool:
    """Return whether a value passes `WHERE field low high`."""
    # Only ASCII letters are folded, as in comparisons.
    low, high = (word.encode().lower().decode() for word in (low, high))
    if low in OPERATORS:
        operand = typed(high)
        return {
            "<": value.is_less(operand),
            "<=": not operand.is_less(value),
            ">": operand.is_less(value),
            ">=": not value.is_less(operand),
            "==": value.equals(operand),
            "!=": not value.equals(operand),
        }[low]
    least, most = typed(low.removeprefix("(")), typed(high.removeprefix("("))
    is_above = least.is_less(value) if low.startswith("(") else not value.is_less(least)
    is_below = value.is_less(most) if high.startswith("(") else not most.is_less(value)
    return is_above and is_below


def passes_where_in(value: FieldValue, operands: list[str]) -> bool:
    """Return whether a value passes `WHEREIN field n …`."""
    return any(value.equals(typed(operand)) for operand in operands)
