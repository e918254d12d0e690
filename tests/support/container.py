"""Containers of the image that `.ci/image` has built, run by runc on the host's network."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypedDict, cast

from tests.support.resp import Connection
from tests.support.waiting import wait_until

START_SECONDS_MAX = 30.0
USER = (10001, 10001)


class ImageSettings(TypedDict):
    """The settings of the image that the tests use."""

    Entrypoint: list[str]
    Env: list[str]
    User: str
    Healthcheck: dict[str, list[str]]


def image_settings() -> ImageSettings:
    """Return what the Dockerfile has set."""
    inspected = json.loads(Path(os.environ["TILE38PY_IMAGE"]).read_text("utf-8"))
    return cast("ImageSettings", inspected["Docker"]["config"])


@dataclass(frozen=True, slots=True)
class Limits:
    """The user of a container, and its memory limit."""

    user: tuple[int, int] = USER
    memory_bytes: int | None = None


class Container:
    """One container with its data in a folder of the host, or in a tmpfs."""

    def __init__(
        self, folder: Path, words: Sequence[str], *, data: Path | None, limits: Limits | None = None
    ) -> None:
        """Prepare `docker run -v data:/data IMAGE words`."""
        self._folder = folder
        self._runc = ["runc", "--root", str(folder / "state")]
        self._name = f"tile38py-{folder.name}"
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._limits = limits or Limits()
        subprocess.run(["runc", "spec", "--bundle", str(folder)], check=True)
        path = folder / "config.json"
        spec = json.loads(path.read_text("utf-8"))
        image = image_settings()
        user, group = self._limits.user
        spec["process"] |= {
            "terminal": False,
            "args": [*image["Entrypoint"], *words],
            "env": image["Env"],
            "cwd": "/data",
            "user": {"uid": user, "gid": group},
        }
        spec["root"] = {"path": os.environ["TILE38PY_IMAGE_ROOT"], "readonly": True}
        mount: dict[str, object] = {"destination": "/data", "type": "tmpfs", "source": "tmpfs"}
        if data is not None:
            mount |= {"type": "bind", "source": str(data), "options": ["rbind", "rw"]}
        spec["mounts"].append(mount)
        linux = spec["linux"]
        linux["namespaces"] = [one for one in linux["namespaces"] if one["type"] != "network"]
        if self._limits.memory_bytes is not None:
            linux["resources"]["memory"] = {"limit": self._limits.memory_bytes}
        path.write_text(json.dumps(spec), "utf-8")

    def __enter__(self) -> Self:
        """Start it."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*self._runc, "run", "--bundle", str(self._folder), self._name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        subprocess.run([*self._runc, "delete", "--force", self._name], check=True)
        assert self._process is not None
        self._process.wait(START_SECONDS_MAX)

    def log(self) -> str:
        """Return everything that it has written."""
        return self._log.read_text("utf-8", "replace")

    def connect(self, port: int) -> Connection:
        """Return a connection to the server in it, once it serves."""
        wait_until(
            lambda: "Ready to accept" in self.log(), seconds_max=START_SECONDS_MAX, what=self.log()
        )
        connection = Connection(("127.0.0.1", port))
        wait_until(lambda: connection.call("HEALTHZ") == "+OK", what="a loaded log")
        return connection

    def exit_status(self) -> int:
        """Wait for its end."""
        assert self._process is not None
        return self._process.wait(START_SECONDS_MAX)

    def stop(self) -> int:
        """End it as `docker stop` does; return its exit status."""
        subprocess.run([*self._runc, "kill", self._name, "TERM"], check=True)
        return self.exit_status()

    def execute(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in it."""
        user, group = self._limits.user
        command = [*self._runc, "exec", "--user", f"{user}:{group}", self._name, *words]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
