"""Values and operators of WHERE expressions, modelled from the specification.

A value is a Python object: None is null, then bool, Double, Int64, Uint64, bytes for strings, list
for arrays, Document for JSON objects and arrays, and the singletons UNDEFINED and THIS.
"""

import decimal
import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from operator import add, mul, sub
from typing import Final, TypeAlias

UINT64_COUNT: Final = 1 << 64
INT64_MAX: Final = (1 << 63) - 1
# The operators that need no case for zero.
RING_OPERATORS: Final = {"+": add, "-": sub, "*": mul}


class UnspecifiedError(Exception):
    """A case whose result the specification doesn't state."""


class Word(enum.Enum):
    """The values that are neither null nor literals."""

    UNDEFINED = "undefined"
    THIS = "[object Object]"


UNDEFINED: Final = Word.UNDEFINED
THIS: Final = Word.THIS


@dataclass(frozen=True, slots=True)
class Double:
    """A number; one that was spelled as an integer has its exact value, too."""

    number: float
    exact: int | None = None

    @classmethod
    def of_text(cls, text: str) -> "Double":
        """Return the number of a decimal."""
        digits = text.removeprefix("-")
        return cls(float(text), int(text) if digits.isascii() and digits.isdigit() else None)


@dataclass(frozen=True, slots=True)
class Int64:
    """A signed integer that wraps."""

    number: int

    @classmethod
    def wrapped(cls, number: int) -> "Int64":
        """Return the integer, wrapped to 64 bits."""
        return cls((number + INT64_MAX + 1) % UINT64_COUNT - INT64_MAX - 1)


@dataclass(frozen=True, slots=True)
class Uint64:
    """An unsigned integer that wraps."""

    number: int

    @classmethod
    def wrapped(cls, number: int) -> "Uint64":
        """Return the integer, wrapped to 64 bits."""
        return cls(number % UINT64_COUNT)


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object or array, with its text and its parsed content."""

    text: bytes
    content: object


@dataclass(frozen=True, slots=True)
class Match:
    """The method `match` of a value before it is called."""

    text: bytes


Integer: TypeAlias = Int64 | Uint64
Value: TypeAlias = (
    bool | Double | Int64 | Uint64 | bytes | list["Value"] | Document | Match | Word | None
)


def is_object(value: Value) -> bool:
    """Return whether the value is an object, for which operators are undefined."""
    return value is THIS or isinstance(value, Document)


def number_of(value: Value) -> float:
    """Return the number that arithmetic uses for a value."""
    match value:
        case None:
            return 0.0
        case bool():
            return float(value)
        case Double() | Int64() | Uint64():
            return float(value.number)
        case bytes():
            return _parsed(value)
        case list():
            return _parsed(text_of(value))
        case _:
            return math.nan


def _parsed(text: bytes) -> float:
    spelling = text.decode("utf-8", "replace")
    if spelling.strip() != spelling or "_" in spelling:
        return math.nan
    try:
        return float(spelling)
    except ValueError:
        return math.nan


def integer_of(value: Value) -> int | None:
    """Return the exact integer of a value; None if it has only a double."""
    match value:
        case Double(exact=exact):
            return exact
        case Int64() | Uint64():
            return value.number
        case bytes():
            digits = value.removeprefix(b"-")
            return int(value) if digits.isdigit() else None
        case list():
            return integer_of(text_of(value))
        case _:
            return None


def truth_of(value: Value) -> bool:
    """Return the truth of a value, for `&&`, `!` and the whole expression."""
    match value:
        case None | Document() | Word.UNDEFINED:
            return False
        case bool():
            return value
        case bytes():
            return value != b""
        case Match() | Word.THIS:
            return True
        case _:
            number = number_of(value)
            return number != 0 and not math.isnan(number)


def text_of(value: Value) -> bytes:
    """Return the text of a value."""
    match value:
        case bytes():
            return value
        case Int64() | Uint64():
            return b"%d" % value.number
        case Double():
            return _digits(value)
        case list():
            return b",".join(map(text_of, value))
        case Document():
            return value.text
        case _:
            return _named(value)


def _named(value: Match | Word | bool | None) -> bytes:
    match value:
        case Match():
            return b"[Function]"
        case Word():
            return value.value.encode()
        case None:
            return b"null"
        case _:
            return b"true" if value else b"false"


def _digits(value: Double) -> bytes:
    number = value.number
    if math.isnan(number):
        return b"NaN"
    if math.isinf(number):
        return b"Infinity" if number > 0 else b"-Infinity"
    if value.exact is not None and abs(number) >= 2**53:
        return b"%d" % value.exact
    text = format(decimal.Decimal(repr(number)), "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).encode()


def _kind(value: Value) -> str:
    return type(value).__name__ if not isinstance(value, Word) else value.name


def equals(left: Value, right: Value) -> bool:
    """Return the result of `==`, for values that aren't objects."""
    order = _folded(left, right)
    if order is not None:
        return order[0] == order[1]
    if _kind(left) == _kind(right) and (left is None or isinstance(left, bool | Word)):
        return left == right
    exact = integer_of(left), integer_of(right)
    return exact[0] == exact[1] if None not in exact else number_of(left) == number_of(right)


