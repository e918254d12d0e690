"""Live connections on a fake socket: order with replies, slow readers, WebSocket, the end."""

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping, TextMessage

from tests.support.bench import Bench, Line
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
async def line() -> Line:
    return Line(Bench())


@pytest.fixture
async def socket(line: Line) -> Line:
    """A WebSocket that subscribed."""
    line.send(UPGRADE % b"SUBSCRIBE+a")
    return line


def message(text: bytes) -> bytes:
    return b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$%d\r\n%b\r\n" % (len(text), text)


def published(line: Line, text: bytes = b"hello") -> bytes:
    """What arrives of a message to channel a."""
    line.bench.call("PUBLISH", "a", text)
    line.bench.loop.turn()
    return line.transport.taken()


def said(text: str) -> bytes:
    """A client's text frame."""
    return Connection(ConnectionType.CLIENT).send(TextMessage(data=text))


async def test_acknowledgements_and_messages_keep_their_order(line: Line) -> None:
    assert line.send(SET + SUBSCRIBE) == b""
    assert published(line) == b""
    line.bench.fake_journal.flush()
    line.bench.loop.turn()
    assert line.transport.taken() == b"+OK\r\n" + SUBSCRIBED + message(b"hello")


async def test_a_reply_comes_behind_the_messages_before_it(line: Line) -> None:
    line.send(SUBSCRIBE)
    line.bench.call("PUBLISH", "a", "hello")
    assert line.send(b"QUIT\r\n") == b""
    line.bench.loop.turn()
    assert line.transport.taken() == message(b"hello") + b"+OK\r\n"
    assert line.transport.is_closed


async def test_a_client_that_takes_nothing_gets_it_later(line: Line) -> None:
    line.send(SUBSCRIBE)
    line.connection.pause_writing()
    assert published(line) + published(line, b"again") == b""
    line.connection.resume_writing()
    assert line.transport.taken() == message(b"hello") + message(b"again")
    assert line.transport.reads


async def test_a_client_that_takes_nothing_for_long_is_cut(line: Line) -> None:
    line.send(SUBSCRIBE)
    line.connection.pause_writing()
    line.transport.unsent = 100
    published(line, b"x" * LIVE_BYTES_MAX)
    assert line.bench.subscriptions.cut_count == 0
    published(line)
    assert line.bench.subscriptions.cut_count == 1
    assert line.transport.is_aborted


async def test_nobody_publishes_to_who_is_gone(line: Line) -> None:
    line.send(SUBSCRIBE)
    line.connection.connection_lost(None)
    assert line.bench.call("PUBLISH", "a", "hello") == b":0\r\n"


async def test_a_clean_stop_ends_live_connections(line: Line) -> None:
    line.send(SUBSCRIBE)
    line.bench.call("PUBLISH", "a", "hello")
    line.connection.finish()
    line.bench.loop.turn()
    assert line.transport.taken() == message(b"hello")
    assert line.transport.is_closed


async def test_http_in_the_live_mode_is_no_way_out(line: Line) -> None:
    line.send(SUBSCRIBE)
    assert line.send(b"GET /SERVER HTTP/1.1\r\n\r\n") == b""
    assert line.transport.is_closed


async def test_a_websocket_is_acknowledged_and_gets_messages(line: Line) -> None:
    head, _, frame = line.send(UPGRADE % b"SUBSCRIBE+a").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert frame[2:].startswith(b'{"ok":true,"command":"subscribe","channel":"a","num":1,')
    assert published(line, b'{"k":1}') == b'\x81\x07{"k":1}'
    assert not line.transport.is_closed


async def test_a_websocket_subscribes_to_more_by_text(socket: Line) -> None:
    reply = socket.send(said("PSUBSCRIBE x* y*"))
    assert reply.count(b'"command":"psubscribe"') == 2
    assert b"only (P)SUBSCRIBE" in socket.send(said("GET fleet a"))
    assert b'"ping":"pong"' in socket.send(said("PING"))


async def test_a_websocket_ends_with_a_close_frame(socket: Line) -> None:
    reply = socket.send(said("quit"))
    assert b'{"ok":true,' in reply
    assert reply.endswith(b"\x88\x02\x03\xe8")
    assert socket.transport.is_closed


async def test_control_frames_are_answered(socket: Line) -> None:
    client = Connection(ConnectionType.CLIENT)
    assert socket.send(client.send(Ping(payload=b"x"))) == b"\x8a\x01x"
    assert socket.send(client.send(CloseConnection(code=1000))) == b"\x88\x02\x03\xe8"
    assert socket.transport.is_closed


async def test_a_live_command_over_http_is_refused(line: Line) -> None:
    reply = line.send(b"GET /SUBSCRIBE+a HTTP/1.1\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 200 OK")
    assert b'"err":"live commands need WebSocket or RESP"' in reply
    assert line.transport.is_closed


async def test_a_monitor_over_websocket_gets_messages(line: Line) -> None:
    assert line.send(UPGRADE % b"MONITOR").endswith(b"\x81\x03+OK")
    line.bench.call("GET", "fleet", "a")
    line.bench.loop.turn()
    assert line.transport.taken().endswith(b'"GET" "fleet" "a"')
    assert line.send(said("x")) == b"\x88\x02\x03\xe8"


FENCE = b"WITHIN+fleet+FENCE+DETECT+inside+IDS+BOUNDS+0+0+10+10"


def moved(line: Line) -> bytes:
    """What arrives of a write within the fence."""
    line.bench.call("SET", "fleet", "a", "POINT", "1", "2")
    assert line.transport.taken() == b""  # the log doesn't have it yet
    line.bench.fake_journal.flush()
    line.bench.loop.turn()
    return line.transport.taken()


async def test_a_live_fence_tells_of_writes_that_are_logged(line: Line) -> None:
    assert line.send(FENCE.replace(b"+", b" ") + b"\r\n") == b"+OK\r\n"
    data = moved(line)
    assert data.startswith(b"$")
    assert b'"detect":"inside","key":"fleet"' in data
    line.send(b"QUIT\r\n")
    assert line.transport.is_closed


async def test_a_live_fence_is_gone_with_its_connection(line: Line) -> None:
    line.send(FENCE.replace(b"+", b" ") + b"\r\n")
    line.connection.connection_lost(None)
    assert moved(line) == b""
    assert not line.bench.engine.remove_live(1)


async def test_a_live_fence_over_websocket_sends_bare_json(line: Line) -> None:
    reply = line.send(UPGRADE % FENCE)
    assert reply.endswith(b'\x81\x17{"ok":true,"live":true}')
    assert b'{"command":"set",' in moved(line)[:30]


async def test_a_live_fence_over_http_is_refused(line: Line) -> None:
    reply = line.send(b"GET /" + FENCE + b" HTTP/1.1\r\n\r\n")
    assert b'"err":"live commands need WebSocket or RESP"' in reply
    assert line.transport.is_closed
