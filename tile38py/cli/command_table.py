"""The table of commands for hints, help and completion, made from the commands' records.

The records are those of this package, so a server that has no COMMAND, as Tile38, is served, too.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from tile38py._engine import CommandRecord, Engine
from tile38py.commands import FAMILIES
from tile38py.commands.registry import COMMANDS

PIECE: Final = re.compile(r"\S+")
TOKEN: Final = re.compile(r"[A-Z][A-Z0-9-]*")
assert FAMILIES  # importing them registers the server's commands


@cache
def records() -> dict[str, CommandRecord]:
    """Return the records of all commands by upper-case name."""
    engine = Engine()
    for command in COMMANDS.by_name.values():
        engine.register(command.record)
    return {record.name: record for record in engine.commands()}


def find(words: Sequence[str]) -> tuple[CommandRecord | None, list[str]]:
    """Return the record of the command that words begin with, and the other words."""
    for count in (2, 1):
        record = records().get(" ".join(words[:count]).upper())
        if record is not None and len(words) >= count:
            return record, list(words[count:])
    return None, list(words[1:])


def find_record(words: Sequence[bytes]) -> CommandRecord | None:
    """Return the record of a request; None for commands that aren't known here."""
    return find([word.decode("utf-8", "replace") for word in words[:2]])[0]


def is_read(words: Sequence[bytes]) -> bool:
    """Whether a request changes nothing, so that it may be sent twice."""
    record = find_record(words)
    return record is not None and "read" in record.flags and "scripting" not in record.flags


def streams(words: Sequence[bytes]) -> bool:
    """Whether a request, unless it is refused, makes the server send on and on."""
    record = find_record(words)
    if record is None:
        return False
    if searches(words):
        return b"FENCE" in (word.upper() for word in words[2:])
    return "blocking" in record.flags and "developer" not in record.flags


def reply_count(words: Sequence[bytes]) -> int:
    """Return the number of replies to a request: UNSUBSCRIBE has one for each of its names."""
    record = find_record(words)
    flags = frozenset(record.flags) if record is not None else frozenset()
    is_counted = "pubsub" in flags and not flags & {"blocking", "forwarded"}
    return max(1, len(words) - 1) if is_counted else 1


def searches(words: Sequence[bytes]) -> bool:
    """Whether a request is a search, which a FENCE makes a live fence."""
    record = find_record(words)
    return record is not None and record.keys == "search"


def holds_secret(words: Sequence[str]) -> bool:
    """Whether a line may hold a password, which no file should keep."""
    record, arguments = find(words)
    if record is not None and {"read", "write"} & set(record.flags):
        return False
    is_login = record is not None and "before_auth" in record.flags and bool(arguments)
    secrets = ("requirepass", "leaderauth", "masterauth", "auth")
    return is_login or any(
        argument.lower() in secrets or argument.startswith(">") for argument in arguments
    )


def hint(words: Sequence[str]) -> str:
    """Return the arguments that may follow the words of a line."""
    record, arguments = find(words)
    if record is None:
        return ""
    pieces = _top_pieces(record.syntax)
    while arguments and pieces and pieces[0][0] not in "[(":
        pieces.pop(0)
        arguments.pop(0)
    # Which options were typed can't be told by counting, so the hint keeps them all.
    return " ".join(pieces)


def tokens(record: CommandRecord) -> list[str]:
    """Return the keywords of a command's arguments, in order."""
    return list(dict.fromkeys(TOKEN.findall(record.syntax)))


def help_text(words: Sequence[str]) -> str:
    """Return the help about a command, a @group, or help itself."""
    wanted = " ".join(words).upper()
    if not wanted:
        groups = " ".join(sorted({f"@{record.group}" for record in records().values()}))
        return (
            "help <command>   the arguments and the purpose of a command\n"
            f"help @<group>    the commands of a group: {groups}\n"
            "Tab completes commands, keys, ids and options. clear empties the screen, exit ends.\n"
        )
    found = [record for record in records().values() if _is_named(record, wanted)]
    if not found:
        return f"there is no help about '{' '.join(words)}'\n"
    return "".join(
        f"  {record.name} {record.syntax}".rstrip()
        + f"\n  summary: {record.summary}\n  group: {record.group}\n\n"
        for record in found
    )


def _is_named(record: CommandRecord, wanted: str) -> bool:
    if wanted.startswith("@"):
        return record.group == wanted[1:].lower()
    return wanted in {record.name, record.name.partition(" ")[0]}


def _top_pieces(syntax: str) -> list[str]:
    """Split a syntax at the spaces outside of brackets."""
    pieces: list[str] = []
    depth = 0
    for piece in PIECE.findall(syntax):
        if depth and pieces:
            pieces[-1] += f" {piece}"
        else:
            pieces.append(piece)
        depth += sum(map(piece.count, "[(")) - sum(map(piece.count, "])"))
    return pieces
