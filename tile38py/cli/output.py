"""Replies as text: as received, as redis-cli shows RESP, as indented JSON or as a table."""

import json
import shutil
import sys
from dataclasses import dataclass
from typing import Final, TextIO

from tile38py.cli.client_options import Output
from tile38py.cli.json_text import JsonValue, indented
from tile38py.cli.tables import table
from tile38py.protocol.resp import ErrorReply, ReplyValue

RED: Final = "\x1b[31m"
PLAIN: Final = "\x1b[0m"
ESCAPES: Final = {
    0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x07: "\\a", 0x08: "\\b",
}  # fmt: skip
FIRST_PRINTABLE, LAST_PRINTABLE = 0x20, 0x7E  # of ASCII
LAST_CONTROL: Final = 0x9F


@dataclass(frozen=True, slots=True)
class Printer:
    """Writes replies to stdout, and errors and notices for people to stderr."""

    output: Output
    is_raw: bool
    has_colors: bool

    def show(self, value: ReplyValue) -> None:
        """Write a reply."""
        if self.is_raw:
            sys.stdout.buffer.write(raw(value) + b"\n")
            sys.stdout.flush()
            return
        if isinstance(value, ErrorReply):
            self.warn(f"(error) {value.text}")
        elif isinstance(value, bytes) and self.output is not Output.RESP:
            self._show_json(value)
        else:
            _write(sys.stdout, formatted(value) + "\n")

    def _show_json(self, text: bytes) -> None:
        reply = _json_object(text)
        if reply is None:
            # Messages of channels may be any JSON.
            _write(sys.stdout, text.decode("utf-8", "replace") + "\n")
        elif reply.get("ok") is False:
            self.warn(f"(error) {reply.get('err')}")
        else:
            width = shutil.get_terminal_size().columns
            lines = table(reply, width) if self.output is Output.AUTO and "ok" in reply else None
            _write(sys.stdout, lines or indented(reply, width) + "\n")

    def tell(self, text: str) -> None:
        """Write lines that the user asked for."""
        _write(sys.stdout, text)

    def warn(self, text: str) -> None:
        """Write an error or a notice for people."""
        _write(sys.stderr, f"{RED}{text}{PLAIN}\n" if self.has_colors else f"{text}\n")


def raw(value: ReplyValue) -> bytes:
    """Return a reply as redis-cli --raw writes it: texts as received, a line for each value."""
    match value:
        case bytes():
            return value
        case ErrorReply(text):
            return text.encode()
        case list():
            return b"\n".join(map(raw, value))
        case None:
            return b""
    return str(value).encode()


def formatted(value: ReplyValue, indent: str = "") -> str:
    """Return a reply as redis-cli shows it on a terminal."""
    if not isinstance(value, list) or not value:
        return _formatted_scalar(value)
    digits = len(str(len(value)))
    deeper = indent + " " * (digits + 2)
    items = [
        f"{number:>{digits}}) {formatted(item, deeper)}" for number, item in enumerate(value, 1)
    ]
    return f"\n{indent}".join(items)


def _formatted_scalar(value: ReplyValue) -> str:
    text = str(value)  # of simple strings
    match value:
        case bytes():
            text = quoted(value)
        case ErrorReply():
            text = f"(error) {value.text}"
        case None:
            text = "(nil)"
        case bool():
            text = f"({text.lower()})"
        case int():
            text = f"(integer) {value}"
        case float():
            text = f"(double) {value}"
        case list():
            text = "(empty array)"
    return text


def quoted(data: bytes) -> str:
    """Return a text in double quotes; UTF-8 stays readable, other bytes become \\xHH."""
    parts = ['"']
    for character in data.decode("utf-8", "surrogateescape"):
        code = ord(character)
        if code in ESCAPES:
            parts.append(ESCAPES[code])
        elif FIRST_PRINTABLE <= code <= LAST_PRINTABLE or (
            code > LAST_CONTROL and character.isprintable()
        ):
            parts.append(character)
        else:
            parts += [f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape")]
    return "".join((*parts, '"'))


def _json_object(text: bytes) -> dict[str, JsonValue] | None:
    if not text.startswith(b"{"):
        return None
    try:
        found: dict[str, JsonValue] = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()
