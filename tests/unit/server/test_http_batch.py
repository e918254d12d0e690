"""Batches of commands over HTTP: NDJSON in, NDJSON out."""

import asyncio
import json

import pytest

from tests.support.bench import Bench, FakeSocket

SETS = """["SET","fleet","a","FIELD","speed",5.5,"POINT",33.5,-112]
["GET","fleet","a","WITHFIELDS"]
"""


@pytest.fixture
async def line() -> FakeSocket:
    return FakeSocket(Bench(is_developer=True))


def post(body: str, target: str = "/", version: str = "1.0", *headers: str) -> bytes:
    data = body.encode()
    lines = [f"POST {target} HTTP/{version}", "Host: x", "Content-Type: application/x-ndjson"]
    lines += [*headers, f"Content-Length: {len(data)}", "", ""]
    return "\r\n".join(lines).encode() + data


async def exchange(line: FakeSocket, request: bytes) -> list[dict[str, object]]:
    """Send a request; return the reply's lines without their times."""
    reply = line.send(request)
    while not line.transport.is_closed:
        line.bench.fake_journal.flush()
        await asyncio.sleep(0.001)
        reply += line.transport.taken()
    head, _, body = (reply + line.transport.taken()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n"), head
    assert b"Content-Type: application/x-ndjson\r\n" in head
    replies = [json.loads(text) for text in body.decode().splitlines()]
    for reply_ in replies:
        del reply_["elapsed"]
    return replies


async def test_each_line_has_a_reply(line: FakeSocket) -> None:
    replies = await exchange(line, post(SETS + '\n["NOPE"]\n["DBSIZE"]'))
    point = {"type": "Point", "coordinates": [-112, 33.5]}
    assert replies == [
        {"ok": True},
        {"ok": True, "object": point, "fields": {"speed": 5.5}},
        {"ok": False, "err": "unknown command 'NOPE'"},
        {"ok": True, "count": 1},
    ]


async def test_an_object_is_a_word(line: FakeSocket) -> None:
    shape = '{"type":"Point","coordinates":[1,2]}'
    body = f'["SET","k","ü","OBJECT",{shape}]\n["GET","k","ü"]\n'
    assert (await exchange(line, post(body)))[1]["object"] == json.loads(shape)


async def test_chunks_are_for_those_who_know_them(line: FakeSocket) -> None:
    reply = line.send(post('["PING"]', "/", "1.1"))
    assert b"Transfer-Encoding: chunked\r\n" in reply
    assert reply.endswith(b"\r\n0\r\n\r\n")


async def test_a_line_that_is_no_command_stops_no_other(line: FakeSocket) -> None:
    bad = ["{}", "[]", "[null]", '["PING"', "PING", "[NaN]", "[" * 100_000, '["\\ud800"]']
    replies = await exchange(line, post("\n".join([*bad, '["PING"]'])))
    assert [reply["ok"] for reply in replies] == [False] * len(bad) + [True]
    assert "JSON array" in str(replies[0]["err"])


async def test_long_work_has_its_place(line: FakeSocket) -> None:
    replies = await exchange(line, post('["SLEEP",0.01]\n["PING"]\n'))
    assert replies == [{"ok": True}, {"ok": True, "ping": "pong"}]


async def test_many_commands_yield_to_others(line: FakeSocket) -> None:
    body = "".join(f'["SET","k",{number},"POINT",1,2]\n' for number in range(3000))
    for target in ("/", "/?atomic=true"):
        socket = FakeSocket(line.bench)
        replies = await exchange(socket, post(body, target))
        assert replies == 3000 * [{"ok": True}]


async def test_a_transaction_runs_whole(line: FakeSocket) -> None:
    body = SETS + '["DBSIZE"]\n["FSET","fleet","a","speed",6]\n["RENAME","none","x"]'
    replies = await exchange(line, post(body, "/?atomic=true"))
    assert [reply["ok"] for reply in replies] == [True, True, True, True, False]
    assert replies[2] == {"ok": True, "count": 1}
    assert b"\r\nseT\r\n" in line.bench.fake_journal.data
    assert b"\r\nFSET\r\n" in line.bench.fake_journal.data


@pytest.mark.parametrize("bad", ['["NOPE"]', '["SET","k"]', '["SUBSCRIBE","c"]', '["MULTI"]'])
async def test_a_transaction_with_a_bad_command_runs_not_at_all(line: FakeSocket, bad: str) -> None:
    replies = await exchange(line, post(f"{SETS}{bad}\n", "/?atomic=true"))
    assert [str(reply["err"]).split(" ")[0] for reply in replies[:2]] == 2 * ["EXECABORT"]
    assert len(replies) == 3
    assert line.bench.engine.statistics()["num_objects"] == 0


async def test_a_transaction_with_a_bad_line_says_which(line: FakeSocket) -> None:
    replies = await exchange(line, post(SETS + "nope\n", "/?atomic=true"))
    assert str(replies[0]["err"]).startswith("command 3: invalid line")
    assert line.bench.engine.statistics()["num_objects"] == 0


@pytest.mark.parametrize("live", ['["SUBSCRIBE","c"]', '["NEARBY","k","FENCE","POINT",1,2,3]'])
async def test_live_commands_end_a_batch(line: FakeSocket, live: str) -> None:
    replies = await exchange(line, post(f'["PING"]\n{live}\n["PING"]\n'))
    assert [reply["ok"] for reply in replies] == [True, False]
    assert "not allowed in a batch" in str(replies[1]["err"])


async def test_a_password_is_needed_once(line: FakeSocket) -> None:
    line.bench.config.set("requirepass", "pw")
    line.bench.gates.requires_password = True
    line.bench.gates.apply()
    refused = await exchange(FakeSocket(line.bench), post('["GET","k","a"]'))
    assert "authentication required" in str(refused[0]["err"])
    header = "Authorization: pw"
    assert await exchange(line, post('["PING"]', "/", "1.0", header)) == [
        {"ok": True, "ping": "pong"}
    ]


async def test_a_batch_that_could_not_be_logged_ends_with_the_error(line: FakeSocket) -> None:
    line.send(post(SETS))
    line.bench.fake_journal.flush("no space")
    assert b'"err":"the log cannot be written' in line.transport.taken()


async def test_other_requests_stay_what_they_were(line: FakeSocket) -> None:
    assert b"pong" in line.send(post("PING").replace(b"x-ndjson", b"json"))
    assert b"pong" in FakeSocket(line.bench).send(post("", "/PING"))


@pytest.mark.parametrize("words", ['["OUTPUT","resp"]', '["quit"]'])
async def test_what_changes_the_connection_ends_the_batch(line: FakeSocket, words: str) -> None:
    replies = await exchange(line, post(f'["OUTPUT","json"]\n{words}\n["PING"]\n'))
    assert [reply["ok"] for reply in replies] == [True, False]
    assert "ends a batch" in str(replies[1]["err"])


async def test_a_live_command_ends_the_chunks_once(line: FakeSocket) -> None:
    reply = line.send(post('["SUBSCRIBE","c"]', "/", "1.1"))
    assert reply.count(b"0\r\n\r\n") == 1
    assert line.transport.is_closed


@pytest.mark.parametrize("query", ["atomic=1", "atomic", "x=y"])
async def test_an_unknown_query_is_refused(line: FakeSocket, query: str) -> None:
    reply = line.send(post('["SET","k","a","POINT",1,2]', f"/?{query}"))
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert b"atomic=true" in reply
