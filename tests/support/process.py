"""Our server as a process on a free port: starting, stopping, signals."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.support.resp import Address, Connection
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
READY = re.compile(r"Ready to accept connections at \S*?:(\d+)\s")
START_SECONDS_MAX = 20.0
STOP_SECONDS_MAX = 10.0


class ServerProcess:
    """A server process with its data folder and its log, which can be killed and restarted."""

    def __init__(
        self,
        folder: Path,
        options: Sequence[str] = (),
        *,
        environment: Mapping[str, str] | None = None,
        before_exec: Callable[[], None] | None = None,
    ) -> None:
        """Prepare a server with its data in folder/data; start() starts it."""
        self.data = folder / "data"
        self.log_file = folder / "server.log"
        self.options = options
        self.environment = {**os.environ, **(environment or {})}
        self.before_exec = before_exec
        self.program: Sequence[str] = (sys.executable, "-m", "tile38py")
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        """Start the server and wait until it is ready."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Kill the server if it runs."""
        self.kill()

    @property
    def address(self) -> Address:
        """The address of the server."""
        return "127.0.0.1", self.port

    @property
    def is_running(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def process_id(self) -> int:
        """The id of the running process."""
        assert self.process is not None
        return self.process.pid

    def connect(self, timeout_seconds: float = 10.0) -> Connection:
        """Open a connection."""
        return Connection(self.address, timeout_seconds)

    def call(self, *words: str | bytes | float) -> object:
        """Send a command on a new connection and return the reply."""
        with self.connect() as connection:
            return connection.call(*words)

    def start(self, *, port: int = 0) -> None:
        """Start the process and wait until its data is loaded."""
        self.launch(port=port)
        self.port = int(wait_until(self.ready_port, seconds_max=START_SECONDS_MAX, what="ready"))
        wait_until(self.is_loaded, seconds_max=START_SECONDS_MAX, what="a loaded log")

    def launch(self, *, port: int = 0) -> None:
        """Start the process without waiting for it; port 0 is any free one."""
        command = [*self.program, "-h", "127.0.0.1", "-p", str(port)]
        command += ["-d", str(self.data), *self.options]
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=self.before_exec,
            )

    def log(self) -> str:
        """Return the log since the last start."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, seconds_max: float = STOP_SECONDS_MAX) -> int:
        """Wait for the end; return the exit status."""
        assert self.process is not None
        return self.process.wait(seconds_max)

    def stop(self) -> int:
        """Send SIGTERM, wait for the end and return the exit status."""
        self.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """Send SIGKILL if the process runs, and wait for the end."""
        if self.is_running:
            self.send_signal(signal.SIGKILL)
            self.wait()

    def ready_port(self) -> str:
        """Return the port that the log names, or an empty text."""
        if not self.is_running:
            raise ChildProcessError(f"the server ended while starting:\n{self.log()}")
        match = READY.search(self.log())
        return match[1] if match else ""

    def is_loaded(self) -> bool:
        """Whether the server replies with something else than LOADING."""
        if not self.is_running:
            raise ChildProcessError(f"the server ended while loading:\n{self.log()}")
        return not str(self.call("KEYS", "*")).startswith("-LOADING")
