"""Completion of the command lines for shells, from argparse's definitions and from help texts."""

import argparse
import re
from typing import Final

SHELLS: Final = ("bash", "zsh", "fish")
FILE_VALUES: Final = frozenset({"FILE", "SOCKET", "PATH"})
# A line of a help text: `  -h hostname     : listening host`.
OPTION_LINE: Final = re.compile(r"^  (--?[\w-]+)((?: \S+)*?) +: (.*)$", re.MULTILINE)


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script that makes a shell complete the parser's options and files."""
    import shtab  # it takes longer than the rest of a start

    for action in parser._actions:  # argparse has no other list of them
        if str(action.metavar).upper() in FILE_VALUES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    return shtab.complete(parser, shell)


def parser_of_help(program: str, text: str) -> argparse.ArgumentParser:
    """Create a parser with the options that a program's help text lists."""
    parser = argparse.ArgumentParser(program, add_help=False)
    for name, value, purpose in OPTION_LINE.findall(text):
        value = value.strip()
        if not value:
            parser.add_argument(name, action="store_true", help=purpose)
        elif "/" in value:
            parser.add_argument(name, choices=value.split("/"), help=purpose)
        else:
            parser.add_argument(name, metavar=value, help=purpose)
    return parser
