"""A command's syntax in lines that fit a page. Knows brackets, not their meaning."""

from collections.abc import Iterator

from tile38py._engine import CommandRecord

COLUMNS_MAX = 76
INDENT = "    "
OPENING, CLOSING = "[(", "])"


def usage(record: CommandRecord) -> str:
    """Return the name and the arguments in one line."""
    return f"{record.name} {record.syntax}".rstrip()


def usage_lines(record: CommandRecord) -> list[str]:
    """Return the usage, broken if it is long: a line for each argument in brackets."""
    if len(usage(record)) <= COLUMNS_MAX:
        return [usage(record)]
    first, *rest = [record.name, *_split(record.syntax, " ")]
    plain = _leading_words(rest)
    lines = [" ".join([first, *plain])]
    for argument in rest[len(plain) :]:
        lines += _argument_lines(argument)
    return lines


def usage_start(record: CommandRecord, columns_max: int) -> str:
    """Return the usage, with … in place of the arguments that don't fit."""
    text = record.name
    for argument in _split(record.syntax, " "):
        if len(text) + len(argument) >= columns_max:
            return f"{text} …"
        text += f" {argument}"
    return text


def _leading_words(arguments: list[str]) -> list[str]:
    """Return the arguments before the first one in brackets."""
    for index, argument in enumerate(arguments):
        if argument[0] in OPENING:
            return arguments[:index]
    return arguments


def _argument_lines(argument: str) -> Iterator[str]:
    """Return the lines of an argument; a long choice is broken before its bars."""
    first, *choices = _split(argument, "|", depth=1)
    if not choices:
        first, *choices = _split(argument, "|", depth=2)
    line = INDENT + first.rstrip()
    for choice in choices:
        if len(line) + len(choice) + 2 > COLUMNS_MAX:
            yield line
            line = INDENT * 2 + f"|{choice.rstrip()}"
        else:
            line += f" |{choice.rstrip()}"
    yield line


def _split(text: str, separator: str, depth: int = 0) -> list[str]:
    """Return the parts between separators that stand within so many brackets."""
    parts, level = [""], 0
    for character in text:
        level += (character in OPENING) - (character in CLOSING)
        if character == separator and level == depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part]
