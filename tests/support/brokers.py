"""Real brokers in processes of their own, on free ports. Sends them no message."""

import base64
import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

START_SECONDS_MAX = 60.0
ROOT = Path(__file__).parents[2]
SEARCHED = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def missing(what: str) -> None:
    """Skip a test that needs a broker; in CI, conftest.py turns the skip into a failure."""
    pytest.skip(f"{what} isn't installed: run .ci/brokers")


def program(name: str) -> str:
    """Return the path of a broker's program; skip the test if it isn't installed."""
    path = shutil.which(name, path=SEARCHED)
    if path is None:
        missing(name)
    assert path is not None
    return path


def free_port() -> int:
    """Return a port that is free now. A broker keeps it when it restarts."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Whether a server listens on a port of this machine."""
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


class Broker:
    """A broker process that can be killed and restarted with its data on disk."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        *,
        port: int,
        is_ready: Callable[[], bool] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare a broker; start() runs it."""
        self.command = list(command)
        self.folder = folder
        self.port = port
        self.environment = {**os.environ, **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.is_ready = is_ready or (lambda: accepts(port))

    def start(self) -> None:
        """Start the process and wait until it accepts connections."""
        with (self.folder / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._started, seconds_max=START_SECONDS_MAX, what=self.command[0])

    def _started(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            text = (self.folder / "broker.log").read_text("utf-8", "replace")
            raise ChildProcessError(f"{self.command[0]} ended:\n{text[-3000:]}")
        return self.is_ready()

    def kill(self) -> None:
        """Kill the process and all others of its session."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


def redis_broker(folder: Path) -> Broker:
    """Prepare a redis-server."""
    port = free_port()
    words = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    return Broker(words, folder, port=port)


def mosquitto_broker(folder: Path, *lines: str, port: int | None = None) -> Broker:
    """Prepare a mosquitto that keeps sessions on disk."""
    port = port or free_port()
    text = [f"listener {port} 127.0.0.1", "persistence true", f"persistence_location {folder}/"]
    text += ["autosave_interval 1", "autosave_on_changes true", "max_queued_messages 100000"]
    if not any("password_file" in line or "require" in line for line in lines):
        text.append("allow_anonymous true")
    if os.getuid() == 0:
        text.append("user root")
    config = folder / "mosquitto.conf"
    config.write_text("\n".join([*text, *lines, ""]))
    return Broker([program("mosquitto"), "-c", str(config)], folder, port=port)


def nats_broker(folder: Path, *options: str) -> Broker:
    """Prepare a nats-server with JetStream."""
    port = free_port()
    words = [program("nats-server"), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder)]
    return Broker([*words, *options], folder, port=port)


RABBITMQ_MESSAGE_BYTES_MAX = 100_000


class RabbitBroker(Broker):
    """A rabbitmq-server with a second listener, for TLS."""

    tls_port: int
    certificate: Path


def rabbitmq_broker(folder: Path) -> RabbitBroker:
    """Prepare a rabbitmq-server with its data in the folder and a low message size limit."""
    port, distribution, mapper, tls_port = free_port(), free_port(), free_port(), free_port()
    certificate, key = make_certificates(folder)
    definitions = folder / "definitions.json"
    definitions.write_text(json.dumps(rabbitmq_definitions()))
    name = f"t{uuid.uuid4().hex[:8]}@localhost"
    (folder / "plugins").write_text("[].\n")
    config = folder / "rabbitmq.conf"
    lines = [
        f"load_definitions = {definitions}",
        f"max_message_size = {RABBITMQ_MESSAGE_BYTES_MAX}",
        f"listeners.ssl.default = 127.0.0.1:{tls_port}",
        f"ssl_options.cacertfile = {certificate}",
        f"ssl_options.certfile = {certificate}",
        f"ssl_options.keyfile = {key}",
        "",
    ]
    config.write_text("\n".join(lines))
    environment = {
        "RABBITMQ_NODENAME": name,
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(config),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(mapper),
    }
    # Debian's wrapper script switches to the user rabbitmq; the script that it calls doesn't.
    script = next(
        (path for path in sorted(Path("/usr/lib/rabbitmq/bin").glob("rabbitmq-server"))),
        Path(program("rabbitmq-server")),
    )
    # Without an epmd of its own, Erlang starts one that outlives the test; this one is killed with
    # the session.
    command = f"'{program('epmd')}' -port {mapper} & exec '{script}'"
    broker = RabbitBroker(["sh", "-c", command], folder, port=port, environment=environment)
    broker.tls_port, broker.certificate = tls_port, certificate
    return broker


def rabbitmq_definitions() -> dict[str, list[dict[str, str]]]:
    """Users, each with its name as its password: guest, and two that may not configure anything."""
    everything, nothing = ".*", ""
    permissions = {
        "guest": (everything, everything, everything),
        "writer": (nothing, everything, everything),
        "unbound": (nothing, everything, nothing),
    }
    users: list[dict[str, str]] = []
    rules: list[dict[str, str]] = []
    for name, (configure, write, read) in permissions.items():
        salt = b"salt"
        digest = hashlib.sha256(salt + name.encode()).digest()
        hashed = base64.b64encode(salt + digest).decode()
        users.append({"name": name, "password_hash": hashed, "tags": ""})
        rule = {"configure": configure, "write": write, "read": read}
        rules.append({"user": name, "vhost": "/", **rule})
    return {"vhosts": [{"name": "/"}], "users": users, "permissions": rules}


def make_certificates(folder: Path) -> tuple[Path, Path]:
    """Create a self-signed certificate for localhost, and its key."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    words = [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*words, *files, *subject], check=True, capture_output=True)
    return certificate, key
