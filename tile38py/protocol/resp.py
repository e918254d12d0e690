"""RESP as clients see it: requests to bytes, received bytes to replies. Opens no socket."""

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

LINE_BYTES_MAX: Final = 64 * 1024
COMPACT_BYTES: Final = 64 * 1024  # read bytes are removed from the buffer in pieces of this size
DIGITS_MAX: Final = 19
NESTING_MAX: Final = 64  # Redis's clients allow 7, and Lua's tables nest deeper


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """An error reply with its text, which begins with a code such as ERR."""

    text: str


# A simple string is str, a bulk string bytes.
ReplyValue: TypeAlias = "str | bytes | int | float | bool | ErrorReply | list[ReplyValue] | None"
Parsing: TypeAlias = Generator[None, None, ReplyValue]


class ProtocolError(Exception):
    """The received bytes aren't RESP."""


def encode_request(words: Iterable[bytes]) -> bytes:
    """Encode a request as an array of bulk strings."""
    bulks = [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"*%d\r\n%b" % (len(bulks), b"".join(bulks))


class ReplyReader:
    """Parses replies of RESP2 and RESP3 from pieces, and reads no byte twice."""

    def __init__(self, *, reply_bytes_max: int) -> None:
        self._reply_bytes_max = reply_bytes_max
        self._data = bytearray()
        self._position = 0
        self._read_bytes = 0  # of the present reply
        self._parsing: Parsing | None = None

    def feed(self, data: bytes) -> None:
        """Add received bytes."""
        self._data += data

    @property
    def is_between_replies(self) -> bool:
        """Whether no byte of a further reply was received."""
        return self._parsing is None and self._position == len(self._data)

    def replies(self) -> Generator[ReplyValue, None, None]:
        """Yield the complete replies. Raises ProtocolError."""
        while self._parsing is not None or self._position < len(self._data):
            if self._parsing is None:
                self._parsing, self._read_bytes = self._value(0), 0
            try:
                next(self._parsing)
            except StopIteration as done:
                self._parsing = None
                yield done.value
            else:
                return

    def _value(self, depth: int) -> Parsing:
        line = yield from self._line()
        kind, text = line[:1], line[1:]
        if kind in SCALARS:
            return SCALARS[kind](text)
        if kind in BULKS:
            return (yield from self._bulk(_integer(text)))
        if kind in COLLECTIONS:
            return (yield from self._array(COLLECTIONS[kind] * _integer(text), depth))
        raise ProtocolError(f"no reply begins with {kind!r}")

    def _line(self) -> Generator[None, None, bytes]:
        start = self._position
        while (end := self._data.find(b"\r\n", start)) < 0:
            if len(self._data) - self._position > LINE_BYTES_MAX:
                raise ProtocolError("a line is too long")
            start = max(self._position, len(self._data) - 1)
            yield
        line = bytes(self._data[self._position : end])
        self._consume(end + 2 - self._position)
        return line

    def _bulk(self, size: int) -> Parsing:
        if size < 0:
            return None
        self._reserve(size)
        while len(self._data) < self._position + size + 2:
            yield
        data = bytes(self._data[self._position : self._position + size])
        self._consume(size + 2)
        return data

    def _array(self, count: int, depth: int) -> Parsing:
        if count < 0:
            return None
        if depth == NESTING_MAX:
            raise ProtocolError("a reply is nested too deeply")
        values: list[ReplyValue] = []
        for _ in range(count):
            value = yield from self._value(depth + 1)
            values.append(value)
        return values

    def _reserve(self, size: int) -> None:
        if self._read_bytes + size > self._reply_bytes_max:
            raise ProtocolError("a reply is too large")

    def _consume(self, size: int) -> None:
        self._reserve(size)
        self._read_bytes += size
        self._position += size
        if self._position >= COMPACT_BYTES or self._position == len(self._data):
            del self._data[: self._position]
            self._position = 0


def _integer(text: bytes) -> int:
    digits = text[1:] if text[:1] in {b"-", b"+"} else text
    if not digits.isdigit() or len(digits) > DIGITS_MAX:
        raise ProtocolError(f"{text!r} isn't a number")
    return int(text)


def _double(text: bytes) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ProtocolError(f"{text!r} isn't a number") from error


def _text(text: bytes) -> str:
    return text.decode("utf-8", "replace")


SCALARS: Final[Mapping[bytes, Callable[[bytes], ReplyValue]]] = {
    b"+": _text,
    b"-": lambda text: ErrorReply(_text(text)),
    b":": _integer,
    b"(": _integer,
    b",": _double,
    b"#": lambda text: text == b"t",
    b"_": lambda _: None,
}
BULKS: Final = frozenset({b"$", b"="})
# The values that each item of the count stands for: two in a map.
COLLECTIONS: Final[Mapping[bytes, int]] = {b"*": 1, b"~": 1, b">": 1, b"%": 2}
