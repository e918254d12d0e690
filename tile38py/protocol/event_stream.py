"""Server-Sent Events: which requests ask for them, and their bytes."""

import json
from collections.abc import Mapping
from typing import Final

from tile38py.interfaces.history import HistorySpan
from tile38py.protocol.http import ANY_ORIGIN, CHUNKS, ONE_LINE, STREAM, chunk
from tile38py.protocol.negotiation import alternatives

MEDIA_TYPE: Final = b"text/event-stream"
# Proxies must not wait for more: nginx knows the second header.
UNBUFFERED: Final = b"Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n"
GAP: Final = b"gap"
REPLY: Final = b"reply"


def is_wanted(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request asks for Server-Sent Events."""
    found = alternatives(headers.get(b"accept", b""))
    return any(entry.name == MEDIA_TYPE and entry.quality > 0 for entry in found)


def head(*, is_chunked: bool) -> bytes:
    """The head of a reply with Server-Sent Events."""
    return STREAM % MEDIA_TYPE + UNBUFFERED + (CHUNKS if is_chunked else b"") + ANY_ORIGIN


def gap(wanted: int, span: HistorySpan, *, is_chunked: bool) -> bytes:
    """The event that tells of missing events. The stream goes on with the first one there is."""
    text = json.dumps({"wanted": wanted, "first": span.first, "last": span.last})
    return event(text.encode(), kind=GAP, is_chunked=is_chunked)


def event(text: bytes, *, number: int = 0, kind: bytes = b"", is_chunked: bool) -> bytes:
    """A JSON text as an event, with a number as its id and a kind, if it has any."""
    lines = [b"data: " + text.translate(ONE_LINE)]
    if kind:
        lines.insert(0, b"event: " + kind)
    if number:
        lines.insert(0, b"id: %d" % number)
    return chunk(b"\n".join(lines) + b"\n\n", is_chunked=is_chunked)


def comment(*, is_chunked: bool) -> bytes:
    """A comment, which clients ignore."""
    return chunk(b":\n\n", is_chunked=is_chunked)
