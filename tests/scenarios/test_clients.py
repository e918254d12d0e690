"""Clients that others wrote drive the server unchanged: redis-cli, redis-py and pyle38."""

import shutil
import subprocess

import pytest
import redis
from pyle38 import Tile38

from tests.support.process import ServerProcess

needs_redis_cli = pytest.mark.skipif(
    not shutil.which("redis-cli"), reason="redis-cli isn't installed"
)


def redis_cli(server: ServerProcess, *words: str, text: str = "") -> str:
    command = ["redis-cli", "-h", "127.0.0.1", "-p", str(server.port), *words]
    result = subprocess.run(
        command, input=text, capture_output=True, text=True, check=True, timeout=20
    )
    return result.stdout


@needs_redis_cli
def test_redis_cli_sends_commands(server: ServerProcess) -> None:
    assert redis_cli(server, "SET", "fleet", "truck", "POINT", "33.5", "-112.2") == "OK\n"
    assert redis_cli(server, "GET", "fleet", "truck", "POINT") == "33.5\n-112.2\n"
    near = redis_cli(server, "NEARBY", "fleet", "IDS", "POINT", "33", "-112")
    assert near.split() == ["0", "truck"]
    assert "unknown command" in redis_cli(server, "NOPE")


@needs_redis_cli
def test_redis_cli_reads_commands_from_a_pipe(server: ServerProcess) -> None:
    lines = "".join(f"SET fleet {number} POINT {number % 90} 2\n" for number in range(500))
    assert redis_cli(server, text=lines).split() == ["OK"] * 500
    assert redis_cli(server, "SCAN", "fleet", "COUNT") == "500\n"


@needs_redis_cli
def test_redis_cli_loads_in_bulk(server: ServerProcess) -> None:
    lines = "".join(f"SET fleet {number} POINT {number % 90} 2\r\n" for number in range(500))
    output = redis_cli(server, "--pipe", text=lines)
    assert "errors: 0, replies: 500" in output


def test_redis_py_sends_commands(server: ServerProcess) -> None:
    with redis.Redis(port=server.port, decode_responses=True) as client:
        assert client.execute_command("SET", "fleet", "truck", "POINT", 33.5, -112.2)
        reply = client.execute_command("NEARBY", "fleet", "IDS", "POINT", 33, -112)
        assert reply == [0, ["truck"]]
        with pytest.raises(redis.ResponseError, match="unknown command"):
            client.execute_command("NOPE")


def test_redis_py_sends_pipelines(server: ServerProcess) -> None:
    with redis.Redis(port=server.port, decode_responses=True) as client:
        with client.pipeline(transaction=False) as pipeline:
            for number in range(100):
                pipeline.execute_command("SET", "fleet", number, "POINT", number % 90, 2)
            assert pipeline.execute() == [True] * 100
        assert client.execute_command("WITHIN", "fleet", "COUNT", "BOUNDS", 0, 0, 10, 10) == 21


def test_redis_py_sends_transactions(server: ServerProcess) -> None:
    with redis.Redis(port=server.port, decode_responses=True) as client:
        with client.pipeline() as pipeline:
            for number in range(3):
                pipeline.execute_command("SET", "fleet", number, "POINT", 1, 2)
            pipeline.execute_command("DBSIZE")
            assert pipeline.execute() == [True, True, True, 3]
        with client.pipeline() as pipeline:
            pipeline.watch("fleet")
            client.execute_command("SET", "fleet", 3, "POINT", 1, 2)
            pipeline.multi()
            pipeline.execute_command("DROP", "fleet")
            with pytest.raises(redis.WatchError):
                pipeline.execute()
        assert client.dbsize() == 4


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_subscribes_pings_and_reuses_the_connection(
    server: ServerProcess, protocol: int
) -> None:
    with redis.Redis(
        port=server.port, protocol=protocol, max_connections=2, decode_responses=True
    ) as client:
        with client.pubsub() as first, client.pubsub() as second:
            for subscriber in (first, second):
                subscriber.subscribe("news")
                message = subscriber.get_message(timeout=10)
                assert message and message["type"] == "subscribe"
        assert client.ping()
        with client.pubsub() as again:
            again.subscribe("news")
            assert again.get_message(timeout=10)
            assert client.publish("news", "hello") == 1
            message = again.get_message(timeout=10)
            assert message and message["data"] == "hello"


def test_redis_py_authenticates(server: ServerProcess) -> None:
    assert server.call("CONFIG", "SET", "requirepass", "secret") == "+OK"
    with redis.Redis(port=server.port, password="secret") as client:
        assert client.execute_command("KEYS", "*") == []
    with redis.Redis(port=server.port) as client, pytest.raises(redis.AuthenticationError):
        client.execute_command("KEYS", "*")


async def test_pyle38_stores_and_reads(server: ServerProcess) -> None:
    client = Tile38(f"redis://127.0.0.1:{server.port}")
    try:
        stored = client.set("fleet", "truck").fields({"speed": 50}).point(33.5, -112.2)
        assert (await stored.exec()).ok
        feature = {"type": "Point", "coordinates": [-112, 33.25]}
        assert (await client.set("fleet", "bus").object(feature).exec()).ok
        assert (await client.get("fleet", "bus").asObject()).object == feature
        point = (await client.get("fleet", "truck").withfields().asPoint()).dict()
        assert point["point"] == {"lat": 33.5, "lon": -112.2}
        assert point["fields"] == {"speed": 50}
        assert (await client.keys()).keys == ["fleet"]
        assert (await client.stats(["fleet"])).stats[0].dict()["num_objects"] == 2
        assert (await client.server()).stats.num_objects == 2
        assert (await client.delete("fleet", "bus")).ok
        assert (await client.ping()).ping == "pong"
    finally:
        await client.quit()


async def test_pyle38_searches(server: ServerProcess) -> None:
    client = Tile38(f"redis://127.0.0.1:{server.port}")
    try:
        for number in range(10):
            await client.set("fleet", f"truck-{number}").point(number, number).exec()
        near = await client.nearby("fleet").distance().limit(2).point(0, 0).asObjects()
        assert [found.id for found in near.objects] == ["truck-0", "truck-1"]
        assert near.objects[1].distance == pytest.approx(157_249, abs=1)
        within = await client.within("fleet").bounds(-0.5, -0.5, 3.5, 3.5).asIds()
        assert sorted(within.ids) == ["truck-0", "truck-1", "truck-2", "truck-3"]
        touched = await client.intersects("fleet").circle(5, 5, 1000).asCount()
        assert touched.count == 1
        scanned = await client.scan("fleet").match("*-7").asIds()
        assert scanned.ids == ["truck-7"]
    finally:
        await client.quit()
