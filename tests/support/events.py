"""Events of hooks as the engine makes them, for tests that have none running. No test is here."""

import json

from tile38py._engine import HookEvent, QueuedEvent


def hook_event(hook: str, body: bytes) -> HookEvent:
    """An event with this message, about the object that it names if it is JSON."""
    try:
        members = json.loads(body)
    except ValueError:
        members = {}
    if not isinstance(members, dict):
        members = {}
    key, object_id = members.get("key", ""), members.get("id", "")
    return HookEvent(hook, key, object_id, members.get("detect"), body)


def queued(number: int, hook: str, body: bytes) -> QueuedEvent:
    """The same on its way to an endpoint."""
    return QueuedEvent(number, 0, hook_event(hook, body))
