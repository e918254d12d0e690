"""A leader and a follower as processes, and comparisons of their data."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.support.process import ServerProcess
from tests.support.waiting import wait_until

CATCH_UP_SECONDS_MAX = 20.0


@contextmanager
def leader_and_follower(folder: Path) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    """Run a leader and its follower for the length of a block."""
    (folder / "leader").mkdir()
    (folder / "follower").mkdir()
    with ServerProcess(folder / "leader") as leader, ServerProcess(folder / "follower") as follower:
        leader.options = ("-p", str(leader.port))  # keep the port after a restart
        follow(follower, leader)
        yield leader, follower


def follow(follower: ServerProcess, leader: ServerProcess) -> None:
    """Send FOLLOW."""
    assert follower.call("FOLLOW", "127.0.0.1", leader.port) == "+OK"


def size_of(server: ServerProcess) -> int:
    """Return aof_size, or -1 if the server replies with an error."""
    reply = server.call("SERVER")
    if not isinstance(reply, list):
        return -1
    return int(str(reply[reply.index("$ aof_size") + 1]).removeprefix("$ "))


def is_rewriting(server: ServerProcess) -> bool:
    """Return whether the server rewrites its log, which ends with another file."""
    return "aof_rewrite_in_progress:1" in str(server.call("INFO", "persistence"))


def wait_until_equal(leader: ServerProcess, follower: ServerProcess) -> None:
    """Wait until the follower has the leader's log, and compare all objects. Nobody may write."""
    wait_until(
        lambda: (
            follower.call("HEALTHZ") == "+OK"
            and not (is_rewriting(leader) or is_rewriting(follower))
            and size_of(leader) == size_of(follower)
        ),
        seconds_max=CATCH_UP_SECONDS_MAX,
        what="a follower that caught up",
    )
    assert log_of(follower) == log_of(leader)
    assert contents(follower) == contents(leader)


def log_of(server: ServerProcess) -> bytes:
    """Return the bytes of a server's log."""
    return (server.data / "appendonly.aof").read_bytes()


def contents(server: ServerProcess) -> dict[str, object]:
    """Return all objects of each key, with ids and fields, and all hooks and channels."""
    with redis.Redis(port=server.port, decode_responses=True, protocol=2) as connection:
        names = connection.execute_command("KEYS", "*")
        found = {name: connection.execute_command("SCAN", name, "LIMIT", 10**9) for name in names}
        found["hooks"] = connection.execute_command("HOOKS", "*")
        found["channels"] = connection.execute_command("CHANS", "*")
    return found
