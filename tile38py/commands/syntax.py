"""The syntax notation of commands' arguments, parsed for COMMAND DOCS and completion.

Upper-case words are typed as they are, lower-case ones stand for values, `[x]` is optional,
`(x | y)` is a choice, and `x...` may be repeated.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

PIECE: Final = re.compile(r"\.\.\.|[\[\]()|]|[^\s\[\]()|.]+")
CLOSING: Final = {"[": "]", "(": ")"}
KIND_WORDS: Final = {
    "double": "lat lon z meters min max minlat minlon maxlat maxlon bearing1 bearing2 seconds",
    "integer": "count limit start spread precision x y position size port collections objects",
    "key": "key newkey",
    "pattern": "pattern",
}
KINDS: Final = {word: kind for kind, words in KIND_WORDS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument, as Redis's COMMAND DOCS describes it."""

    name: str
    kind: str  # string, integer, double, key, pattern, pure-token, block or oneof
    token: str = ""  # the keyword before the value
    is_optional: bool = False
    is_multiple: bool = False
    children: tuple["Argument", ...] = ()

    @property
    def flags(self) -> list[str]:
        """The flags of the argument, by Redis's names."""
        names = {"optional": self.is_optional, "multiple": self.is_multiple}
        return [name for name, is_set in names.items() if is_set]


def parse(syntax: str) -> tuple[Argument, ...]:
    """Return the arguments that a syntax with balanced brackets describes."""
    pieces = iter(PIECE.findall(syntax))
    choices = list(_choices(pieces, ""))
    return choices[0] if len(choices) == 1 else (_one_of(choices),)


def _choices(pieces: Iterator[str], closing: str) -> Iterator[tuple[Argument, ...]]:
    """Yield the sequences between bars, up to the closing bracket."""
    arguments: list[Argument] = []
    for piece in pieces:
        if piece == closing:
            break
        if piece == "|":
            yield _with_tokens(arguments)
            arguments = []
        elif piece == "...":
            arguments[-1] = replace(arguments[-1], is_multiple=True)
        elif piece in CLOSING:
            inner = _group(list(_choices(pieces, CLOSING[piece])))
            arguments.append(replace(inner, is_optional=piece == "["))
        else:
            arguments.append(_word(piece))
    yield _with_tokens(arguments)


def _word(word: str) -> Argument:
    if word.isupper():
        return Argument(word.lower(), "pure-token", word)
    return Argument(word, KINDS.get(word, "string"))


def _with_tokens(arguments: list[Argument]) -> tuple[Argument, ...]:
    """Merge each token with the one value behind it."""
    merged: list[Argument] = []
    for argument in arguments:
        last = merged[-1] if merged else None
        is_value = not (argument.token or argument.children or argument.is_optional)
        if last and last.kind == "pure-token" and is_value and not last.is_multiple:
            merged[-1] = replace(argument, token=last.token)
        else:
            merged.append(argument)
    return tuple(merged)


def _group(choices: list[tuple[Argument, ...]]) -> Argument:
    if len(choices) > 1:
        return _one_of(choices)
    arguments = choices[0]
    return arguments[0] if len(arguments) == 1 else _block(arguments)


def _one_of(choices: list[tuple[Argument, ...]]) -> Argument:
    children = tuple(choice[0] if len(choice) == 1 else _block(choice) for choice in choices)
    return Argument(children[0].name, "oneof", children=children)


def _block(arguments: tuple[Argument, ...]) -> Argument:
    return Argument(arguments[0].name if arguments else "", "block", children=arguments)
