"""Vector tiles over HTTP: the search behind a tile's URL, and the tile in its reply."""

import base64
import json
from http import HTTPStatus
from urllib.parse import parse_qs, unquote_to_bytes

from tile38py.protocol.http import JSON, TILE, reply

LIMIT = b"100000000"
SUFFIXES = (b".mvt", b".pbf")


def tile_command(text: bytes) -> list[bytes] | None:
    """The words of the search behind /<key>/<z>/<x>/<y>.mvt or .pbf, None for other URLs."""
    path, _, query = text.partition(b"?")
    parts = [unquote_to_bytes(part) for part in path.split(b"/")]
    match parts:
        case [key, z, x, last] if last.endswith(SUFFIXES) and b" " not in text:
            y = last[: -len(SUFFIXES[0])]
        case _:
            return None
    values = parse_qs(query, keep_blank_values=True)
    if b"sparse" in values:
        amount = [b"SPARSE", values[b"sparse"][0]]
    else:
        amount = [b"LIMIT", values.get(b"limit", [LIMIT])[0]]
    return [b"INTERSECTS", key, *amount, b"MVT", x, y, z]


def tile_reply(body: bytes) -> bytes:
    """An HTTP reply with the tile in the search's JSON, or with that JSON as an error."""
    content: object = json.loads(body)
    if not isinstance(content, dict) or not isinstance(content.get("mvt"), str):
        return reply(HTTPStatus.INTERNAL_SERVER_ERROR, body, JSON)
    # The padding is left out in the JSON.
    tile = base64.b64decode(content["mvt"] + "==")
    return reply(HTTPStatus.OK, tile, TILE)
