"""What the programs of all Python libraries share: the server's address, the report of steps."""

import os
import sys

HOST = os.environ["TILE38_HOST"]
PORT = int(os.environ["TILE38_PORT"])
USER = os.environ.get("TILE38_USER")
PASSWORD = os.environ.get("TILE38_PASSWORD")
CERTIFICATES = os.environ.get("TILE38_CA")


def ok(step: str) -> None:
    """Report that a step was taken."""
    print("ok", step, flush=True)


def expect(found: object, expected: object) -> None:
    """Raise AssertionError if a reply isn't as expected."""
    if found != expected:
        raise AssertionError(f"{found!r} instead of {expected!r}")


def wait_for_restart() -> None:
    """Have the server restarted."""
    print("restart", flush=True)
    expect(sys.stdin.readline(), "restarted\n")
