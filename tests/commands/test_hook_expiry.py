"""Hooks and channels with EX and ENDINGS tell their end."""

import json

from tests.support.embedded import EngineClient

AREA = ("IDS", "BOUNDS", 0, 0, 9, 9)
EX = ("EX", 10)
FENCE = ("WITHIN", "fleet", "DETECT", "enter,exit")
ENDINGS = ("ENDINGS", "yes")
SECOND_NS = 10**9


def expire(client: EngineClient) -> list[str]:
    """Let a minute pass; return the commands and reasons of the messages."""
    client.now_ns += 60 * SECOND_NS
    log, _ = client.engine.expire(client.now_ns, 100)
    client.log += log
    events = client.engine.take_events()
    if events is None:
        return []
    bodies = [event.body for event in (*events.channels, *events.hooks) if hasattr(event, "body")]
    messages = map(json.loads, bodies)
    return [f"{message['command']} {message.get('reason', '-')}" for message in messages]


def test_the_last_message_comes_behind_the_ends_of_visits() -> None:
    client = EngineClient()
    client.call("SETCHAN", "c", *EX, *FENCE, *ENDINGS, *AREA)
    client.call("SETHOOK", "h", "http://127.0.0.1:1/", *EX, *FENCE, *ENDINGS, *AREA)
    client.call("SET", "fleet", "a", "POINT", 5, 5)
    assert expire(client) == [
        *("fence hook expired", "expire -"),
        *("fence hook expired", "expire -"),
    ]
    assert client.log.count(b"delchan") == client.log.count(b"delhook") == 1
    assert expire(client) == []


def test_without_endings_and_when_deleted_they_are_silent() -> None:
    client = EngineClient()
    client.call("SETCHAN", "c", *EX, *FENCE, *AREA)
    client.call("SETCHAN", "d", *EX, *FENCE, *ENDINGS, *AREA)
    client.call("DELCHAN", "d")
    assert expire(client) == []
