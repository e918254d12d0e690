"""URLs of tiles, their validators and their replies."""

import gzip
from urllib.parse import quote

import pytest

from tile38py.protocol.tiles import (
    TileRequest,
    not_modified,
    tile_reply,
    tile_request,
)

TAG = b'W/"abc"'
JSON = b'{"ok":true,"mvt":"GgI","count":0}'


def version(key: bytes) -> int | None:
    """Collections with and without a comma in their keys."""
    return {b"t": 1, b"roads": 2, b"x,y": 3}.get(key)


def parsed(text: bytes) -> TileRequest:
    request = tile_request(text, version)
    assert request is not None
    return request


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"t/1/2/3.mvt", b"INTERSECTS t LIMIT 100000000 MVT 2 3 1"),
        (b"t/1/2/3.pbf?limit=7", b"INTERSECTS t LIMIT 7 MVT 2 3 1"),
        (b"t/1/2/3.mvt?sparse=2&limit=7", b"INTERSECTS t SPARSE 2 MVT 2 3 1"),
        (b"a%2Fb/x/2/3.mvt", b"INTERSECTS a/b LIMIT 100000000 MVT 2 3 x"),
        (b"t,roads/1/2/3.mvt?limit=7", b"INTERSECTS t LIMIT 7 MVT 2 3 1 LAYER roads"),
        (b"t,a%252Cb,/1/2/3.mvt?limit=7", b"INTERSECTS t LIMIT 7 MVT 2 3 1 LAYER a,b"),
        (b"x,y/1/2/3.mvt?limit=7", b"INTERSECTS x,y LIMIT 7 MVT 2 3 1"),
        (b",/1/2/3.mvt?limit=7", b"INTERSECTS , LIMIT 7 MVT 2 3 1"),
    ],
)
def test_a_tile_is_a_search(text: bytes, words: bytes) -> None:
    assert parsed(text).words == words.split(b" ")


@pytest.mark.parametrize("key", ["my key", "a/b", "a?b", "50%", "ü"])
def test_a_key_may_have_any_characters(key: str) -> None:
    assert parsed(f"{quote(quote(key, safe=''))}/1/2/3.mvt".encode()).keys == (key.encode(),)
    if "%" not in key:
        assert parsed(f"{quote(key, safe='')}/1/2/3.mvt".encode()).keys == (key.encode(),)


@pytest.mark.parametrize(
    "text", [b"t/1/2.mvt", b"t/1/2/3.png", b"t/1/2/3/4.mvt", b"get+k/1/2/3.mvt"]
)
def test_other_urls_are_none(text: bytes) -> None:
    assert tile_request(text, version) is None


def test_the_tag_changes_with_the_url_the_run_and_each_collection() -> None:
    request = parsed(b"t,roads/1/2/3.mvt")
    tags = {
        request.entity_tag("run", version),
        request.entity_tag("other run", version),
        parsed(b"t,roads/1/2/4.mvt").entity_tag("run", version),
        request.entity_tag("run", lambda key: 9 if key == b"roads" else version(key)),
        request.entity_tag("run", lambda key: None if key == b"t" else version(key)),
    }
    assert len(tags) == 5
    assert request.entity_tag("run", version) in tags


def test_the_body_is_the_tile_itself() -> None:
    assert tile_reply(JSON, TAG, is_compressed=True) == (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
        b"Content-Type: application/vnd.mapbox-vector-tile\r\nContent-Length: 2\r\n"
        b'ETag: W/"abc"\r\nCache-Control: no-cache\r\nVary: Accept-Encoding\r\n'
        b"Access-Control-Allow-Origin: *\r\n\r\n\x1a\x02"
    )


def test_a_large_tile_is_compressed() -> None:
    body = b'{"ok":true,"mvt":"%b","count":1}' % (b"AAAA" * 1000)
    head, _, content = tile_reply(body, TAG, is_compressed=True).partition(b"\r\n\r\n")
    assert b"\r\nContent-Encoding: gzip\r\n" in head
    assert b"\r\nContent-Length: %d\r\n" % len(content) in head
    assert gzip.decompress(content) == bytes(3000)
    assert b"gzip" not in tile_reply(body, TAG, is_compressed=False)


def test_an_error_stays_json() -> None:
    body = b'{"ok":false,"err":"x"}'
    reply = tile_reply(body, TAG, is_compressed=True)
    assert reply.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert body in reply
    assert b"ETag" not in reply


def test_a_client_that_has_the_tile_gets_no_body() -> None:
    head, _, body = not_modified(TAG).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 304 Not Modified\r\n")
    assert b'ETag: W/"abc"' in head
    assert body == b""
