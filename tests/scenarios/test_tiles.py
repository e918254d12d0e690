"""Tiles over HTTP as a map in a browser gets them: kept, asked for again, compressed, by layer."""

import gzip
import http.client
from dataclasses import dataclass

from tests.support.process import ServerProcess
from tests.support.tiles import decode

OBJECTS_COUNT = 20_000


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes


def get(server: ServerProcess, path: str, **headers: str) -> Reply:
    """Send a request with headers, whose names have _ for -."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers=names)
        reply = connection.getresponse()
        fields = {name.lower(): value for name, value in reply.getheaders()}
        return Reply(reply.status, fields, reply.read())
    finally:
        connection.close()


def test_a_browser_gets_a_tile_again_only_when_its_collection_has_changed(
    server: ServerProcess,
) -> None:
    server.call("SET", "fleet", "17", "FIELD", "speed", "5", "POINT", "33", "-112")
    path = "/fleet/0/0/0.mvt"
    first = get(server, path)
    assert first.status == 200
    assert first.headers["cache-control"] == "no-cache"
    assert [f.tags["speed"] for f in decode(first.body)["tile38"]] == [5]
    tag = first.headers["etag"]
    kept = get(server, path, If_None_Match=tag)
    assert (kept.status, kept.body, kept.headers["etag"]) == (304, b"", tag)
    server.call("SET", "other", "a", "POINT", "1", "1")
    assert get(server, path, If_None_Match=tag).status == 304
    assert get(server, "/fleet/0/0/0.pbf?limit=5", If_None_Match=tag).status == 200

    server.call("FSET", "fleet", "17", "speed", "6")
    second = get(server, path, If_None_Match=tag)
    assert [f.tags["speed"] for f in decode(second.body)["tile38"]] == [6]
    server.call("DROP", "fleet")
    third = get(server, path, If_None_Match=second.headers["etag"])
    assert (third.status, decode(third.body)["tile38"]) == (200, [])


def test_without_the_password_nobody_learns_that_a_tile_is_the_same(server: ServerProcess) -> None:
    server.call("SET", "fleet", "17", "POINT", "33", "-112")
    tag = get(server, "/fleet/0/0/0.mvt").headers["etag"]
    server.call("CONFIG", "SET", "requirepass", "secret")
    refused = get(server, "/fleet/0/0/0.mvt", If_None_Match=tag)
    assert refused.status == 500
    assert b"authentication required" in refused.body
    known = get(server, "/fleet/0/0/0.mvt", If_None_Match=tag, Authorization="Bearer secret")
    assert known.status == 304


def test_several_collections_are_layers_unless_the_commas_are_of_the_key(
    server: ServerProcess,
) -> None:
    server.call("SET", "a", "1", "POINT", "1", "1")
    server.call("SET", "b", "2", "POINT", "1", "1")
    assert list(decode(get(server, "/a,b/0/0/0.mvt").body)) == ["a", "b"]
    tag = get(server, "/a,b/0/0/0.mvt").headers["etag"]
    server.call("SET", "b", "3", "POINT", "1", "1")
    assert get(server, "/a,b/0/0/0.mvt", If_None_Match=tag).status == 200
    server.call("SET", "a,b", "4", "POINT", "1", "1")
    layers = decode(get(server, "/a,b/0/0/0.mvt").body)
    assert [f.tags["id"] for f in layers["tile38"]] == ["4"]
    assert list(decode(get(server, "/a,b,/0/0/0.mvt").body)) == ["a", "b"]


def test_a_large_tile_is_compressed_while_others_are_served(server: ServerProcess) -> None:
    with server.connect() as connection:
        objects = ((str(n), str(n % 80), str(n % 170)) for n in range(OBJECTS_COUNT))
        commands = [("SET", "k", number, "POINT", *place) for number, *place in objects]
        assert set(map(str, connection.call_many(commands))) == {"+OK"}
        request = b"GET /k/0/0/0.mvt HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"
        with server.connect() as tile:
            tile.send(request)
            assert connection.call("PING") == "+PONG"
            received = b""
            while part := tile.socket.recv(65536):
                received += part
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Encoding: gzip\r\n" in head
    assert len(decode(gzip.decompress(body))["tile38"]) == OBJECTS_COUNT


def test_errors_of_tiles_have_a_status(server: ServerProcess) -> None:
    for path, text in (
        ("/k/24/0/0.mvt", b"invalid argument '24'"),
        ("/k/0/-1/0.mvt", b"invalid argument '-1'"),
        ("/k/0/0/x.mvt", b"invalid argument 'x'"),
        ("/k/0/0/0.mvt?limit=0", b"invalid argument '0'"),
        ("/k/0/0/0.mvt?sparse=99", b"invalid argument '99'"),
    ):
        reply = get(server, path)
        assert reply.status == 500
        assert text in reply.body
        assert "etag" not in reply.headers
