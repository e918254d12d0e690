"""The metrics and labels that a PromQL expression names. Not a parser: promtool checks grammar."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:][\w:]*|[=!~<>]+|\d[\w.]*|\S')
NAME: Final = re.compile(r"[a-zA-Z_:][\w:]*")
OPERATORS: Final = frozenset({"and", "or", "unless", "bool", "offset"})
# Words before a list of labels in parentheses.
LABEL_LISTS: Final = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
# `sum(…)`, `sum by (…) (…)`
BEHIND_FUNCTIONS: Final = frozenset({"(", "by", "without"})


@dataclass
class Selector:
    """A metric with its matchers: values by label, an empty one for patterns and variables."""

    metric: str
    matchers: dict[str, str] = field(default_factory=dict)


@dataclass
class Expression:
    """The names in an expression."""

    selectors: list[Selector] = field(default_factory=list)
    grouping: set[str] = field(default_factory=set)  # labels of `by (…)` and the like


def names_in(text: str) -> Expression:
    """Return the metrics and labels that an expression names."""
    tokens = iter(TOKEN.findall(text))
    found = Expression()
    token = next(tokens, "")
    while token:
        following = next(tokens, "")
        if token in LABEL_LISTS and following == "(":
            found.grouping.update(_until(")", tokens))
            following = next(tokens, "")
        elif (
            NAME.fullmatch(token)
            and following not in BEHIND_FUNCTIONS
            and token not in OPERATORS | LABEL_LISTS
        ):
            selector = Selector(token)
            found.selectors.append(selector)
            if following == "{":
                selector.matchers = _matchers(tokens)
                following = next(tokens, "")
        token = following
    return found


def _until(end: str, tokens: Iterator[str]) -> list[str]:
    """Take the tokens before an end, without commas."""
    found = []
    for token in tokens:
        if token == end:
            break
        if token != ",":
            found.append(token)
    return found


def _matchers(tokens: Iterator[str]) -> dict[str, str]:
    words = _until("}", tokens)
    found = {}
    for label, operator, value in zip(words[::3], words[1::3], words[2::3], strict=True):
        is_fixed = operator == "=" and "$" not in value
        found[label] = value.strip('"') if is_fixed else ""
    return found
