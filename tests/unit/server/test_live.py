"""Live connections on a fake socket: order with replies, slow readers, WebSocket, HTTP, the end."""

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping, TextMessage

from tests.support.bench import Bench, FakeSocket
from tests.support.fakes import command
from tile38py.limits import LIVE_BYTES_MAX

SUBSCRIBE = command(b"SUBSCRIBE", b"a")
SUBSCRIBED = b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
SET = command(b"SET", b"fleet", b"a", b"POINT", b"1", b"2")
UPGRADE = (
    b"GET /%b HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture
async def line() -> FakeSocket:
    return FakeSocket(Bench())


@pytest.fixture
async def socket(line: FakeSocket) -> FakeSocket:
    """A WebSocket that subscribed."""
    line.send(UPGRADE % b"SUBSCRIBE+a")
    return line


def message(text: bytes) -> bytes:
    return b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$%d\r\n%b\r\n" % (len(text), text)


def published(line: FakeSocket, text: bytes = b"hello") -> bytes:
    """What arrives of a message to channel a."""
    line.bench.call("PUBLISH", "a", text)
    line.bench.loop.turn()
    return line.transport.taken()


def said(text: str) -> bytes:
    """A client's text frame."""
    return Connection(ConnectionType.CLIENT).send(TextMessage(data=text))


async def test_acknowledgements_and_messages_keep_their_order(line: FakeSocket) -> None:
    assert line.send(SET + SUBSCRIBE) == b""
    assert published(line) == b""
    line.bench.fake_journal.flush()
    line.bench.loop.turn()
    assert line.transport.taken() == b"+OK\r\n" + SUBSCRIBED + message(b"hello")


async def test_a_reply_comes_behind_the_messages_before_it(line: FakeSocket) -> None:
    line.send(SUBSCRIBE)
    line.bench.call("PUBLISH", "a", "hello")
    assert line.send(b"QUIT\r\n") == b""
    line.bench.loop.turn()
    assert line.transport.taken() == message(b"hello") + b"+OK\r\n"
    assert line.transport.is_closed


async def test_a_client_that_takes_nothing_gets_it_later(line: FakeSocket) -> None:
    line.send(SUBSCRIBE)
    line.connection.pause_writing()
    assert published(line) + published(line, b"again") == b""
    line.connection.resume_writing()
    assert line.transport.taken() == message(b"hello") + message(b"again")
    assert line.transport.reads


async def test_a_client_that_takes_nothing_for_long_is_cut(line: FakeSocket) -> None:
    line.send(SUBSCRIBE)
    line.connection.pause_writing()
    line.transport.unsent = 100
    published(line, b"x" * LIVE_BYTES_MAX)
    assert line.bench.subscriptions.cut_count == 0
    published(line)
    assert line.bench.subscriptions.cut_count == 1
    assert line.transport.is_aborted


async def test_nobody_publishes_to_who_is_gone(line: FakeSocket) -> None:
    line.send(SUBSCRIBE)
    line.connection.connection_lost(None)
    assert line.bench.call("PUBLISH", "a", "hello") == b":0\r\n"


async def test_a_clean_stop_ends_live_connections(line: FakeSocket) -> None:
    line.send(SUBSCRIBE)
    line.bench.call("PUBLISH", "a", "hello")
    line.connection.finish()
    line.bench.loop.turn()
    assert line.transport.taken() == message(b"hello")
    assert line.transport.is_closed


async def test_http_in_the_live_mode_is_no_way_out(line: FakeSocket) -> None:
    line.send(SUBSCRIBE)
    assert line.send(b"GET /SERVER HTTP/1.1\r\n\r\n") == b""
    assert line.transport.is_closed


async def test_a_websocket_is_acknowledged_and_gets_messages(line: FakeSocket) -> None:
    head, _, frame = line.send(UPGRADE % b"SUBSCRIBE+a").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert frame[2:].startswith(b'{"ok":true,"command":"subscribe","channel":"a","num":1,')
    assert published(line, b'{"k":1}') == b'\x81\x07{"k":1}'
    assert not line.transport.is_closed


async def test_a_websocket_subscribes_to_more_by_text(socket: FakeSocket) -> None:
    reply = socket.send(said("PSUBSCRIBE x* y*"))
    assert reply.count(b'"command":"psubscribe"') == 2
    assert b"only (P)SUBSCRIBE" in socket.send(said("GET fleet a"))
    assert b'"ping":"pong"' in socket.send(said("PING"))


async def test_a_websocket_ends_with_a_close_frame(socket: FakeSocket) -> None:
    reply = socket.send(said("quit"))
    assert b'{"ok":true,' in reply
    assert reply.endswith(b"\x88\x02\x03\xe8")
    assert socket.transport.is_closed


async def test_control_frames_are_answered(socket: FakeSocket) -> None:
    client = Connection(ConnectionType.CLIENT)
    assert socket.send(client.send(Ping(payload=b"x"))) == b"\x8a\x01x"
    assert socket.send(client.send(CloseConnection(code=1000))) == b"\x88\x02\x03\xe8"
    assert socket.transport.is_closed


async def test_a_monitor_over_websocket_gets_messages(line: FakeSocket) -> None:
    assert line.send(UPGRADE % b"MONITOR").endswith(b"\x81\x03+OK")
    line.bench.call("GET", "fleet", "a")
    line.bench.loop.turn()
    assert line.transport.taken().endswith(b'"GET" "fleet" "a"')
    assert line.send(said("x")) == b"\x88\x02\x03\xe8"


GET = b"GET /%b HTTP/1.1\r\n\r\n"
FENCE = b"WITHIN+fleet+FENCE+DETECT+inside+IDS+BOUNDS+0+0+10+10"


def moved(line: FakeSocket) -> bytes:
    """What arrives of a write within the fence."""
    line.bench.call("SET", "fleet", "a", "POINT", "1", "2")
    assert line.transport.taken() == b""  # the log doesn't have it yet
    line.bench.fake_journal.flush()
    line.bench.loop.turn()
    return line.transport.taken()


async def test_a_live_fence_tells_of_writes_that_are_logged(line: FakeSocket) -> None:
    assert line.send(FENCE.replace(b"+", b" ") + b"\r\n") == b"+OK\r\n"
    data = moved(line)
    assert data.startswith(b"$")
    assert b'"detect":"inside","key":"fleet"' in data
    line.send(b"QUIT\r\n")
    assert line.transport.is_closed


async def test_a_live_fence_is_gone_with_its_connection(line: FakeSocket) -> None:
    line.send(FENCE.replace(b"+", b" ") + b"\r\n")
    line.connection.connection_lost(None)
    assert moved(line) == b""
    assert not line.bench.engine.remove_live(1)


async def test_a_live_fence_over_websocket_sends_bare_json(line: FakeSocket) -> None:
    reply = line.send(UPGRADE % FENCE)
    assert reply.endswith(b'\x81\x17{"ok":true,"live":true}')
    assert b'{"command":"set",' in moved(line)[:30]


async def test_a_live_fence_over_http_is_a_stream_of_chunks(line: FakeSocket) -> None:
    assert line.send(GET % FENCE) == (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8"
        b"\r\nTransfer-Encoding: chunked\r\nAccess-Control-Allow-Origin: *\r\n\r\n"
        b'18\r\n{"ok":true,"live":true}\n\r\n'
    )
    size, _, rest = moved(line).partition(b"\r\n")
    assert rest.startswith(b'{"command":"set",')
    assert rest.endswith(b'"id":"a"}\n\r\n')
    assert int(size, 16) == len(rest) - 2
    assert not line.transport.is_closed


async def test_an_old_client_of_http_gets_bare_lines(line: FakeSocket) -> None:
    head, _, body = line.send(b"GET /SUBSCRIBE+a+b HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length" not in head
    assert b"Transfer-Encoding" not in head
    first, second, end = body.split(b"\n")
    assert first.startswith(b'{"ok":true,"command":"subscribe","channel":"a","num":1,')
    assert second.startswith(b'{"ok":true,"command":"subscribe","channel":"b","num":2,')
    assert end == b""
    assert published(line) == b'"hello"\n'
    line.connection.finish()
    assert line.transport.taken() == b""
    assert line.transport.is_closed


async def test_a_message_over_http_is_one_line_whatever_is_in_it(line: FakeSocket) -> None:
    line.send(b"GET /PSUBSCRIBE+* HTTP/1.0\r\n\r\n")
    assert published(line, b'{"a":\r\n[1]}') == b'{"a":  [1]}\n'
    assert published(line, b"a\nb") == b'"a\\nb"\n'


async def test_a_clean_stop_ends_a_stream_with_the_last_chunk(line: FakeSocket) -> None:
    line.send(GET % b"SUBSCRIBE+a")
    line.bench.call("PUBLISH", "a", "hello")
    line.connection.finish()
    line.bench.loop.turn()
    assert line.transport.taken() == b'8\r\n"hello"\n\r\n0\r\n\r\n'
    assert line.transport.is_closed


async def test_a_stream_that_is_taken_slowly_is_cut_as_others_are(line: FakeSocket) -> None:
    line.send(GET % b"SUBSCRIBE+a")
    line.connection.pause_writing()
    line.transport.unsent = 100
    assert published(line, b"x" * LIVE_BYTES_MAX) + published(line) == b""
    assert line.bench.subscriptions.cut_count == 1
    assert line.transport.is_aborted


async def test_a_fence_over_http_is_gone_with_its_client(line: FakeSocket) -> None:
    line.send(GET % FENCE)
    assert not line.connection.eof_received()  # so that the transport closes
    line.connection.connection_lost(None)
    assert moved(line) == b""
    assert not line.bench.engine.remove_live(1)


async def test_nothing_is_heard_of_a_client_that_streams(line: FakeSocket) -> None:
    line.send(GET % b"SUBSCRIBE+a" + GET % b"PING")
    assert line.send(GET % b"PING") == b""
    assert published(line) == b'8\r\n"hello"\n\r\n'


@pytest.mark.parametrize(
    ("command_text", "error"),
    [
        (b"NEARBY+fleet+FENCE+POINT+1", b"invalid number of arguments"),
        (b"SUBSCRIBE", b"invalid number of arguments"),
        (b"MONITOR", b"MONITOR needs WebSocket or RESP"),
    ],
)
async def test_what_does_not_go_live_over_http_is_a_reply(
    line: FakeSocket, command_text: bytes, error: bytes
) -> None:
    reply = line.send(GET % command_text)
    assert b"\r\nContent-Length: " in reply
    assert b'{"ok":false,"err":"' + error in reply
    assert line.transport.is_closed
    assert line.connection.listener is None


async def test_a_stream_needs_the_password(line: FakeSocket) -> None:
    line.bench.config.set("requirepass", "secret")
    line.bench.gates.requires_password = True
    line.bench.gates.apply()
    assert b'"err":"authentication required"' in line.send(GET % FENCE)
    head = b"GET /%b HTTP/1.1\r\nAuthorization: %b\r\n\r\n"
    assert b'"err":"invalid password"' in FakeSocket(line.bench).send(head % (FENCE, b"x"))
    reply = FakeSocket(line.bench).send(head % (b"SUBSCRIBE+a", b"secret"))
    assert b'\n{"ok":true,"command":"subscribe",' in reply


async def test_a_stream_that_the_log_keeps_from_starting_is_a_reply(line: FakeSocket) -> None:
    line.bench.call("SET", "fleet", "a", "POINT", "1", "2")
    assert line.send(GET % FENCE) == b""
    line.bench.fake_journal.flush("full")
    reply = line.transport.taken()
    assert b"\r\nContent-Length: " in reply
    assert b'"err":"the log cannot be written' in reply
    assert line.transport.is_closed
