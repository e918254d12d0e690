"""The body and headers of a request with events, signed as Standard Webhooks specifies."""

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from tile38py._engine import QueuedEvent
from tile38py.interfaces.delivery import Batch, HookOptions
from tile38py.limits import SECOND_NS

CLOUD_EVENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
CLOUD_BATCH_TYPE: Final = "application/cloudevents-batch+json; charset=utf-8"
BATCH_TYPE: Final = "application/json"
LINES_TYPE: Final = "application/x-ndjson"
NO_HEADERS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class EventRequest:
    """A request. Its own headers may be secrets; the others are for any server."""

    body: bytes
    own_headers: Mapping[str, str] = field(default_factory=dict)
    open_headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> Mapping[str, str]:
        """All headers."""
        return {**self.open_headers, **self.own_headers}

    @property
    def has_login(self) -> bool:
        """Whether a header takes the place of the URL's login."""
        return any(name.lower() == "authorization" for name in self.own_headers)

    def for_strangers(self) -> Self:
        """Return the request without the headers that only the hook's own server may see."""
        return replace(self, own_headers=NO_HEADERS)


def request_of(batch: Batch, indexes: Sequence[int]) -> EventRequest:
    """Return the request for events of a batch, which are all of one hook."""
    events = [batch.events[index] for index in indexes]
    options = batch.options.get(events[0].hook)
    if options is None:
        return EventRequest(events[0].body)
    body, headers = events[0].body, dict[str, str]()
    if options.rule is not None and options.rule.has_batches:
        body = joined(events, is_lines=options.rule.is_lines)
        headers["Content-Type"] = type_of(options)
    elif options.is_cloud_event:
        headers["Content-Type"] = CLOUD_EVENT_TYPE
    if options.keys:
        headers |= signature_headers(id_of(events), body, options, batch.now_ns // SECOND_NS)
    return EventRequest(body, dict(options.headers), headers)


def joined(events: Sequence[QueuedEvent], *, is_lines: bool) -> bytes:
    """Return events as one body: lines of JSON, or a JSON array."""
    if is_lines:
        return b"".join(event.body + b"\n" for event in events)
    return b"[" + b",".join(event.body for event in events) + b"]"


def type_of(options: HookOptions) -> str:
    """Return the content type of a batch."""
    if options.rule is not None and options.rule.is_lines:
        return LINES_TYPE
    return CLOUD_BATCH_TYPE if options.is_cloud_event else BATCH_TYPE


def id_of(events: Sequence[QueuedEvent]) -> str:
    """Return the id of a request: that of the event, or of a batch's first one and their number."""
    first = events[0].delivery_id
    return first if len(events) == 1 else f"{first}_{len(events)}"


def signature_headers(
    request_id: str, body: bytes, options: HookOptions, seconds: int
) -> dict[str, str]:
    """Return the three headers of Standard Webhooks; there is a signature for each key."""
    content = f"{request_id}.{seconds}.".encode() + body
    digests = (hmac.digest(key, content, "sha256") for key in options.keys)
    return {
        "webhook-id": request_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests),
    }
