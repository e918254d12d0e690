"""The measured servers: ours and a redis-server, which are started here, and named peers."""

import contextlib
import dataclasses
import enum
import importlib
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support.process import ServerProcess
from tests.support.resp import Address, Connection
from tests.support.waiting import wait_until

START_SECONDS_MAX = 20.0


class Dialect(enum.Enum):
    """The command set of a server."""

    TILE38 = "tile38"
    REDIS = "redis"


@dataclasses.dataclass(frozen=True, slots=True)
class MeasuredServer:
    """A measured server. It loses all its data."""

    name: str
    address: Address
    dialect: Dialect = Dialect.TILE38
    process: ServerProcess | None = None  # only of our server: it can be restarted

    def connect(self, timeout_seconds: float = 600.0) -> Connection:
        """Open a connection for commands that aren't measured."""
        return Connection(self.address, timeout_seconds)

    def process_id(self) -> int | None:
        """Return the id of the server's process; None if it isn't on this machine."""
        name = b"SERVER" if self.dialect is Dialect.TILE38 else b"INFO"
        with self.connect() as connection:
            reply = connection.call(name)
        if isinstance(reply, list):
            words = [str(item).removeprefix("$ ") for item in reply]
            found = dict(zip(words[::2], words[1::2], strict=False)).get("pid", "")
        else:
            lines = (line.partition(":") for line in reply.splitlines())
            found = next((value for key, _, value in lines if key == "process_id"), "")
        return int(found) if found.isdigit() and Path(f"/proc/{found}").exists() else None

    def resident_bytes(self) -> int | None:
        """Return the resident set size of the server's process; None if it isn't known."""
        if (process_id := self.process_id()) is None:
            return None
        for line in Path(f"/proc/{process_id}/status").read_text("utf-8").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return None

    def empty(self) -> None:
        """Remove all data."""
        with self.connect() as connection:
            reply = connection.call("FLUSHDB" if self.dialect is Dialect.TILE38 else "FLUSHALL")
        assert reply == "+OK", f"{self.name} can't be emptied: {reply}"


def refuse_debug_build() -> None:
    """Exit unless the engine is a release build."""
    engine = importlib.import_module("tile38py._engine")
    if getattr(engine, "DEBUG_BUILD", False):
        raise SystemExit("the engine is a debug build: make build-release")


@contextlib.contextmanager
def ours() -> Iterator[MeasuredServer]:
    """Run our server with its defaults for the length of a block."""
    with tempfile.TemporaryDirectory() as folder, ServerProcess(Path(folder)) as process:
        yield MeasuredServer("tile38py", process.address, process=process)


@contextlib.contextmanager
def redis_server() -> Iterator[MeasuredServer | None]:
    """Run a redis-server with the same log settings as ours; yield None if it isn't installed."""
    if not (program := shutil.which("redis-server")):
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        options += ["--appendonly", "yes", "--appendfsync", "everysec"]
        process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: is_listening(port), seconds_max=START_SECONDS_MAX, what="redis")
            yield MeasuredServer("redis", ("127.0.0.1", port), Dialect.REDIS)
        finally:
            process.terminate()
            process.wait(START_SECONDS_MAX)


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """Whether a server listens on a port of this machine."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False
