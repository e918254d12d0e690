"""How a program that drives a client library is run: its environment, its steps, its end.

A program gets the server's address in the environment (TILE38_HOST, TILE38_PORT) and, if set,
TILE38_USER, TILE38_PASSWORD and TILE38_CA: a file of certificates, which asks for TLS. It prints
`ok STEP` after each step, and exits with status 1 and the error on stderr at the first failure.
Before the step `restart` it prints `restart` and waits for a line on stdin: the server has been
ended and started on the same port meanwhile.
"""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.process import ROOT

STEPS = (
    "connect",  # and PING
    "set",  # SET and GET of a point
    "nearby",  # NEARBY
    "pipeline",  # 100 commands by the library's default pipeline
    "transaction",  # MULTI and EXEC, as the library sends them
    "script",  # the library's script helper, twice: EVALSHA, and EVAL after NOSCRIPT
    "subscribe",  # two subscribers, PING while subscribed, one message to both
    "reuse",  # unsubscribe, then ordinary commands
    "restart",  # reconnect by the library's own means, read what was written before
)
PROGRAM_SECONDS_MAX = 60.0
STDERR_CHARACTERS_MAX = 4000


class StepError(AssertionError):
    """A program didn't take all of its steps."""


def environment(
    port: int, *, user: str = "", password: str = "", certificates: Path | None = None
) -> dict[str, str]:
    """Return the environment of a program; what isn't set is left out."""
    found = {
        "TILE38_HOST": "127.0.0.1",
        "TILE38_PORT": str(port),
        "TILE38_USER": user,
        "TILE38_PASSWORD": password,
        "TILE38_CA": str(certificates or ""),
        # OpenSSL reads it: Rust's native-tls has no other way for all libraries.
        "SSL_CERT_FILE": str(certificates or ""),
    }
    return {name: value for name, value in found.items() if value}


def take_steps(
    command: Sequence[str],
    settings: Mapping[str, str],
    *,
    steps: Sequence[str],
    restart: Callable[[], None],
    seconds_max: float = PROGRAM_SECONDS_MAX,
) -> None:
    """Run a program until its end. Raises StepError naming the first step that it didn't take."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that a program's own processes end with it
    )
    errors: list[str] = []
    reader = threading.Thread(target=_read_all, args=(process, errors), name="stderr")
    watchdog = threading.Timer(seconds_max, _kill, args=(process,))
    reader.start()
    watchdog.start()
    try:
        lines = _follow(process, restart)
        status = process.wait()
    finally:
        watchdog.cancel()
        _kill(process)
        reader.join()
        process.communicate()
    _compare(lines, steps, status, "".join(errors)[-STDERR_CHARACTERS_MAX:])


def _kill(process: subprocess.Popen[str]) -> None:
    """End a program and the processes that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _read_all(process: subprocess.Popen[str], errors: list[str]) -> None:
    """Read stderr to its end, so that the program never waits for a reader."""
    assert process.stderr is not None
    errors.append(process.stderr.read())


def _follow(process: subprocess.Popen[str], restart: Callable[[], None]) -> list[str]:
    """Return the lines of stdout until its end; restart the server when the program asks."""
    assert process.stdin is not None
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if lines[-1] == "restart":
            restart()
            # A program that has ended meanwhile is told by its status.
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write("restarted\n")
                process.stdin.flush()
    return lines


def _compare(lines: Sequence[str], steps: Sequence[str], status: int, errors: str) -> None:
    taken = [line.removeprefix("ok ") for line in lines if line.startswith("ok ")]
    for number, step in enumerate(steps):
        if taken[number : number + 1] != [step]:
            raise StepError(f"step {step!r} failed (exit status {status})\n{errors}")
    if status or taken[len(steps) :]:
        raise StepError(f"exit status {status} after {taken[-1:]}\n{errors}")
