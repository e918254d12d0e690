"""The parser of golden cases: words, modifiers, steps."""

import dataclasses
import re
from collections.abc import Iterator

from tests.support.resp import decode

WORD_PIECE = re.compile(r"""'((?:\\'|[^'])*)'|"((?:\\.|[^"\\])*)"|([^\s'"]+)|(\s+)|(.)""")
ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
ESCAPED_BYTES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}


class CaseError(Exception):
    """A case is malformed, or the server can't be prepared for it."""


@dataclasses.dataclass(frozen=True, slots=True)
class ReplyRules:
    """Rules for the comparison of replies: masks, order, tolerance."""

    is_set: bool = False
    tolerance: float = 0.0
    is_error_prefix_enough: bool = False
    ignored: tuple[str, ...] = ("elapsed",)
    aliased: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class CaseStep:
    """A line of a case: a command for the server, or a directive for the runner."""

    line: int
    text: str
    words: list[bytes]
    rules: ReplyRules


def split_words(line: str) -> list[bytes]:
    r"""Split a line as redis-cli does: 'literal', "with \n and \xHH escapes", or bare."""
    words: list[bytes] = []
    is_in_word = False
    for literal, escaped, bare, blank, stray in WORD_PIECE.findall(line):
        if stray:
            raise CaseError("unbalanced quotes")
        piece = (bare or literal.replace("\\'", "'")).encode()
        if escaped:
            piece = ESCAPE.sub(unescape, escaped.encode())
        if is_in_word and not blank:
            words[-1] += piece
        elif not blank:
            words.append(piece)
        is_in_word = not blank
    return words


def unescape(match: re.Match[bytes]) -> bytes:
    """Return the byte of an escape inside double quotes."""
    return bytes.fromhex(match[1].decode()) if match[1] else ESCAPED_BYTES.get(match[2], match[2])


def take_modifiers(rules: ReplyRules, words: list[bytes]) -> tuple[ReplyRules, list[bytes]]:
    """Apply the modifiers at the head of a line; return the rules and the other words."""
    while words:
        name, *rest = map(decode, words)
        used = 1
        match name:
            case "@exact":
                exact = dataclasses.replace(rules, is_set=False, tolerance=0.0)
                rules = dataclasses.replace(exact, is_error_prefix_enough=False)
            case "@sort":
                rules = dataclasses.replace(rules, is_set=True)
            case "@error-prefix":
                rules = dataclasses.replace(rules, is_error_prefix_enough=True)
            case "@approx":
                rules, used = dataclasses.replace(rules, tolerance=float(rest[0])), 2
            case "@mask":
                rules, used = dataclasses.replace(rules, masks=(*rules.masks, rest[0])), 2
            case "@ignore":
                rules = dataclasses.replace(rules, ignored=(*rules.ignored, *rest))
                used = len(words)
            case "@alias":
                rules = dataclasses.replace(rules, aliased=(*rules.aliased, *rest))
                used = len(words)
            case _:
                break
        words = words[used:]
    return rules, words


def parse_case(text: str) -> Iterator[CaseStep]:
    """Yield the steps of a case. Modifiers on a line of their own apply to all later steps."""
    standing = ReplyRules()
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("#"):
            continue
        try:
            rules, words = take_modifiers(standing, split_words(line))
        except (IndexError, ValueError, CaseError) as error:
            raise CaseError(f"line {number}: {error}") from error
        if words:
            yield CaseStep(number, line.strip(), words, rules)
        else:
            standing = rules
