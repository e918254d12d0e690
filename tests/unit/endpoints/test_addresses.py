"""Endpoint URLs: what is taken, what is refused and with which words, and what may be shown."""

import pytest

import tile38py.endpoints
from tile38py import Engine
from tile38py.endpoints.address import scrubbed, shown
from tile38py.endpoints.checker import EndpointChecker
from tile38py.endpoints.kafka_producer import choose_partition, fnv1a
from tile38py.endpoints.registry import Registry, Settings
from tile38py.endpoints.security import TlsFiles

assert tile38py.endpoints.FILES
QUEUE = "https://sqs.r.amazonaws.com/1/q.fifo"
HUB = "Endpoint=sb://n.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k;EntityPath=h"


REGISTRY = Registry()


def parsed(url: str) -> Settings:
    return REGISTRY.kind(url).settings.parse(url)


def is_taken(url: str) -> bool:
    """Whether SETHOOK takes a URL, in process too."""
    words = ("SETHOOK", "h", url, "NEARBY", "f", "POINT", "1", "1", "1")
    try:
        return Engine().execute(*words) == 1
    except ValueError:
        return False


def field(url: str, name: str) -> object:
    return getattr(parsed(url), name)


WRONG = {
    "": "unknown scheme",
    "nothing": "unknown scheme",
    "HTTP://h": "unknown scheme",
    "rediss://h": "unknown scheme",
    "mqtts://h": "missing MQTT topic name",
    "kafka://a:1,b:x/t": "invalid kafka url port",
    "kafka://a,b:1:2/t": "invalid kafka url",
    "kafka://a,:1/t": "invalid kafka url",
    "kafka://u:p@h/t": "invalid kafka url port",
    "http:h": "missing the two slashes",
    "http://": "missing host",
    "http:///path": "missing host",
    "local://": "missing channel",
    "redis://h:1:2": "invalid redis url",
    "redis://h:x": "invalid redis url port",
    "redis://h:65536": "invalid redis url port",
    "redis://u:p@h": "invalid redis url port",
    "redis://u:p@h:1": "invalid redis url",
    "redis://h/%zz": "invalid redis channel name",
    "disque://h": "missing disque queue name",
    "disque://h:1:2/q": "invalid disque url",
    "disque://h/%zz": "invalid disque queue name",
    "disque://h/q?replicate=256": "invalid disque replicate value",
    "grpc://h:1:2": "invalid grpc url",
    "kafka://h": "missing kafka topic name",
    "kafka://h/": "missing kafka topic name",
    "kafka://h:x/t": "invalid kafka url port",
    "kafka://h:1:2/t": "invalid kafka url",
    "kafka://h/%zz": "invalid kafka topic name",
    "amqp://h": "missing AMQP queue name",
    "amqp://h/%zz": "invalid AMQP queue name",
    "mqtt://h": "missing MQTT topic name",
    "mqtt://h:x/t": "invalid MQTT url port",
    "mqtt://u:p@h/t": "invalid MQTT url port",
    "mqtt://h/t?qos=3": "invalid MQTT qos value",
    "mqtt://h/t?qos=x": "invalid MQTT qos value",
    "mqtt://h/t?retained=x": "invalid MQTT retained value",
    "mqtt://h/t?retained=2": "invalid MQTT retained, should be [0, 1]",
    "nats://h/s": "invalid NATS url",
    "sqs://h/q": "invalid SQS url",
    "sqs://r:a": "missing SQS queue name",
    "pubsub://p": "invalid PubSub format should be project/topic",
    "cf-queue://a": "invalid CF Queue format, should be account_id/queue_id",
    "cf-queue://a/?token=t": "missing CF Queue queue ID",
    "cf-queue://a/q": "missing CF Queue API token",
    "Endpoint=x": "malformed EventHub connection string",
    HUB.replace("EntityPath", "Path"): "missing EntityPath",
    HUB.replace("Key=k", "=k"): "missing SharedAccessKey",
    "http:x": "missing the two slashes",
    "local:///x": "missing channel",
    "redis://h/%2": "invalid redis channel name",
    "disque://h:x/q": "invalid disque url",
    "kafka://h/%": "invalid kafka topic name",
    "amqps://h/%z/q": "invalid AMQP queue name",
    "mqtt://h:1:2/t": "invalid MQTT url",
    "mqtt://h/a/%": "invalid MQTT topic name",
    "pubsub://a:b:c": "invalid PubSub format should be project/topic",
    "sqs://r/q": "invalid SQS url",
    "sqs://r:a/%": "invalid SQS queue name",
    "nats://h/t": "invalid NATS url",
    "Endpoint=sb://x/;SharedAccessKeyName=n": "malformed EventHub connection string",
    "Endpoint=sb://x/;A=n;SharedAccessKey=k;EntityPath=p": "missing SharedAccessKeyName",
    "kafka://h/t?auth=nope": "invalid kafka auth value",
    "kafka://h/t?auth=TLS": "invalid kafka auth value",
    "kafka://h/t?ssl=yes": "invalid kafka ssl value",
    "amqp://h//q": "missing AMQP queue name",
    "mqtt://h//t": "missing MQTT topic name",
    "mqtt://h/t?retained=256": "invalid MQTT retained value",
    "redis://h:": "invalid redis url port",
    f"redis://h:{'9' * 5000}": "invalid redis url port",
    "disque://h/q?replicate=": "invalid disque replicate value",
    "sqs://r:a:b/q": "invalid SQS url",
}


