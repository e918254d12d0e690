"""redis-py: a synchronous client with its pool, pipeline, script and pub/sub objects."""

import redis

from tests.clients.python.steps import (
    CERTIFICATES,
    HOST,
    PASSWORD,
    PORT,
    USER,
    expect,
    ok,
    wait_for_restart,
)

MESSAGE_SECONDS_MAX = 10.0


def take_message(subscriber: redis.client.PubSub, kind: str) -> object:
    """Return the data of the next message, which is of a kind."""
    message = subscriber.get_message(timeout=MESSAGE_SECONDS_MAX)
    assert message is not None, f"no {kind} came"
    expect(message["type"], kind)
    return message["data"]


def store_and_search(client: redis.Redis) -> None:
    """Take the steps of single commands and batches."""
    client.execute_command("SET", "fleet", "truck", "POINT", 33.5, -112.2)
    expect(client.execute_command("GET", "fleet", "truck", "POINT"), [b"33.5", b"-112.2"])
    ok("set")
    near = client.execute_command("NEARBY", "fleet", "LIMIT", 5, "IDS", "POINT", 33.5, -112)
    expect(near, [0, [b"truck"]])
    ok("nearby")
    with client.pipeline() as pipeline:
        for number in range(100):
            pipeline.execute_command("SET", "many", number, "POINT", number % 90, 2)
        expect(pipeline.execute(), [True] * 100)
    ok("pipeline")
    with client.pipeline(transaction=True) as pipeline:
        pipeline.execute_command("SET", "fleet", "bus", "POINT", 1, 2)
        pipeline.execute_command("GET", "fleet", "bus", "POINT")
        expect(pipeline.execute(), [True, [b"1", b"2"]])
    ok("transaction")
    script = client.register_script("return tile38.call('GET', KEYS[1], ARGV[1], 'POINT')")
    for _ in range(2):
        expect(script(keys=["fleet"], args=["bus"]), [b"1", b"2"])
    ok("script")


def subscribe(client: redis.Redis) -> None:
    """Take the steps of two subscribers."""
    with client.pubsub() as first, client.pubsub() as second:
        for subscriber in (first, second):
            subscriber.subscribe("news")
            expect(take_message(subscriber, "subscribe"), 1)
            subscriber.ping("there")
            expect(take_message(subscriber, "pong"), b"there")
        expect(client.publish("news", "hello"), 2)
        for subscriber in (first, second):
            expect(take_message(subscriber, "message"), b"hello")
        ok("subscribe")
        for subscriber in (first, second):
            subscriber.unsubscribe()
            expect(take_message(subscriber, "unsubscribe"), 0)
    # The pool hands out the connections on which there were subscriptions.
    for _ in range(3):
        expect(client.execute_command("GET", "fleet", "bus", "POINT"), [b"1", b"2"])
    ok("reuse")


def main() -> None:
    """Take all steps."""
    with redis.Redis(
        host=HOST,
        port=PORT,
        username=USER,
        password=PASSWORD,
        ssl=bool(CERTIFICATES),
        ssl_ca_certs=CERTIFICATES,
    ) as client:
        expect(client.ping(), True)
        ok("connect")
        store_and_search(client)
        subscribe(client)
        wait_for_restart()
        expect(client.execute_command("GET", "fleet", "bus", "POINT"), [b"1", b"2"])
        ok("restart")


if __name__ == "__main__":
    main()
