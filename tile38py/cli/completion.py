"""Completion of the command lines for shells, from argparse's definitions and from help texts."""

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

COMPLETION_OPTION: Final = "--print-completion"
SHELLS: Final = ("bash", "zsh", "fish")
FILE_VALUES: Final = frozenset({"FILE", "SOCKET", "PATH"})
# An option in a help text: `  -h hostname     : listening host`; the colon may be on the next line.
OPTION: Final = re.compile(r"^  (--?[\w-]+)((?: [^\s:]\S*)*)\s+: (.*)$", re.MULTILINE)
USAGE_CODE: Final = 2


def end_with_completion(parser: argparse.ArgumentParser, shells: Sequence[str]) -> NoReturn:
    """Show the completion for the one shell that is named, and end the process."""
    if len(shells) != 1 or shells[0] not in SHELLS:
        sys.stderr.write(f"{COMPLETION_OPTION} needs one of {', '.join(SHELLS)}\n")
        sys.exit(USAGE_CODE)
    sys.stdout.write(completion_script(parser, shells[0]))
    sys.exit(0)


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script that makes a shell complete the parser's options and files."""
    # Its import takes longer than the rest of a start.
    import shtab

    for action in parser._actions:  # argparse has no other list of them
        if str(action.metavar).upper() in FILE_VALUES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    return shtab.complete(parser, shell) + "\n"


def parser_of_help(program: str, text: str) -> argparse.ArgumentParser:
    """Create a parser with the options that a program's help text lists."""
    parser = argparse.ArgumentParser(program, add_help=False)
    for name, value, purpose in OPTION.findall(text):
        value = value.strip()
        if not value:
            parser.add_argument(name, action="store_true", help=_escaped(purpose))
        elif "/" in value:
            parser.add_argument(name, choices=value.split("/"), help=_escaped(purpose))
        else:
            parser.add_argument(name, metavar=value, help=_escaped(purpose))
    return parser


def _escaped(purpose: str) -> str:
    return purpose.replace("%", "%%")
