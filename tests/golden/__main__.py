"""Command line: check golden cases against any server, or record what a server replies.

    python -m tests.golden check 'search/*'                              # against our own server
    python -m tests.golden check --server 127.0.0.1:9851 'search/*'
    python -m tests.golden record --server 127.0.0.1:9851 search/limit   # only from a real Tile38
    python -m tests.golden record-ours                                   # deliberate differences

The server loses all its data. Without --server a new one is started.
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.golden.cases import GoldenCase, Source, check, find_cases, record
from tests.golden.language import CaseError
from tests.support.process import ServerProcess
from tests.support.resp import Address


def parse_address(text: str) -> Address:
    """Parse HOST:PORT."""
    host, _, port = text.rpartition(":")
    return host or "127.0.0.1", int(port)


@contextlib.contextmanager
def own_server() -> Iterator[Address]:
    """Run a server of ours for the length of a block."""
    with tempfile.TemporaryDirectory() as folder, ServerProcess(Path(folder)) as server:
        yield server.address


def check_all(cases: list[GoldenCase], address: Address) -> int:
    """Print the mismatches and the number of cases; return the exit code."""
    failed = 0
    for case in cases:
        try:
            problems = [str(mismatch) for mismatch in check(case, Source.TILE38, address)]
        except (CaseError, OSError) as error:
            problems = [f"{case.name}: the case can't be run: {error}"]
        failed += bool(problems)
        print(*problems, sep="\n", end="\n" if problems else "", flush=True)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("action", choices=["check", "record", "record-ours"])
    parser.add_argument("patterns", nargs="*", default=["*"], help="names such as 'search/*'")
    parser.add_argument("--server", type=parse_address, metavar="HOST:PORT")
    options = parser.parse_args()
    if options.action == "record" and options.server is None:
        parser.error("record needs a real Tile38: --server HOST:PORT")
    cases = [case for pattern in options.patterns for case in find_cases(pattern)]
    server = contextlib.nullcontext(options.server) if options.server else own_server()
    with server as address:
        if options.action == "check":
            return check_all(cases, address)
        for case in cases:
            if options.action == "record":
                record(case, Source.TILE38, address)
            elif case.has_ours:
                record(case, Source.OURS, address)
    return 0


if __name__ == "__main__":
    sys.exit(main())
