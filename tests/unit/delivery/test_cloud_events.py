"""The envelope of CloudEvents for odd names and messages without a detection."""

import json

import pytest

from tile38py._engine import HookEvent, QueuedEvent
from tile38py.delivery.cloud_events import enveloped


def envelope_of(hook: str, object_id: str, detect: str | None, body: bytes) -> dict[str, object]:
    """Return the attributes of an event's envelope."""
    event = QueuedEvent(1, 5, HookEvent(hook, "fleet", object_id, detect, body))
    assert enveloped(event).body == enveloped(event).body
    return dict(json.loads(enveloped(event).body))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"command":"del","hook":"h"}', "tile38.fence.del"),
        (b'{"command":"drop","hook":"h"}', "tile38.fence.drop"),
        (b'{"other":1}', "tile38.fence.message"),
    ],
)
def test_a_message_without_a_detection_has_its_commands_type(body: bytes, kind: str) -> None:
    envelope = envelope_of("h", "", None, body)
    assert envelope["type"] == kind
    assert "subject" not in envelope
    assert envelope["data"] == json.loads(body)


def test_names_may_be_any_bytes() -> None:
    envelope = envelope_of("a b/\udcff", 'truck "1"', "enter", b"{}")
    assert envelope["source"] == "/hooks/a%20b%2F%FF"
    assert envelope["subject"] == 'truck "1"'
    assert envelope["time"] == "1970-01-01T00:00:00.000000005Z"
