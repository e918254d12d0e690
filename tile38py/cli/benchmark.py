"""The command tile38py-benchmark: becomes the load generator, a native program in the package."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final, NoReturn

from tile38py.cli.completion import COMPLETION_OPTION, end_with_completion, parser_of_help

# crates/python/build.rs builds it, and every wheel holds it.
PROGRAM: Final = Path(__file__).parents[1] / "bin" / "tile38py-benchmark"
HELP_SECONDS_MAX: Final = 10.0


def main(words: list[str] | None = None) -> NoReturn:
    """Replace this process, so that nothing of Python is left while load is generated."""
    words = sys.argv[1:] if words is None else words
    try:
        if words[:1] == [COMPLETION_OPTION]:
            end_with_completion(parser_of_help(PROGRAM.name, help_text()), words[1:])
        os.execv(PROGRAM, [PROGRAM.name, *words])
    except OSError as error:
        sys.exit(f"can't start {PROGRAM}: {error.strerror}")


def help_text() -> str:
    """Return the help text of the program."""
    command = [str(PROGRAM), "--help"]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=HELP_SECONDS_MAX
    ).stdout
