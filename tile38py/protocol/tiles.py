"""Vector tiles over HTTP: the search behind a tile's URL, its validator, and the reply."""

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, unquote_to_bytes

from tile38py.protocol.http import JSON, TILE, reply

LIMIT: Final = b"100000000"
SUFFIXES: Final = (b".mvt", b".pbf")
# A smaller tile fits into a packet without compression, too.
GZIP_BYTES_MIN: Final = 1024
GZIP_LEVEL: Final = 5
# A browser keeps the tile, and asks each time whether it is still the same.
CACHING: Final = (
    b"ETag: %b\r\nCache-Control: no-cache\r\nVary: Accept-Encoding\r\n"
    b"Access-Control-Allow-Origin: *\r\n\r\n"
)

# Returns the version of a collection, None if there is none.
CollectionVersion = Callable[[bytes], int | None]


@dataclass(frozen=True, slots=True)
class TileRequest:
    """A request for a tile."""

    keys: tuple[bytes, ...]
    words: list[bytes]  # the search

    def entity_tag(self, run_id: str, version: CollectionVersion) -> bytes:
        """Return the tag of the tile as it is now.

        It is weak: compressed or not, the tile has the same tag. Versions of collections mean
        something only within one run of the server.
        """
        state = repr((run_id, self.words, [version(key) for key in self.keys]))
        digest = hashlib.blake2b(state.encode(), digest_size=12).hexdigest()
        return b'W/"%b"' % digest.encode()


def tile_request(target: bytes, version: CollectionVersion) -> TileRequest | None:
    """Parse /<key>/<z>/<x>/<y>.mvt or .pbf; return None for other URLs.

    Several keys stand between commas, unless there is a collection whose key has these commas.
    """
    path, _, query = target.partition(b"?")
    names, *places = path.split(b"/")
    match [unquote_to_bytes(unquote_to_bytes(part)) for part in places]:
        # A command has spaces, which URLs have as plus signs.
        case [z, x, last] if last.endswith(SUFFIXES) and b"+" not in target:
            y = last[: -len(SUFFIXES[0])]
        case _:
            return None
    values = parse_qs(query, keep_blank_values=True)
    if b"sparse" in values:
        amount = [b"SPARSE", values[b"sparse"][0]]
    else:
        amount = [b"LIMIT", values.get(b"limit", [LIMIT])[0]]
    keys = _keys(unquote_to_bytes(names), version)
    layers = [word for key in keys[1:] for word in (b"LAYER", key)]
    return TileRequest(keys, [b"INTERSECTS", keys[0], *amount, b"MVT", x, y, z, *layers])


def _keys(names: bytes, version: CollectionVersion) -> tuple[bytes, ...]:
    whole = unquote_to_bytes(names)
    # A comma that is escaped twice separates no keys.
    keys = tuple(unquote_to_bytes(name) for name in names.split(b",") if name)
    return keys if len(keys) > 1 and version(whole) is None else (whole,)


def is_current(headers: Mapping[bytes, bytes], entity_tag: bytes) -> bool:
    """Return whether the client has the tile already."""
    known = headers.get(b"if-none-match", b"").split(b",")
    if [tag.strip() for tag in known] == [b"*"]:
        return True
    return entity_tag.removeprefix(b"W/") in {tag.strip().removeprefix(b"W/") for tag in known}


def tile_reply(body: bytes, entity_tag: bytes, *, is_compressed: bool) -> bytes:
    """Make the reply of the search's JSON: the tile, or an error.

    Tile38 appends a line end to the tile, which decoders of protobuf refuse.
    """
    content: object = json.loads(body)
    if not isinstance(content, dict) or not isinstance(content.get("mvt"), str):
        return reply(HTTPStatus.INTERNAL_SERVER_ERROR, body, JSON)
    # The padding is left out in the JSON.
    tile = base64.b64decode(content["mvt"] + "==")
    encoding = b""
    if is_compressed and len(tile) >= GZIP_BYTES_MIN:
        tile = gzip.compress(tile, GZIP_LEVEL, mtime=0)
        encoding = b"Content-Encoding: gzip\r\n"
    return (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b%b%b"
        % (TILE, len(tile), encoding, CACHING % entity_tag, tile)
    )


def not_modified(entity_tag: bytes) -> bytes:
    """Make the reply to a client that has the tile already."""
    return b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n" + CACHING % entity_tag
