"""SETHOOK: what its reply doesn't say stands in the log."""

import pytest

from tests.support.bench import Bench, FakeSocket
from tests.support.fakes import command

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
