"""The command tile38py-cli: runs a command, the lines of stdin, or a prompt."""

import os
import signal
import sys
from pathlib import Path
from typing import Final, NoReturn

from tile38py.cli.batch_mode import run_lines
from tile38py.cli.client_options import ClientOptions, parse
from tile38py.cli.output import Printer
from tile38py.cli.runner import CommandRunner
from tile38py.cli.server_connection import ServerConnection

INTERRUPTED: Final = 128 + signal.SIGINT
SCRIPT_COMMAND: Final = b"EVAL"


def main(words: list[str] | None = None) -> NoReturn:
    """Run the client with the words of the command line."""
    # A pager or `head` that ends early ends this program, too.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    options = parse(sys.argv[1:] if words is None else words, os.environ)
    try:
        sys.exit(0 if run(options) else 1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def run(options: ClientOptions) -> bool:
    """Run what the options ask for. Return whether there was no error."""
    connection = ServerConnection(options)
    printer = make_printer(options)
    runner = CommandRunner(connection, printer)
    request = one_request(options)
    if request:
        return runner.run(request, options.repeat_count, options.interval_seconds)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return run_lines(options, runner, printer)
    # Nobody but the prompt needs prompt_toolkit, whose import takes a while.
    from tile38py.cli.prompt import run_prompt

    return run_prompt(options, connection, runner, printer)


def make_printer(options: ClientOptions) -> Printer:
    """Create the printer that fits the options and where stdout and stderr go."""
    is_raw = options.is_raw
    return Printer(
        options.output,
        is_raw=not sys.stdout.isatty() if is_raw is None else is_raw,
        has_colors=sys.stderr.isatty() and not os.environ.get("NO_COLOR"),
    )


def one_request(options: ClientOptions) -> list[bytes]:
    """Return the request that the command line holds, an empty list if it holds none."""
    words = [os.fsencode(word) for word in options.words]
    if options.script_file:
        words = script_request(Path(options.script_file).read_bytes(), words)
    if options.reads_last_word:
        words.append(sys.stdin.buffer.read())
    return words


def script_request(script: bytes, words: list[bytes]) -> list[bytes]:
    """Return the request that runs a script; the words are keys, a comma, and arguments."""
    keys = words[: words.index(b",")] if b"," in words else words
    arguments = words[len(keys) + 1 :]
    return [SCRIPT_COMMAND, script, b"%d" % len(keys), *keys, *arguments]


if __name__ == "__main__":
    main()
