"""Events of hooks as the engine makes them, for tests without an engine."""

import json

from tile38py._engine import HookEvent, QueuedEvent


def hook_event(hook: str, body: bytes) -> HookEvent:
    """Return an event with a message; if that is JSON, its members give the subject."""
    try:
        members = json.loads(body)
    except ValueError:
        members = {}
    if not isinstance(members, dict):
        members = {}
    key, object_id = members.get("key", ""), members.get("id", "")
    return HookEvent(hook, key, object_id, members.get("detect"), body)


def queued(number: int, hook: str, body: bytes) -> QueuedEvent:
    """Return an event with its number in the queue."""
    return QueuedEvent(number, 0, hook_event(hook, body))
