"""Replies as redis-cli shows them. Sends nothing."""

from tests.golden.compare import mask_members
from tests.support.resp import Reply

MASKED_MEMBERS = ("elapsed",)
MASK = "…"
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def shown(reply: Reply) -> list[str]:
    """Return the lines of a reply: arrays numbered, strings quoted, texts of several lines bare."""
    if isinstance(reply, list):
        return _numbered(reply)
    if reply.startswith("$ ") and "\n" in reply:
        return reply[2:].replace("\r\n", "\n").rstrip("\n").split("\n")
    return [_leaf(reply)]


def shown_json(reply: Reply) -> list[str]:
    """Return a reply in JSON, with a mask for members that differ from run to run."""
    text = str(reply).removeprefix("$ ")
    return [mask_members(text, MASKED_MEMBERS, lambda _name, _value: MASK)]


def _numbered(items: list[Reply]) -> list[str]:
    """Return the items of an array, the lines of each behind its number."""
    if not items:
        return ["(empty array)"]
    width = len(str(len(items)))
    lines: list[str] = []
    for number, item in enumerate(items, 1):
        first, *rest = _numbered(item) if isinstance(item, list) else [_leaf(item)]
        lines.append(f"{number:>{width}}) {first}")
        lines += [" " * (width + 2) + line for line in rest]
    return lines


def _leaf(reply: str) -> str:
    kind, text = reply[0], reply[1:]
    match kind:
        case "-":
            return f"(error) {text}"
        case ":":
            return f"(integer) {text}"
        case "$" if text == "-1":
            return "(nil)"
        case "$":
            return '"' + "".join(map(_escaped, text[1:])) + '"'
        case _:
            return text


def _escaped(character: str) -> str:
    # Characters beyond ASCII stay readable; redis-cli shows the bytes of each as \xHH.
    if character in ESCAPES:
        return ESCAPES[character]
    return character if character.isprintable() else f"\\x{ord(character):02x}"
