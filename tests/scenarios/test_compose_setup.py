"""The script of the compose file's service `setup`, on servers at three addresses with one port."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.support.brokers import free_port, program
from tests.support.process import ROOT, ServerProcess
from tests.support.resp import Connection
from tests.support.waiting import wait_until

SCRIPT = ROOT / "config" / "compose-setup.sh"
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


class Machines:
    """A server at each of the addresses, as the containers of the compose file."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        """Start them all."""
        self.port = free_port()
        self.servers = {
            host: ServerProcess(folder / host, ["-h", host, "-p", str(self.port)]) for host in HOSTS
        }
        for server in self.servers.values():
            server.data.parent.mkdir()
            stack.callback(server.kill)
            server.launch(port=self.port)

    def set_up(self, password: str = "", seconds_max: int = 20) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        environment = {
            "PATH": f"{Path(program('redis-cli')).parent}:{os.environ['PATH']}",
            "PORT": str(self.port),
            "SECONDS_MAX": str(seconds_max),
            "PASSWORD": password,
        }
        command = ["sh", str(SCRIPT), *HOSTS]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    def call(self, host: str, *words: str, password: str = "") -> object:
        """Return the reply to a command, after AUTH if there is a password."""
        with Connection((host, self.port)) as connection:
            if password:
                assert connection.call("AUTH", password) == "+OK"
            return connection.call(*words)

    def follows(self, host: str, password: str = "") -> bool:
        """Return whether a server has the data of the first."""
        role = self.call(host, "ROLE", password=password)
        return isinstance(role, list) and role[:2] == ["$ slave", f"$ {HOSTS[0]}"]


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    """Three servers that have just been started."""
    with ExitStack() as stack:
        yield Machines(tmp_path, stack)


@pytest.mark.slow
@pytest.mark.parametrize("password", ["", "secret"])
def test_servers_get_name_leader_and_password_once(machines: Machines, password: str) -> None:
    first = machines.set_up(password)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == "".join(f"{host}: set up\n" for host in HOSTS)
    for host in HOSTS:
        shown = machines.call(host, "CONFIG", "GET", "replica_announce_ip", password=password)
        assert shown == ["$ replica_announce_ip", f"$ {host}"]
    for host in HOSTS[1:]:
        wait_until(partial(machines.follows, host, password), what="followers")
    # Somebody else leads by now.
    assert machines.call(HOSTS[1], "FOLLOW", "no", "one", password=password) == "+OK"
    again = machines.set_up(password)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert not machines.follows(HOSTS[1], password)


@pytest.mark.slow
def test_an_error_of_a_server_ends_it_and_is_shown(machines: Machines) -> None:
    assert machines.set_up("secret").returncode == 0
    refused = machines.set_up()
    assert refused.returncode == 1
    assert refused.stderr.count("authentication required") == 3


@pytest.mark.slow
def test_a_server_that_is_gone_ends_it_the_first_time_only(machines: Machines) -> None:
    machines.servers[HOSTS[2]].kill()
    first = machines.set_up(seconds_max=5)
    assert first.returncode == 1
    assert f"{HOSTS[2]}: Could not connect" in first.stderr
    assert machines.set_up(seconds_max=1).returncode == 0
