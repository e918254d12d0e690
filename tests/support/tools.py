"""Runs the package's command-line tools against a server, as processes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TypeAlias

import pexpect

from tests.support.process import ROOT, ServerProcess

CLIENT = (sys.executable, "-m", "tile38py.cli.client")
BENCHMARK = ROOT / "tile38py" / "bin" / "tile38py-benchmark"
SECONDS_MAX = 20
Terminal: TypeAlias = "pexpect.spawn[str]"
TYPED_SECONDS_MAX = 10


def environment(server: ServerProcess, folder: Path) -> dict[str, str]:
    """Return the variables with which the tools find the server."""
    names = {"TILE38_PORT": str(server.port), "TILE38_HISTFILE": str(folder / "history")}
    return {**os.environ, **names, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}


def run_client(
    server: ServerProcess, *words: str, typed: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run tile38py-cli; its stdin is what is typed."""
    return subprocess.run(
        [*CLIENT, *words],
        cwd=ROOT,
        env=environment(server, server.data),
        input=typed,
        stdin=subprocess.DEVNULL if typed is None else None,
        capture_output=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def run_benchmark(server: ServerProcess, *words: str) -> subprocess.CompletedProcess[str]:
    """Run tile38py-benchmark."""
    return subprocess.run(
        [BENCHMARK, *words],
        env=environment(server, server.data),
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def open_terminal(server: ServerProcess, folder: Path, *words: str) -> Terminal:
    """Start tile38py-cli on a pseudo-terminal."""
    return pexpect.spawn(
        CLIENT[0],
        [*CLIENT[1:], *words],
        cwd=ROOT,
        env=environment(server, folder),
        encoding="utf-8",
        timeout=TYPED_SECONDS_MAX,
        dimensions=(40, 100),
    )
