"""The prompt of tile38py-cli: line editing, history, completion and hints, by prompt_toolkit."""

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.layout.processors import AfterInput
from prompt_toolkit.shortcuts import clear

from tile38py.cli import command_table
from tile38py.cli.client_options import ClientOptions
from tile38py.cli.output import Printer
from tile38py.cli.runner import CommandRunner
from tile38py.cli.server_connection import ServerConnection
from tile38py.cli.suggestions import Suggestions
from tile38py.cli.words import QuoteError, split_words

HISTORY_FILE: Final = ".tile38py_cli_history"
NOT_CONNECTED: Final = "not connected> "
END_WORDS: Final = frozenset({"exit", "quit"})


def run_prompt(
    options: ClientOptions, connection: ServerConnection, runner: CommandRunner, printer: Printer
) -> bool:
    """Run commands that are typed until the user ends. Return True: errors were seen."""
    runner.connect()
    session = make_session(options)
    while True:
        prompt = f"{options.address}> " if connection.is_open else NOT_CONNECTED
        try:
            line = session.prompt(prompt)
        except KeyboardInterrupt:
            continue  # it drops the line, as in shells
        except EOFError:
            return True
        try:
            words = split_words(line)
            if not run_words(words, runner, printer):
                return True
        except QuoteError as error:
            printer.warn(f"Invalid line: {error}")
        except KeyboardInterrupt:
            # The reply that is still to come belongs to no later command.
            connection.close()
            printer.warn("Interrupted: the connection is opened anew for the next command")


def run_words(words: list[bytes], runner: CommandRunner, printer: Printer) -> bool:
    """Run a typed command. Return whether the prompt goes on."""
    texts = [word.decode("utf-8", "replace") for word in words]
    first = texts[0].lower() if texts else ""
    if first in END_WORDS:
        return False
    if first == "help":
        printer.tell(command_table.help_text(texts[1:]))
    elif first == "clear":
        clear()
    else:
        # An empty line asks whether the server is there, as in tile38-cli.
        runner.run(words or [b"PING"])
    return True


def make_session(options: ClientOptions) -> PromptSession[str]:
    """Create the session, which holds the history and the completion."""
    return PromptSession(
        history=open_history(os.environ),
        completer=_CommandCompleter(Suggestions(options)),
        complete_while_typing=False,
        complete_in_thread=True,
        enable_history_search=True,
        input_processors=[AfterInput(_hint, style="class:hint ansibrightblack")],
    )


def open_history(environment: Mapping[str, str]) -> History:
    """Return the history's file, which only its owner reads; in memory if it can't be written."""
    name = environment.get("TILE38_HISTFILE")
    path = Path(name) if name else Path.home() / HISTORY_FILE
    try:
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return _PrivateFileHistory(str(path))


class _PrivateFileHistory(FileHistory):
    """A file of typed lines, without passwords and lines that begin with a space."""

    def store_string(self, string: str) -> None:
        """Store a line."""
        is_hidden = string.startswith(" ") or command_table.holds_secret(string.split())
        if not is_hidden:
            # A full disk ends no prompt.
            with contextlib.suppress(OSError):
                super().store_string(string)


class _CommandCompleter(Completer):
    """Completes the word at the cursor."""

    def __init__(self, suggestions: Suggestions) -> None:
        self._suggestions = suggestions

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Yield completions of the word before the cursor."""
        del complete_event
        words, start = _typed(document.text_before_cursor)
        for text, purpose in self._suggestions.of(words, start):
            yield Completion(text, start_position=-len(start), display_meta=purpose)


def _typed(text: str) -> tuple[list[str], str]:
    """Return the complete words of a line, and the beginning of the last one."""
    words = text.split()
    return (words, "") if not text or text[-1].isspace() else (words[:-1], words[-1])


def _hint() -> StyleAndTextTuples:
    from prompt_toolkit.application import get_app

    text = get_app().current_buffer.text
    words = text.split()
    if not words or not (text[-1].isspace() or command_table.hint(words)):
        return []
    gap = "" if text[-1].isspace() else " "
    return [("class:hint", gap + command_table.hint(words))]