@pytest.mark.parametrize("url", WRONG)
def test_a_wrong_url_is_refused_with_its_reason(url: str) -> None:
    refusal = EndpointChecker(REGISTRY)(url.encode())
    assert refusal is not None
    assert (refusal.reason, refusal.reply) == (WRONG[url], None)
    assert not is_taken(url)


RIGHT = [
    ("local://lc/x", "channel", b"lc"),
    ("redis://h/my+chan%2Fx", "channel", "my chan/x"),
    ("redis://h", "channel", ""),
    ("redis://h", "port", 6379),
    ("disque://h/q%20x?replicate=3", "queue", "q x"),
    ("disque://h/q", "port", 7711),
    ("grpc://h", "port", 80),
    ("kafka://h:9492/to.pic", "topic", "to.pic"),
    ("kafka://h/t", "brokers", (("h", 9092),)),
    ("kafka://a:1,b,c:3/t?x=1", "brokers", (("a", 1), ("b", 9092), ("c", 3))),
    ("kafka://a:1,b:2/t", "topic", "t"),
    ("kafka://u@h/t", "brokers", (("h", 9092),)),
    ("kafka://h/t", "is_tls", False),
    ("kafka://h/t?ssl=1", "is_tls", True),
    ("kafka://h/t?auth=none&ssl=1", "is_tls", True),
    ("kafka://h/t?auth=sasl&ssl=true", "is_tls", True),
    ("kafka://h/t?auth=tls", "is_tls", True),
    ("kafka://h/t?cacert=a", "is_tls", True),
    ("kafka://h/t?auth=sasl&cacert=a", "is_tls", True),
    ("kafka://h/t?auth=sasl&cert=b&key=c", "is_tls", True),
    ("kafka://h/t?ssl=false&cacert=a", "is_tls", False),
    ("kafka://h/t?auth=tls&ssl=0", "is_tls", True),
    ("kafka://h/t?auth=sasl&sha256=1", "mechanism", "SCRAM-SHA-256"),
    ("kafka://h/t?auth=sasl&sha256=1&sha512=1", "mechanism", "SCRAM-SHA-512"),
    ("kafka://h/t?auth=sasl&sha512=yes", "mechanism", "PLAIN"),
    ("amqp://h/q%20x", "queue", "q x"),
    ("amqp://h/q", "vhost", "/"),
    ("amqp://h/vh/q", "vhost", "vh"),
    ("amqp://h/q/", "queue", "q"),
    ("amqp://h/q", "is_durable", True),
    ("amqp://h/q?durable=0", "is_durable", False),
    ("amqp://h/q?priority=257", "priority", 1),
    ("amqp://h/q?type=fanout", "kind", "fanout"),
    ("amqp://h/q?route=r+s", "route", "r s"),
    ("amqp://h/q?auto_delete=yes", "is_deleted_when_unused", True),
    ("amqp://h/q?internal=1", "is_internal", True),
    ("amqp://h/q?mandatory=true", "is_mandatory", True),
    ("amqp://h/q?immediate=Y", "is_immediate", True),
    ("amqp://h/q?delivery_mode=2", "delivery_mode", 2),
    ("mqtt://h/a?retained=1", "is_retained", True),
    ("mqtt://h/a?cacert=a&cert=b&key=c", "files", TlsFiles("a", "b", "c")),
    ("kafka://h/t?cacert=a&cert=b&key=c", "files", TlsFiles("a", "b", "c")),
    ("nats://h:1/s?secure=1", "is_secure", True),
    ("nats://h:1/s?tls=1", "has_certificate", True),
    ("nats://h:1/s?tlscert=b&tlskey=c", "files", TlsFiles("", "b", "c")),
    ("nats://h:1/s?credential=a&credential=b", "credentials", "a"),
    ("amqp://gu%40est:pa@h/vh/q?type=topic", "kind", "topic"),
    ("amqp://h/q?route=%zz&route=r", "route", "r"),
    ("nats://h:1/%zz", "subject", ""),
    ("sqs://:1/q.fifo", "region", ""),
    ("https://sqs.r.amazonaws.com", "queue", ""),
    ("pubsub://p:", "topic", "projects/p/topics/"),
    ("redis://h?x=%", "host", "h"),
    ("mqtt://h/a?qos=%zz", "qos", 0),
    ("mqtt://h/a?qos=002", "qos", 2),
    ("sqs://r:1/q?createqueue=0", "creates_queue", False),
    ("sqs://r:1/q?createqueue=false", "creates_queue", False),
    ("sqs://r:1/q?createqueue=", "creates_queue", True),
    ("sqs://r:1/q?credprofile=p", "profile", "p"),
    ("pubsub://proj:top?credpath=a", "credentials_path", "a"),
    ("mqtt://h/a/b%2Fc+d/e", "topic", "a/b/c d/e"),
    ("mqtt://h/a/", "topic", "a/"),
    ("mqtt://u@h/a", "user", "u"),
    ("mqtt://h/a", "port", 1883),
    ("mqtt://h/a", "is_tls", False),
    ("mqtts://h/a", "port", 8883),
    ("mqtts://h/a", "is_tls", True),
    ("mqtts://h:1/a?user=u+v&pass=p%26q", "user", "u v"),
    ("mqtts://h:1/a?user=u+v&pass=p%26q", "password", "p&q"),
    ("nats://h:x/s", "server", "nats://h:4222"),
    ("nats://h:1/a.b?jetstream=yes", "is_jetstream", True),
    ("sqs://us-east-1:1/q", "queue_url", "https://sqs.us-east-1.amazonaws.com/1/q"),
    (f"{QUEUE}?x=1", "queue_url", QUEUE),
    ("pubsub://proj:top", "topic", "projects/proj/topics/top"),
    ("cf-queue://acc/q1?token=tok%2B1", "token", "tok+1"),
    ("http://h:7001/a?x=1", "url", "http://h:7001/a?x=1"),
    (HUB, "connection", HUB),
]


