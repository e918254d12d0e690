"""A leader and a follower, each a process of its own; and what they have to agree on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.support.process import ServerProcess
from tests.support.waiting import wait_until

CATCH_UP_SECONDS_MAX = 20.0


@contextmanager
def leader_and_follower(folder: Path) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    """Both run, and the one follows the other."""
    (folder / "leader").mkdir()
    (folder / "follower").mkdir()
    with ServerProcess(folder / "leader") as leader, ServerProcess(folder / "follower") as follower:
        leader.options = ("-p", str(leader.port))  # where it is found after a restart
        follow(follower, leader)
        yield leader, follower


def follow(follower: ServerProcess, leader: ServerProcess) -> None:
    """Have it follow."""
    assert follower.call("FOLLOW", "127.0.0.1", leader.port) == "+OK"


def size_of(server: ServerProcess) -> int:
    """Bytes of its log, as it says itself."""
    reply = server.call("SERVER")
    if not isinstance(reply, list):
        return -1
    return int(str(reply[reply.index("$ aof_size") + 1]).removeprefix("$ "))


def wait_until_equal(leader: ServerProcess, follower: ServerProcess) -> None:
    """Wait until the follower has the leader's log, while nobody writes; compare all objects."""
    wait_until(
        lambda: follower.call("HEALTHZ") == "+OK" and size_of(leader) == size_of(follower),
        seconds_max=CATCH_UP_SECONDS_MAX,
        what="a follower that caught up",
    )
    assert log_of(follower) == log_of(leader)
    assert contents(follower) == contents(leader)


def log_of(server: ServerProcess) -> bytes:
    """The bytes of its log."""
    return (server.data / "appendonly.aof").read_bytes()


def contents(server: ServerProcess) -> dict[str, object]:
    """All that it holds: each key with ids, fields and objects, then hooks and channels."""
    with redis.Redis(port=server.port, decode_responses=True, protocol=2) as connection:
        names = connection.execute_command("KEYS", "*")
        found = {name: connection.execute_command("SCAN", name, "LIMIT", 10**9) for name in names}
        found["hooks"] = connection.execute_command("HOOKS", "*")
        found["channels"] = connection.execute_command("CHANS", "*")
    return found
