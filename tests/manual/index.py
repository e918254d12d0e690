"""The lists of all commands: the tables of docs/commands/README.md, and the README's."""

from collections.abc import Sequence
from typing import Final

from tests.manual.grammar import usage_start
from tile38py._engine import CommandRecord

USAGE_COLUMNS_MAX = 60
# The groups of commands, in the order of the manual, and their titles.
TITLES: Final = {
    "keyspace": "Keys and objects",
    "search": "Searches",
    "fences": "Fences: hooks and channels",
    "pubsub": "Publish and subscribe",
    "scripting": "Scripts",
    "connection": "Connection",
    "server": "Server",
    "persistence": "Persistence",
    "replication": "Replication",
    "developer": "For developers, with `--dev`",
}


def file_name(record: CommandRecord) -> str:
    """Return the name of a command's page."""
    return record.name.lower().replace(" ", "-") + ".md"


def full_index(records: Sequence[CommandRecord]) -> str:
    """Return a table for each group: usage and summary."""
    lines: list[str] = []
    for group, members in _by_group(records):
        lines += [f'<a id="{group}"></a>', "", f"### {TITLES[group]}", ""]
        lines += ["| Command | Purpose |", "| --- | --- |"]
        lines += [f"| {_usage_link(record)} | {record.summary} |" for record in members]
        lines.append("")
    return "\n".join(lines).rstrip("\n")


def short_index(records: Sequence[CommandRecord], folder: str) -> str:
    """Return a table with a row for each group: links to its commands."""
    lines = ["| | |", "| --- | --- |"]
    for group, members in _by_group(records):
        links = (f"[{record.name}]({folder}/{file_name(record)})" for record in members)
        lines.append(f"| {TITLES[group]} | {' · '.join(links)} |")
    return "\n".join(lines)


def _by_group(records: Sequence[CommandRecord]) -> list[tuple[str, list[CommandRecord]]]:
    groups = [(group, [one for one in records if one.group == group]) for group in TITLES]
    return [(group, members) for group, members in groups if members]


def _usage_link(record: CommandRecord) -> str:
    arguments = usage_start(record, USAGE_COLUMNS_MAX)[len(record.name) :].replace("|", r"\|")
    link = f"[{record.name}]({file_name(record)})"
    return f"{link} `{arguments.strip()}`" if arguments else link
