"""Replies as comparable text: masking, sorting, rendering, tolerance, differences. No sockets."""

import difflib
import json
import re
from collections.abc import Callable
from typing import TypeAlias

from tests.golden.language import ReplyRules
from tests.support.resp import Reply, encode

Aliases: TypeAlias = dict[tuple[str, str], str]

MASK = "*"
DIFF_LINES_MAX = 12
DIFF_COLUMNS_MAX = 160
JSON_DECODER = json.JSONDecoder()
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
UNPRINTABLE = re.compile("[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\udc80-\udcff]| $")
VISIBLE = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def normalise(reply: Reply, rules: ReplyRules, aliases: Aliases) -> Reply:
    """Mask the parts of a reply that vary from run to run."""
    if isinstance(reply, list):
        items = [normalise(item, rules, aliases) for item in reply]
        for index, item in enumerate(items[:-1]):
            if isinstance(item, str) and item[:2] == "$ " and item[2:] in rules.ignored:
                items[index + 1] = MASK
        return items

    def alias(name: str, value: str) -> str:
        return aliases.setdefault((name, value), f"{name}#{len(aliases) + 1}")

    text = mask_members(reply, rules.ignored, lambda _name, _value: MASK)
    text = mask_members(text, rules.aliased, alias)
    for mask in rules.masks:
        text = re.sub(mask, lambda match: (match[1] if match.re.groups else "") + MASK, text)
    if rules.is_error_prefix_enough and text.startswith("-"):
        text = text.split(" ")[0]
    if rules.is_error_prefix_enough and text.startswith('$ {"ok":false'):
        text = '$ {"ok":false'
    return text


def mask_members(text: str, names: tuple[str, ...], mask: Callable[[str, str], str]) -> str:
    """Replace the values of JSON members. The text may be invalid JSON, as "elapsed":1.2ms is."""
    if not names or '":' not in text:
        return text
    member = rf'"({"|".join(map(re.escape, names))})":("(?:[^"\\]|\\.)*"|[^\[{{",}}\]]+)'
    return re.sub(member, lambda match: f'"{match[1]}":"{mask(match[1], match[2])}"', text)


def sort_items(reply: Reply) -> Reply:
    """Sort an array, the array behind a cursor, or the array members of a JSON object."""
    if isinstance(reply, str):
        try:
            return "$ " + sort_json(reply[2:]) if reply.startswith("$ {") else reply
        except ValueError:
            return reply
    match reply:
        case [str() as cursor, list() as items] if cursor.startswith(":"):
            return [cursor, sorted(items, key=str)]
    return sorted(reply, key=str)


def sort_json(text: str) -> str:
    """Sort the array members of a compact JSON object; the other members stay as they are."""
    members = []
    for member in split_json(text):
        name, _, value = member.partition(":")
        if value.startswith("["):
            value = f"[{','.join(sorted(split_json(value)))}]"
        members.append(f"{name}:{value}")
    return "{" + ",".join(members) + "}"


def split_json(text: str) -> list[str]:
    """Return the texts of the elements of a compact JSON array or object."""
    items = []
    start = 1
    while start < len(text) - 1:
        _, end = JSON_DECODER.raw_decode(text, start)
        if text[end] == ":":
            _, end = JSON_DECODER.raw_decode(text, end + 1)
        items.append(text[start:end])
        start = end + 1
    return items


def render(reply: Reply, indent: str = "") -> list[str]:
    """Return a reply as lines of text."""
    if isinstance(reply, list):
        inner = [line for item in reply for line in render(item, indent + "  ")]
        return [f"{indent}*{len(reply)}", *inner]
    return [indent + UNPRINTABLE.sub(make_visible, reply)]


def make_visible(match: re.Match[str]) -> str:
    """Return the visible form of a character."""
    return VISIBLE.get(match[0]) or "".join(f"\\x{byte:02x}" for byte in encode(match[0]))


def is_close(expected: str, got: str, tolerance: float) -> bool:
    """Whether two lines are equal except for numbers within the tolerance."""
    if NUMBER.split(expected) != NUMBER.split(got):
        return False
    pairs = zip(map(float, NUMBER.findall(expected)), map(float, NUMBER.findall(got)), strict=True)
    return all(abs(a - b) <= tolerance * max(1.0, abs(a), abs(b)) for a, b in pairs)


def settle(expected: list[str], got: list[str], tolerance: float) -> list[str]:
    """Return the received lines; those within the tolerance are replaced by the expected ones."""
    if not tolerance or len(expected) != len(got):
        return got
    pairs = zip(expected, got, strict=True)
    return [want if is_close(want, have, tolerance) else have for want, have in pairs]


def short_difference(expected: list[str], got: list[str]) -> list[str]:
    """Return the lines that differ; of long ones only the part around the first difference."""
    lines = []
    matcher = difflib.SequenceMatcher(None, expected, got, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            continue
        start = 0
        if kind == "replace":
            pairs = zip(expected[a] + "\n", got[c] + "\n", strict=False)
            same = [x == y for x, y in pairs]
            start = max(0, same.index(False) - DIFF_COLUMNS_MAX // 3)
        for sign, side in (("-", expected[a:b]), ("+", got[c:d])):
            cuts = (line[start : start + DIFF_COLUMNS_MAX] for line in side)
            lines += [f"{sign} {'…' if start else ''}{cut}" for cut in cuts]
    hidden = len(lines) - DIFF_LINES_MAX
    return lines if hidden <= 0 else [*lines[:DIFF_LINES_MAX], f"… {hidden} more lines"]
