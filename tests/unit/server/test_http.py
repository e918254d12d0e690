"""HTTP and WebSocket on a connection."""

import pytest

from tests.support.bench import Bench, FakeSocket, turn_until
from tile38py.server.transports import WebSettings


@pytest.fixture
async def line() -> FakeSocket:
    return FakeSocket(Bench(is_developer=True))


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", *headers, "", "")).encode()


def body_of(reply: bytes) -> bytes:
    return reply.partition(b"\r\n\r\n")[2]


async def test_one_request_one_reply_and_the_end(line: FakeSocket) -> None:
    reply = line.send(get("/PING") + get("/PING"))
    assert reply.startswith(b"HTTP/1.1 200 OK\r\nConnection: close\r\n")
    assert reply.count(b'{"ok":true,"ping":"pong"') == 1
    assert line.transport.is_closed


async def test_a_request_may_come_in_pieces(line: FakeSocket) -> None:
    assert line.send(b"POST / HTTP/1.1\r\n") == b""
    assert line.send(b"Content-Length: 4\r\n\r\nPI") == b""
    assert b"pong" in line.send(b"NG")


async def test_resp_before_http_is_answered_first(line: FakeSocket) -> None:
    assert line.send(b"PING\r\n" + get("/PING")).startswith(b"+PONG\r\nHTTP/1.1 200 OK")


async def test_a_write_waits_for_the_log(line: FakeSocket) -> None:
    assert line.send(get("/set+k+a+point+1+2")) == b""
    assert not line.transport.is_closed
    line.bench.fake_journal.flush()
    assert body_of(line.transport.taken()).startswith(b'{"ok":true')
    assert line.transport.is_closed


async def test_a_write_that_could_not_be_logged_is_an_error(line: FakeSocket) -> None:
    line.send(get("/set+k+a+point+1+2"))
    line.bench.fake_journal.flush("no space")
    assert b'"err":"the log cannot be written' in body_of(line.transport.taken())


async def test_server_commands_and_long_work_are_answered(line: FakeSocket) -> None:
    assert b'"stats":{' in line.send(get("/server"))
    slow = FakeSocket(line.bench)
    assert slow.send(get("/sleep+1")) == b""
    await turn_until(lambda: slow.transport.is_closed)
    assert b'{"ok":true' in slow.transport.taken()


async def test_passwords_are_headers(line: FakeSocket) -> None:
    line.bench.config.set("requirepass", "secret")
    line.bench.gates.requires_password = True
    line.bench.gates.apply()
    path = "/keys+*"
    assert b"authentication required" in FakeSocket(line.bench).send(get(path))
    assert b"invalid password" in FakeSocket(line.bench).send(get(path, "Authorization: x"))
    # Basic for any user, and Bearer.
    for value in ("secret", "Basic OnNlY3JldA==", "basic YW55OnNlY3JldA==", "Bearer secret"):
        assert b'"keys":[]' in FakeSocket(line.bench).send(get(path, f"authorization: {value}"))
    for value in ("Basic Ondyb25n", "Bearer x", "Basic !"):
        assert b"invalid password" in FakeSocket(line.bench).send(
            get(path, f"Authorization: {value}")
        )
    assert b"unknown command 'AUTH'" in FakeSocket(line.bench).send(get("/AUTH+secret"))
    assert b"unknown command 'auth'" in FakeSocket(line.bench).send(
        get("/auth+x", "Authorization: secret")
    )
    assert b"invalid password" in FakeSocket(line.bench).send(get("/auth+x", "Authorization: x"))
    assert b"authentication required" in FakeSocket(line.bench).send(get("/server?x=1"))


@pytest.mark.parametrize(
    "command",
    [
        "set k a object %s ex 5",
        "set k a field j %s point 1 2",
        "within k object %s limit 5",
        "test object %s intersects point 1 2",
    ],
)
async def test_an_error_tells_of_words_behind_an_object(line: FakeSocket, command: str) -> None:
    text = '{"type":"Point","coordinates":[1,2]}'
    path = "/" + (command % text).replace(" ", "+").replace('"', "%22")
    reply = body_of(line.send(get(path)))
    assert b'"ok":false' in reply
    assert b"OBJECT {...} has to be the last one" in reply


async def test_other_errors_do_not_tell_of_it(line: FakeSocket) -> None:
    reply = body_of(line.send(get("/set+k+a+object+{}")))
    assert b'"err":"missing type"' in reply


async def test_a_query_makes_a_command_unknown(line: FakeSocket) -> None:
    for path, name in (("/server?x=1", "server"), ("/PING?", "PING"), ("/quit?a+b", "quit?a")):
        assert b"unknown command '%b'" % name.encode() in FakeSocket(line.bench).send(get(path))
    assert b'"echo":"a?b"' in line.send(get("/echo+a?b"))


async def test_health_is_told_by_the_status(line: FakeSocket) -> None:
    assert line.send(get("/healthz")).startswith(b"HTTP/1.1 200 ")
    line.bench.gates.is_loading = True
    line.bench.gates.apply()
    assert FakeSocket(line.bench).send(get("/healthz")).startswith(b"HTTP/1.1 500 ")
    assert FakeSocket(line.bench).send(get("/keys+*")).startswith(b"HTTP/1.1 200 ")


async def test_all_failures_may_be_told_by_the_status(line: FakeSocket) -> None:
    failing = FakeSocket(line.bench, web=WebSettings(line.bench.config, fails_with_500=True))
    assert failing.send(get("/nope")).startswith(b"HTTP/1.1 500 ")


async def test_without_http_only_preflights_are_answered(line: FakeSocket) -> None:
    closed = WebSettings(line.bench.config, is_enabled=False)
    first = FakeSocket(line.bench, web=closed)
    assert (first.send(get("/PING")), first.transport.is_closed) == (b"", True)
    other = FakeSocket(line.bench, web=closed)
    reply = other.send(b"OPTIONS /PING HTTP/1.1\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n")
    assert other.transport.is_closed


async def test_quit_closes_without_a_reply(line: FakeSocket) -> None:
    assert (line.send(get("/quit")), line.transport.is_closed) == (b"", True)


async def test_refusals_are_json(line: FakeSocket) -> None:
    reply = line.send(b"PUT /PING HTTP/1.1\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    assert b'"err":"method not allowed"' in reply
    assert FakeSocket(line.bench).send(get("/")).startswith(b"HTTP/1.1 400 Bad Request")


async def test_the_refusal_of_head_has_no_body(line: FakeSocket) -> None:
    reply = line.send(b"HEAD /PING HTTP/1.1\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    assert reply.endswith(b"\r\n\r\n")
    assert FakeSocket(line.bench).send(b"HEAD /PING\r\n").startswith(b"-ERR unknown command 'HEAD'")


async def test_a_client_that_waits_for_continue_is_told_to(line: FakeSocket) -> None:
    head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    assert line.send(head) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert line.send(b"PI") == b""
    assert b"pong" in line.send(b"NG")


async def test_a_websocket_gets_one_frame(line: FakeSocket) -> None:
    headers = ("Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x")
    reply = line.send(get("/PING", *headers))
    assert reply.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert body_of(reply)[:1] == b"\x81"
    assert b'{"ok":true,"ping":"pong"' in reply
    assert line.transport.is_closed
    assert body_of(FakeSocket(line.bench).send(get("/output+resp", *headers))) == b"\x81\x03+OK"
