"""Command line: `python -m tests.manual` writes what the code tells into the manual.

That is the head of each command's page and the replies to its examples, a page to be filled in for
each new command, and the lists of commands. `make docs` calls it.
"""

from tests.manual.pages import Manual

if __name__ == "__main__":
    print(*Manual().write(), sep="\n")
