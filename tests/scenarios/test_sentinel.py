"""A leader with two followers under three real Redis Sentinels: the leader dies, writes go on."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis import Redis, RedisError
from redis.sentinel import MasterNotFoundError, Sentinel

from tests.support.process import ServerProcess
from tests.support.sentinels import NAME, TlsFiles, knows_all, sentinels
from tests.support.tls import Authority, TlsOnlyServer
from tests.support.waiting import wait_until

FAILOVER_SECONDS_MAX = 30.0

pytestmark = pytest.mark.slow


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[ServerProcess]]:
    """A leader and two followers that have caught up."""
    with ExitStack() as stack:
        found = []
        for number in range(3):
            folder = tmp_path / f"server{number}"
            folder.mkdir()
            found.append(stack.enter_context(ServerProcess(folder)))
        for follower in found[1:]:
            assert follower.call("FOLLOW", "127.0.0.1", found[0].port) == "+OK"
        wait_until(lambda: all(one.call("HEALTHZ") == "+OK" for one in found), what="copies")
        yield found


def role(server: ServerProcess) -> list[object]:
    reply = server.call("ROLE")
    return list(reply) if isinstance(reply, list) else []  # it may be catching up


def store(client: Redis, number: int) -> bool:
    try:
        return bool(client.execute_command("SET", "fleet", number, "POINT", 1, number % 90))
    except (RedisError, MasterNotFoundError, OSError):
        return False


@pytest.mark.timeout(180)
def test_a_dead_leader_is_replaced_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with ExitStack() as stack:
        found = []
        for number in range(3):
            folder = tmp_path / f"server{number}"
            folder.mkdir()
            server = TlsOnlyServer(folder, authority, ("--tls-replication", "yes"))
            found.append(stack.enter_context(server))
        leader, *followers = found
        for follower in followers:
            assert follower.call("FOLLOW", "127.0.0.1", leader.port) == "+OK"
        own = authority.issue("sentinel")
        files = TlsFiles(own.certificate, own.key, authority.file)
        watchers = stack.enter_context(sentinels(tmp_path, leader.port, files))
        wait_until(lambda: all(map(knows_all, watchers)), seconds_max=30, what="all known")
        assert leader.call("SET", "fleet", 0, "POINT", 1, 0) == "+OK"
        wait_until(lambda: all(ids(one) == numbers(1) for one in followers), what="copies")

        leader.kill()
        ports = {one.tls_port for one in followers}
        wait_until(
            lambda: address_of(watchers[0]) in ports,
            seconds_max=FAILOVER_SECONDS_MAX,
            what="a new leader",
        )
        new = next(one for one in followers if one.tls_port == address_of(watchers[0]))
        other = next(one for one in followers if one is not new)
        assert new.call("SET", "fleet", 1, "POINT", 1, 1) == "+OK"
        expected = ["$ slave", "$ 127.0.0.1", f":{new.tls_port}"]
        wait_until(
            lambda: role(other)[:3] == expected,
            seconds_max=FAILOVER_SECONDS_MAX,
            what="a follower",
        )
        wait_until(lambda: ids(other) == numbers(2), what="its copy")


def address_of(watcher: Redis) -> int:
    """Return the port of the leader, as a sentinel knows it."""
    state = watcher.sentinel_master(NAME)
    assert isinstance(state, dict)
    return int(state["port"])


@pytest.mark.timeout(180)
def test_a_dead_leader_is_replaced_and_writes_go_on(
    servers: list[ServerProcess], tmp_path: Path
) -> None:
    leader, *followers = servers
    with ExitStack() as stack:
        watchers = stack.enter_context(sentinels(tmp_path, leader.port))
        wait_until(lambda: all(map(knows_all, watchers)), seconds_max=30, what="all known")
        client = stack.enter_context(client_of(watchers, stack))
        assert all(store(client, number) for number in range(100))
        wait_until(lambda: all(ids(one) == numbers(100) for one in followers), what="copies")

        leader.kill()
        died = time.monotonic()
        wait_until(lambda: store(client, 100), seconds_max=FAILOVER_SECONDS_MAX, what="a write")
        print(f"writes went on after {time.monotonic() - died:.1f} s")
        assert all(store(client, number) for number in range(101, 200))

        new = next(one for one in followers if role(one)[0] == "$ master")
        other = next(one for one in followers if one is not new)
        assert ids(new) == numbers(200)
        wait_for_copy(other, new)
        wait_until(lambda: "+failover-end " in logs(tmp_path), what="the end of the fail-over")
        leader.start(port=leader.port)
        wait_for_copy(leader, new)


def client_of(watchers: Sequence[Redis], stack: ExitStack) -> Redis:
    """redis-py's client that asks sentinels where the leader is."""
    addresses = [one.connection_pool.connection_kwargs for one in watchers]
    discovery = Sentinel([(one["host"], one["port"]) for one in addresses], socket_timeout=1)
    for one in discovery.sentinels:
        stack.callback(one.close)
    client = discovery.master_for(NAME, socket_timeout=1)
    assert isinstance(client, Redis)
    return client


def wait_for_copy(follower: ServerProcess, leader: ServerProcess) -> None:
    expected = ["$ slave", "$ 127.0.0.1", f":{leader.port}"]
    wait_until(
        lambda: role(follower)[:3] == expected, seconds_max=FAILOVER_SECONDS_MAX, what="a follower"
    )
    wait_until(lambda: ids(follower) == numbers(200), what="its copy")


def logs(folder: Path) -> str:
    return "".join(path.read_text("utf-8") for path in folder.glob("sentinel?/broker.log"))


def numbers(count: int) -> list[str]:
    return sorted(f"$ {number}" for number in range(count))


def ids(server: ServerProcess) -> list[str]:
    reply = server.call("SCAN", "fleet", "LIMIT", 1000, "IDS")
    return sorted(map(str, reply[1])) if isinstance(reply, list) else []