@pytest.mark.parametrize(("url", "name", "expected"), RIGHT)
def test_a_url_is_understood(url: str, name: str, expected: object) -> None:
    assert field(url, name) == expected
    assert is_taken(url)


@pytest.mark.parametrize("url", ["http://u:p@h:1/a?b=c", "amqp://h:x/q", "amqp://u@/q"])
def test_what_tile38_finds_wrong_only_when_it_connects_is_taken(url: str) -> None:
    assert is_taken(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("amqp://u:geheim@h/q?x=geheim", "amqp://***@h/q?***"),
        ("http://h/a/b", "http://h/a/b"),
        ("cf-queue://a/q?token=geheim", "cf-queue://a/q?***"),
        (HUB, "Endpoint=sb://n.servicebus.windows.net/;EntityPath=h"),
    ],
)
def test_what_is_logged_of_a_url_holds_no_secret(url: str, expected: str) -> None:
    assert shown(url) == expected


def test_an_error_that_repeats_a_secret_is_scrubbed() -> None:
    url = "amqp://u:ge%20heim@h/q?token=t0p"
    text = scrubbed(f"can't open {url}: ge heim, ge%20heim and t0p are wrong", url)
    assert text == "can't open amqp://***@h/q?***: ***, *** and *** are wrong"


def test_partitions_are_tile38s() -> None:
    assert fnv1a(b"") == 0x811C9DC5
    assert fnv1a(b"a") == 0xE40C292C
    assert choose_partition(b"a", [0, 1, 2, 3]) == abs(0xE40C292C - 2**32) % 4
    assert choose_partition(b"", [2, 0, 1]) == abs(0x811C9DC5 - 2**32) % 3
