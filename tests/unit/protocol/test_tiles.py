"""URLs of tiles and their replies."""

import pytest

from tile38py.protocol.tiles import tile_command, tile_reply


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"t/1/2/3.mvt", b"INTERSECTS t LIMIT 100000000 MVT 2 3 1"),
        (b"t/1/2/3.pbf?limit=7", b"INTERSECTS t LIMIT 7 MVT 2 3 1"),
        (b"t/1/2/3.mvt?sparse=2&limit=7", b"INTERSECTS t SPARSE 2 MVT 2 3 1"),
        (b"a%2Fb/x/2/3.mvt", b"INTERSECTS a/b LIMIT 100000000 MVT 2 3 x"),
    ],
)
def test_a_tile_is_a_search(text: bytes, words: bytes) -> None:
    assert tile_command(text) == words.split(b" ")


@pytest.mark.parametrize("text", [b"t/1/2.mvt", b"t/1/2/3.png", b"t/1/2/3/4.mvt", b"get k a"])
def test_other_urls_are_none(text: bytes) -> None:
    assert tile_command(text) is None


def test_the_body_is_the_tile_itself() -> None:
    assert tile_reply(b'{"ok":true,"mvt":"GgI","count":0}').endswith(
        b"Content-Type: application/vnd.mapbox-vector-tile\r\nContent-Length: 4\r\n"
        b"Access-Control-Allow-Origin: *\r\n\r\n\x1a\x02\r\n"
    )


def test_an_error_stays_json() -> None:
    body = b'{"ok":false,"err":"x"}'
    assert tile_reply(body).startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert body in tile_reply(body)