def is_less(left: Value, right: Value) -> bool:
    """Return the result of `<`, for values that aren't objects."""
    order = _folded(left, right)
    if order is not None:
        return order[0] < order[1]
    exact = integer_of(left), integer_of(right)
    if exact[0] is not None and exact[1] is not None:
        return exact[0] < exact[1]
    return number_of(left) < number_of(right)


def _folded(left: Value, right: Value) -> tuple[bytes, bytes] | None:
    """Return the folded texts by which two strings or two arrays compare; None for other kinds."""
    both_strings = isinstance(left, bytes) and isinstance(right, bytes)
    both_arrays = isinstance(left, list) and isinstance(right, list)
    if both_strings or both_arrays:
        return text_of(left).lower(), text_of(right).lower()
    return None


def _strictly_equals(left: Value, right: Value) -> bool:
    return _kind(left) == _kind(right) and equals(left, right)


def _coalesced(left: Value, right: Value) -> Value:
    return right if left is None or left is UNDEFINED else left


def _added(left: Value, right: Value) -> Value:
    is_text = [isinstance(value, bytes | list | Match) for value in (left, right)]
    return text_of(left) + text_of(right) if any(is_text) else _calculated("+", left, right)


def _calculated(operator: str, left: Value, right: Value) -> Value:
    if isinstance(left, Int64) and isinstance(right, Int64):
        result = _whole(operator, left.number, right.number)
        return Double(math.nan) if result is None else Int64.wrapped(result)
    if isinstance(left, Uint64) and isinstance(right, Uint64):
        result = _whole(operator, left.number, right.number)
        return Double(math.nan) if result is None else Uint64.wrapped(result)
    return Double(_real(operator, number_of(left), number_of(right)))


def _whole(operator: str, left: int, right: int) -> int | None:
    if operator in RING_OPERATORS:
        result: int = RING_OPERATORS[operator](left, right)
        return result
    if right == 0:
        return None
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return quotient if operator == "/" else left - quotient * right


def _real(operator: str, left: float, right: float) -> float:
    if operator in RING_OPERATORS:
        result: float = RING_OPERATORS[operator](left, right)
        return result
    if operator == "/":
        return _quotient(left, right)
    is_undefined = right == 0 or math.isinf(left) or math.isnan(left + right)
    return math.nan if is_undefined else math.fmod(left, right)


def _quotient(left: float, right: float) -> float:
    if right != 0:
        return left / right
    sign = math.copysign(1, left) * math.copysign(1, right)
    return math.nan if left == 0 or math.isnan(left) else sign * math.inf


def _bits(operator: str, left: Value, right: Value) -> Value:
    a, b = _truncated(left), _truncated(right)
    result = {"&": a & b, "|": a | b, "^": a ^ b}[operator]
    if isinstance(left, Int64) and isinstance(right, Int64):
        return Int64(result)
    if isinstance(left, Uint64) and isinstance(right, Uint64):
        return Uint64.wrapped(result)
    return Double(float(result))


def _truncated(value: Value) -> int:
    if isinstance(value, Int64 | Uint64):
        return Int64.wrapped(value.number).number
    number = number_of(value)
    if math.isnan(number):
        return 0
    if abs(number) >= INT64_MAX:
        raise UnspecifiedError("an integer beyond 64 bits")
    return math.trunc(number)


def signed(operand: Value, sign: str) -> Value:
    """Apply unary `+` or `-`."""
    factor = -1 if sign == "-" else 1
    match operand:
        case Int64():
            return Int64.wrapped(factor * operand.number)
        case Uint64():
            return Uint64.wrapped(factor * operand.number)
        case Double(number, exact):
            return Double(factor * number, None if exact is None else factor * exact)
        case _ if is_object(operand):
            return UNDEFINED
        case _:
            return Double(factor * number_of(operand))


OPERATORS: Final[dict[str, Callable[[Value, Value], Value]]] = {
    "||": lambda left, right: truth_of(left) or truth_of(right),
    "??": _coalesced,
    "&&": lambda left, right: truth_of(left) and truth_of(right),
    "==": equals,
    "!=": lambda left, right: not equals(left, right),
    "===": _strictly_equals,
    "!==": lambda left, right: not _strictly_equals(left, right),
    "<": is_less,
    "<=": lambda left, right: is_less(left, right) or equals(left, right),
    ">": lambda left, right: is_less(right, left),
    ">=": lambda left, right: is_less(right, left) or equals(left, right),
    "+": _added,
}


def applied(operator: str, left: Value, right: Value) -> Value:
    """Apply an operator with two operands, except `=~`."""
    if is_object(left) or is_object(right):
        # Nothing equals an object.
        return True if operator in {"!=", "!=="} else UNDEFINED
    if operator in OPERATORS:
        return OPERATORS[operator](left, right)
    if operator in {"&", "|", "^"}:
        return _bits(operator, left, right)
    return _calculated(operator, left, right)
