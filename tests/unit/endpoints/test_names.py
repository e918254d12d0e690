"""Names of hosts: one that nobody answers for has one look-up, and holds up no other."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence

import pytest

from tests.support.sending import batch_of, new_pool
from tile38py.endpoints.address import host_of
from tile38py.endpoints.names import Names, Place
from tile38py.endpoints.registry import EndpointDependencies
from tile38py.limits import ENDPOINT_NAMES_COUNT_MAX

HERE = [(socket.AF_INET, "127.0.0.1", 7)]


class NameServer:
    """Answers for what begins with `good`, refuses `bad`; the rest waits until the test ends."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.end = threading.Event()

    def __call__(self, host: str, port: int) -> Sequence[Place]:
        """Look up."""
        self.asked.append(host)
        if host.startswith("bad"):
            raise socket.gaierror(-2, "Name or service not known")
        if not host.startswith("good"):
            self.end.wait(30)
        return [(family, address, port) for family, address, _ in HERE]


@pytest.fixture
def server() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.end.set()


async def give_up(names: Names, host: str) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await names.find(host)


async def test_a_name_that_nobody_answers_for_is_asked_for_once(server: NameServer) -> None:
    names = Names(server)
    for _ in range(5):
        await give_up(names, "dead")
    assert server.asked == ["dead"]
    assert await names.find("good", 7) == HERE
    assert await names.find("good", 7) == HERE
    assert server.asked == ["dead", "good", "good"]
    server.end.set()
    async with asyncio.timeout(5):
        await names.find("dead")


async def test_a_name_that_does_not_exist_is_told(server: NameServer) -> None:
    names = Names(server)
    for _ in range(2):
        with pytest.raises(OSError, match="not known"):
            await names.find("bad")
    assert server.asked == ["bad", "bad"]


async def test_addresses_are_no_names(server: NameServer) -> None:
    names = Names(server)
    assert await names.find("127.0.0.1", 7) == HERE
    assert server.asked == []


async def test_look_ups_have_a_bound(server: NameServer) -> None:
    names = Names(server)
    for at in range(ENDPOINT_NAMES_COUNT_MAX):
        await give_up(names, f"dead{at}")
    with pytest.raises(OSError, match="too many"):
        await names.find("good")


async def test_endpoints_of_each_kind_ask_so(
    server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tile38py.endpoints.pool.ENDPOINT_CONNECT_SECONDS_MAX", 0.1)
    monkeypatch.setattr("tile38py.endpoints.http.REQUEST_SECONDS_MAX", 0.1)
    paths = ["redis", "disque", "kafka", "amqp", "amqps", "mqtt", "nats", "http", "https"]
    pool = new_pool(names=Names(server))
    for kind in paths:
        for _ in range(2):
            reason = await pool.send(f"{kind}://u@dead-{kind}:1/t", batch_of(b"1"))
            assert reason == "no answer in time"
    await pool.close()
    assert sorted(server.asked) == sorted(f"dead-{kind}" for kind in paths)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("redis://h", "h"),
        ("kafka://h:9092/t?auth=sasl", "h"),
        ("amqp://u:p@h:1/q", "h"),
        ("mqtt://u@h?x=a/b@c", "h"),
        ("amqp://u:p@[::1]:1/q", "::1"),
    ],
)
def test_the_host_of_a_url_is_found(url: str, host: str) -> None:
    assert host_of(url) == host


def test_surroundings_have_names_of_their_own() -> None:
    made = [EndpointDependencies({}, str, lambda _channel, _message: 0) for _ in range(2)]
    assert made[0].names is not made[1].names
