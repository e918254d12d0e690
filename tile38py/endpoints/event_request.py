"""The body and headers of a request with an event, signed as Standard Webhooks specifies."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from tile38py._engine import QueuedEvent
from tile38py.interfaces.delivery import Batch, HookOptions
from tile38py.limits import SECOND_NS

CLOUD_EVENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
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


def request_of(batch: Batch, index: int) -> EventRequest:
    """Return the request for an event of a batch."""
    event = batch.events[index]
    options = batch.options.get(event.hook)
    if options is None:
        return EventRequest(event.body)
    headers: dict[str, str] = {}
    if options.is_cloud_event:
        headers["Content-Type"] = CLOUD_EVENT_TYPE
    if options.keys:
        headers |= signature_headers(event, options, batch.now_ns // SECOND_NS)
    return EventRequest(event.body, dict(options.headers), headers)


def signature_headers(event: QueuedEvent, options: HookOptions, seconds: int) -> dict[str, str]:
    """Return the three headers of Standard Webhooks; there is a signature for each key."""
    content = f"{event.delivery_id}.{seconds}.".encode() + event.body
    digests = (hmac.digest(key, content, "sha256") for key in options.keys)
    return {
        "webhook-id": event.delivery_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests),
    }
