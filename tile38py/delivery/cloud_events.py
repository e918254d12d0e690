"""CloudEvents 1.0: the JSON envelope of an event, in structured mode."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from tile38py._engine import HookEvent, QueuedEvent
from tile38py.delivery.store import member_of
from tile38py.interfaces.delivery import HookOptions
from tile38py.limits import SECOND_NS

TYPE_PREFIX: Final = "tile38.fence."


def in_envelopes(
    events: Sequence[QueuedEvent], options: Mapping[str, HookOptions]
) -> Sequence[QueuedEvent]:
    """Return events with those in envelopes whose hooks want that."""
    hooks = {hook for hook, option in options.items() if option.is_cloud_event}
    if not hooks:
        return events
    return [enveloped(event) if event.hook in hooks else event for event in events]


def enveloped(event: QueuedEvent) -> QueuedEvent:
    """Return the event with its message in an envelope. It is the same at each attempt."""
    hook = event.hook.encode("utf-8", "surrogateescape")
    attributes = {
        "specversion": "1.0",
        "id": event.delivery_id,
        "source": f"/hooks/{quote(hook, safe='')}",
        "type": TYPE_PREFIX + (event.detect or member_of(event.body, "command") or "message"),
        "time": _time_text(event.queued_ns),
        "datacontenttype": "application/json",
    }
    if event.object_id:
        attributes["subject"] = event.object_id
    head = json.dumps(attributes, ensure_ascii=False, separators=(",", ":"))
    body = head[:-1].encode("utf-8", "replace") + b',"data":' + event.body + b"}"
    inner = HookEvent(
        event.hook,
        event.key,
        event.object_id,
        event.detect,
        body,
        numbering=(event.sequence, event.began_ns, event.queued_ns),
    )
    return QueuedEvent(event.number, event.queued_ns, inner)


def _time_text(now_ns: int) -> str:
    moment = datetime.fromtimestamp(now_ns // SECOND_NS, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{now_ns % SECOND_NS:09d}Z"
