"""Command line: `python -m tests.manual` writes the generated parts of the manual anew.

These are the head of each command's page, the replies and errors in all pages, the lists of
commands, and a page to be filled in for each new command. `make docs` calls it.
"""

import sys

from tests.manual.pages import Manual


def main() -> int:
    """Write, print the names of changed files, and fail if an example is wrong."""
    changed, faults = Manual().write()
    for name in changed:
        print(name)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
