"""Suggestions for the word that is typed: commands, options, keys and ids.

Keys and ids come from the server on a connection of their own, since the prompt's may be within a
transaction. A server that is slow or refuses them costs a short wait and nothing else.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from tile38py._engine import CommandRecord
from tile38py.cli import command_table
from tile38py.cli.client_options import ClientOptions, Output
from tile38py.cli.server_connection import ConnectionLostError, ServerConnection

SUGGESTIONS_MAX: Final = 200
SECONDS_MAX: Final = 0.5
GLOB_CHARACTERS: Final = frozenset("*?[]\\")
HELP: Final = "help"
KEYED: Final = frozenset({"key", "object", "search", "pair", "all"})

Suggestion = tuple[str, str]  # a text and its purpose


class Suggestions:
    """Finds suggestions, with a connection to the server for keys and ids."""

    def __init__(self, options: ClientOptions) -> None:
        self._connection = ServerConnection(
            replace(options, output=Output.JSON), reply_seconds_max=SECONDS_MAX
        )

    def of(self, words: list[str], start: str) -> Iterator[Suggestion]:
        """Yield suggestions for the word that begins so, behind other words."""
        if not words:
            yield from _commands(start)
            yield from _matching([(HELP, "about commands")], start)
            return
        if words[0].lower() == HELP:
            yield from _commands(" ".join([*words[1:], start]))
            return
        record, arguments = command_table.find(words)
        if record is None:
            return
        if record.keys in KEYED and not arguments:
            yield from self._keys(start)
        elif record.keys == "object" and len(arguments) == 1:
            yield from self._ids(arguments[0], start)
        elif start or not _expects_value(record, words[-1]):
            yield from _matching(((token, "") for token in command_table.tokens(record)), start)

    def _keys(self, start: str) -> Iterator[Suggestion]:
        reply = self._ask("KEYS", _escape(start) + "*")
        for key in reply.get("keys", [])[:SUGGESTIONS_MAX]:
            yield _quote(str(key)), "key"

    def _ids(self, key: str, start: str) -> Iterator[Suggestion]:
        limit = str(SUGGESTIONS_MAX)
        reply = self._ask("SCAN", key, "MATCH", _escape(start) + "*", "LIMIT", limit, "IDS")
        for object_id in reply.get("ids", []):
            yield _quote(str(object_id)), "id"

    def _ask(self, *words: str) -> dict[str, list[object]]:
        try:
            if self._connection.is_gone():
                self._connection.open()
            reply = self._connection.call([word.encode() for word in words])
            found = json.loads(reply) if isinstance(reply, bytes) else {}
        except (ConnectionLostError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _commands(start: str) -> Iterator[Suggestion]:
    names = ((record.name, record.summary) for record in command_table.records().values())
    return _matching(names, start)


def _matching(suggestions: Iterable[Suggestion], start: str) -> Iterator[Suggestion]:
    for text, purpose in suggestions:
        if text.lower().startswith(start.lower()):
            yield text.lower() if start.islower() else text, purpose


def _expects_value(record: CommandRecord, word: str) -> bool:
    """Whether a value has to follow the word, so that no keyword can."""
    return f"{word.upper()} " in record.syntax and not record.syntax.count(f"{word.upper()} |")


def _escape(text: str) -> str:
    return "".join(f"\\{each}" if each in GLOB_CHARACTERS else each for each in text)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if any(map(str.isspace, text)) else text
