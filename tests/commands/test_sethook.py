"""SETHOOK: what its reply doesn't say stands in the log."""

import pytest

from tests.support.bench import Bench, FakeSocket
from tests.support.embedded import EngineClient
from tests.support.fakes import command
from tests.support.resp import encode_command

FENCE = ("NEARBY", "fleet", "FENCE", "POINT", "0", "0", "1000")


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("nats://user:secret@host:port/topic", ""),
        ("kafka://host", "afka"),
        ("mqtt://secret@host/topic?qos=3", "qos"),
        ("nonsense:secret", ""),
    ],
)
def test_why_a_url_is_refused_is_logged_without_the_url(bench: Bench, url: str, part: str) -> None:
    reply = bench.call("SETHOOK", "h", url, *FENCE)
    assert reply == f"-ERR invalid argument '{url}'\r\n".encode()
    [line] = bench.log_lines
    assert line.startswith("SETHOOK: an endpoint was refused: ")
    assert part in line
    assert "secret" not in line


def test_a_good_url_is_nothing_to_log(bench: Bench) -> None:
    assert bench.call("SETHOOK", "h", "http://127.0.0.1:1/", *FENCE) == b":1\r\n"
    assert bench.log_lines == []


WORDS = (b"SETHOOK", b"h", b"nats://secret@h/t", *(word.encode() for word in FENCE))
NATIVE = b" ".join(WORDS)
PATH = b"+".join(WORDS).replace(b"/", b"%2F")
WEBSOCKET = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize(
    "request_bytes",
    [
        command(*WORDS),
        command(b"PING") + command(*WORDS) + command(b"PING"),
        b"output json\r\n" + command(*WORDS),
        NATIVE + b"\r\n",
        b"$%d %b\r\n" % (len(NATIVE), NATIVE),
        b"GET /%b HTTP/1.1\r\n\r\n" % PATH,
        b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(NATIVE), NATIVE),
        b"GET /%b HTTP/1.1\r\n%b\r\n" % (PATH, WEBSOCKET),
    ],
    ids=["resp", "pipeline", "json", "inline", "native", "get", "post", "websocket"],
)
async def test_why_a_url_is_refused_is_logged_however_the_client_is_connected(
    bench: Bench, request_bytes: bytes
) -> None:
    assert b"invalid argument" in FakeSocket(bench).send(request_bytes)
    [line] = bench.log_lines
    assert line == "SETHOOK: an endpoint was refused: invalid NATS url"


def test_all_refusals_of_a_pipeline_are_logged(bench: Bench) -> None:
    bench.send(b"".join(command(*WORDS[:2], url, *WORDS[3:]) for url in (b"x", b"redis://h:x")))
    assert bench.log_lines == [
        "SETHOOK: an endpoint was refused: unknown scheme",
        "SETHOOK: an endpoint was refused: invalid redis url port",
    ]


SIGNED = ("SIGN", "b", "HEADERS", "X-a", "one")
OPTIONS = (*SIGNED, "META", "m", "v", "SIGN", "a", "FORMAT", "CloudEvents")


def test_options_are_in_the_log_as_typed_and_in_rewritten_logs_in_their_order() -> None:
    client = EngineClient()
    assert str(client.call("SETHOOK", "h", "http://h/", *OPTIONS, *FENCE)) == ":1"
    assert str(client.call("SETHOOK", "h", "http://h/", *reversed_pairs(), *FENCE)) == ":0"
    words = ("SETHOOK", "h", "http://h/", *OPTIONS, *FENCE)
    assert client.log == encode_command([word.encode() for word in words])
    rewrite = client.engine.rewrite(client.now_ns)
    meta, options = "meta m v", "FORMAT cloudevents HEADERS X-a one SIGN a SIGN b"
    expected = ["sethook", "h", "http://h/", *meta.split(), *options.split(), *FENCE]
    assert rewrite.read(1 << 20) == encode_command([word.encode() for word in expected])


def reversed_pairs() -> tuple[str, ...]:
    """Return the same options in another order."""
    sign_a, sign_b = ("SIGN", "a"), ("SIGN", "b")
    return ("FORMAT", "cloudevents", *sign_a, *sign_b, "META", "m", "v", "HEADERS", "X-a", "one")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("SIGN",), "wrong number of arguments for 'sethook' command"),
        (("HEADERS", "a"), "wrong number of arguments for 'sethook' command"),
        (("HEADERS", "Host", "x"), "invalid argument 'Host'"),
        (("FORMAT", "xml"), "invalid argument 'xml'"),
        (("SIGN", "whsec_x"), "invalid secret of SIGN: no 24 to 64 bytes in base64 behind whsec_"),
    ],
)
def test_bad_options_are_refused(bench: Bench, options: tuple[str, ...], error: str) -> None:
    rest = FENCE if len(options) > 1 and options != ("HEADERS", "a") else ()
    reply = bench.call("SETHOOK", "h", "http://h/", *options, *rest)
    assert reply == f"-ERR {error}\r\n".encode()


def test_options_of_http_need_an_endpoint_of_http(bench: Bench) -> None:
    error = b"-ERR no endpoint of http or https for SIGN or HEADERS\r\n"
    assert bench.call("SETHOOK", "h", "redis://h/c", "SIGN", "x", *FENCE) == error
    assert bench.call("SETHOOK", "h", "redis://h/c,https://h/", "SIGN", "x", *FENCE) == b":1\r\n"
    refused = b"-ERR invalid argument 'SIGN'\r\n"
    assert bench.call("SETCHAN", "c", "SIGN", "x", *FENCE) == refused
