"""Glob patterns with `*`, `?`, `[a-z]` and backslash. Those of channels have no `[a-z]`."""

import re
from typing import Final

STAR: Final = None  # matches any run of characters; every other token matches one character
ANY: Final = re.compile(".", re.DOTALL)


Tokens = list[re.Pattern[str] | None]


def matches(pattern: str, name: str) -> bool:
    """Whether the whole name matches. A malformed pattern matches nothing."""
    return fits(parse(pattern), name)


def fits(tokens: Tokens | None, name: str) -> bool:
    """Whether the whole name matches a pattern that was parsed."""
    if tokens is None:
        return False
    # On a mismatch only the last star is retried with one more character: the time is at most the
    # product of both lengths, whatever the pattern.
    token = start = 0
    star, retry = -1, 0
    while start < len(name):
        one = tokens[token] if token < len(tokens) else ""
        if one is STAR:
            star, retry = token, start
            token += 1
        elif isinstance(one, re.Pattern) and one.match(name, start):
            token += 1
            start += 1
        elif star >= 0:
            retry += 1
            token, start = star + 1, retry
        else:
            return False
    return all(one is STAR for one in tokens[token:])


def parse(pattern: str, *, has_classes: bool = True) -> Tokens | None:
    """Return the tokens of a pattern, None if it is malformed."""
    tokens: Tokens = []
    index = 0
    while index < len(pattern):
        character = pattern[index]
        index += 1
        if character == "*":
            tokens.append(STAR)
        elif character == "?":
            tokens.append(ANY)
        elif character == "[" and has_classes:
            end = pattern.find("]", index + 1)
            if end < 0:
                return None
            tokens.append(_class(pattern[index:end]))
            index = end + 1
        else:
            if character == "\\":
                if index == len(pattern):
                    return None
                character = pattern[index]
                index += 1
            tokens.append(re.compile(re.escape(character)))
    return tokens


def _class(content: str) -> re.Pattern[str]:
    rest = content.removeprefix("^")
    ranges: list[str] = []
    while rest:
        bounds = re.match("(.)-(.)", rest, re.DOTALL)
        if bounds and bounds[1] <= bounds[2]:
            ranges.append(f"{re.escape(bounds[1])}-{re.escape(bounds[2])}")
            rest = rest[bounds.end() :]
        else:
            ranges.append(re.escape(rest[0]))
            rest = rest[1:]
    negation = "^" if content.startswith("^") else ""
    return re.compile(f"[{negation}{''.join(ranges)}]" if ranges else "(?!)")
