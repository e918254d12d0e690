"""Tries a wheel as a user would get it: installed alone, in an empty virtual environment.

`make wheel` runs it as `python -m tests.wheel dist/tile38py-….whl`. What the wheel depends on is
installed as the lock has it, so that the wheel's own list has to be satisfied by that.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tests.support.process import ROOT, ServerProcess

LOCK = ROOT / "requirements" / "run.txt"
IN_PROCESS = """
from tile38py import Engine
engine = Engine()
engine.execute("SET", "fleet", "truck", "POINT", 33.5, -112.2)
print(engine.execute("NEARBY", "fleet", "IDS", "POINT", 33.5, -112.2, 1000))
"""


def install(wheel: Path, folder: Path) -> Path:
    """The folder of commands of a new environment that holds the wheel and what it needs."""
    venv.create(folder, with_pip=True)
    commands = folder / "bin"
    pip = [str(commands / "python"), "-m", "pip", "install", "--quiet"]
    pip.append("--disable-pip-version-check")
    subprocess.run([*pip, "--require-hashes", "--requirement", str(LOCK)], check=True)
    subprocess.run([*pip, "--no-index", str(wheel)], check=True)
    return commands


def try_server(commands: Path, folder: Path) -> None:
    """Start the installed server, store and find an object, stop it."""
    server = ServerProcess(folder)
    server.program = [str(commands / "tile38py-server")]
    with server:
        assert server.call("SET", "fleet", "truck", "POINT", 33.5, -112.2) == "+OK"
        found = server.call("NEARBY", "fleet", "IDS", "POINT", 33.5, -112.2, 1000)
        assert found == [":0", ["$ truck"]], found
        assert server.stop() == 0, server.log()


def try_tools(commands: Path, folder: Path) -> None:
    """Run the installed client and the installed load generator against the installed server."""
    server = ServerProcess(folder)
    server.program = [str(commands / "tile38py-server")]
    with server:
        port = str(server.port)
        load = [str(commands / "tile38py-benchmark"), "-p", port, "-n", "1000", "-t", "SET-POINT"]
        done = subprocess.run(load, check=True, capture_output=True, text=True)
        assert "1000 requests completed" in done.stdout, done.stdout
        client = [
            str(commands / "tile38py-cli"),
            "-p",
            port,
            "--resp",
            "SCAN",
            "key:bench",
            "COUNT",
        ]
        done = subprocess.run(client, check=True, capture_output=True, text=True)
        assert 500 < int(done.stdout) <= 1000, done.stdout
        assert server.stop() == 0, server.log()


def try_engine(commands: Path, folder: Path) -> None:
    """Use the engine within a Python program that isn't started in the repository."""
    command = [str(commands / "python"), "-c", IN_PROCESS]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    assert done.stdout == "[0, ['truck']]\n", done.stdout


def main() -> None:
    """Try the wheel that the command line names."""
    [wheel] = map(Path, sys.argv[1:])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = install(wheel.absolute(), folder / "environment")
        try_server(commands, folder)
        try_tools(commands, folder)
        try_engine(commands, folder)
    sys.stdout.write(f"{wheel.name}: installed, served, used in process and by its tools\n")


if __name__ == "__main__":
    main()
