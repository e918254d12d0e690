"""The recipes of the guide docs/fences.md: their commands, run as they stand there. No tests.

A recipe is a section of the guide with a block ```recipe, whose lines are commands. SUBSCRIBE and
searches with FENCE are sent by a client of their own, which receives the messages.
"""

import json
import re
from pathlib import Path

from tests.golden.language import split_words
from tests.manual.server import MAIN, ExampleServer
from tests.support.process import ROOT

GUIDE = ROOT / "docs" / "fences.md"
BLOCK = re.compile(r"^```recipe\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SUBSCRIBER = "subscriber-json"
SEARCHES = ("NEARBY", "WITHIN", "INTERSECTS")
Message = dict[str, object]


def recipe_commands(title: str, path: Path = GUIDE) -> list[list[bytes]]:
    """Return the commands of the recipe with this title, in their order."""
    _, found, rest = path.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    assert found, f"{path.name} has no recipe '{title}'"
    section = rest.partition("\n## ")[0]
    lines = [line for block in BLOCK.findall(section) for line in block.splitlines() if line]
    assert lines, f"the recipe '{title}' has no commands"
    return [split_words(line) for line in lines]


class Recipe:
    """A server in this process on which the commands of a recipe have run, and their receiver."""

    def __init__(self, title: str) -> None:
        """Run the recipe. Raises AssertionError where a command fails."""
        self.server = ExampleServer()
        for words in recipe_commands(title):
            self._send(SUBSCRIBER if _is_live(words) else MAIN, words)
        self._first = self._messages()

    def run(self, line: str) -> list[Message]:
        """Run one more command; return the messages that the receiver gets, with earlier ones."""
        self._send(MAIN, split_words(line))
        first, self._first = self._first, []
        return first + self._messages()

    def wait(self, seconds: float) -> list[Message]:
        """Let time pass; return the messages that the receiver gets."""
        self.server.wait(seconds)
        return self._messages()

    def _send(self, client: str, words: list[bytes]) -> None:
        for reply in self.server.request(client, words):
            assert not str(reply).startswith("-"), (words, reply)

    def _messages(self) -> list[Message]:
        return [
            json.loads(line)
            for name, lines in self.server.received()
            for line in lines
            if name == SUBSCRIBER and line.startswith('{"command":"')
        ]


def _is_live(words: list[bytes]) -> bool:
    name = words[0].decode().upper()
    return name in ("SUBSCRIBE", "PSUBSCRIBE") or (name in SEARCHES and b"FENCE" in words)
