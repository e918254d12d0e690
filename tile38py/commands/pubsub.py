"""SUBSCRIBE, PSUBSCRIBE and PUBLISH, and what a subscriber may ask for while it listens."""

from tile38py import errors
from tile38py.commands.registry import (
    OK,
    Access,
    Call,
    End,
    Replies,
    Reply,
    command,
    while_live,
)
from tile38py.interfaces import Role


@command("SUBSCRIBE", arity=-2, access=Access.PUBSUB, summary="Listen to channels")
def subscribe(call: Call) -> Replies:
    """SUBSCRIBE channel …."""
    return _listen(call)


@command("PSUBSCRIBE", arity=-2, access=Access.PUBSUB, summary="Listen to channels by pattern")
def psubscribe(call: Call) -> Replies:
    """PSUBSCRIBE pattern …."""
    return _listen(call)


@command("PUBLISH", arity=3, access=Access.PUBSUB, summary="Send a message to a channel")
def publish(call: Call) -> Reply:
    """PUBLISH channel text."""
    count = call.server.broadcaster.publish(*call.args)
    return Reply(count, (("published", count),))


@while_live(Role.SUBSCRIBER)
def answer(call: Call) -> Reply | Replies | End:
    """What a subscriber asks for."""
    match call.name:
        case "SUBSCRIBE" | "PSUBSCRIBE":
            return _listen(call)
        case "UNSUBSCRIBE" | "PUNSUBSCRIBE":
            return _ignore(call)
        case "PING":
            return _ping(call)
        case "QUIT":
            return End(OK)
        case _:
            raise errors.only_subscribing()


def _listen(call: Call) -> Replies:
    if not call.args:
        raise errors.wrong_arity()
    listener = call.client.listener
    if listener is None:
        listener = call.server.broadcaster.attach(call.client, Role.SUBSCRIBER)
    is_pattern = call.name == "PSUBSCRIBE"
    return Replies(
        [_acknowledged(call, name, listener.add(name, is_pattern=is_pattern)) for name in call.args]
    )


def _ignore(call: Call) -> Replies:
    if not call.args:
        raise errors.wrong_arity()
    listener = call.client.listener
    assert listener is not None
    is_pattern = call.name == "PUNSUBSCRIBE"
    return Replies(
        [
            _acknowledged(call, name, listener.remove(name, is_pattern=is_pattern))
            for name in call.args
        ]
    )


def _acknowledged(call: Call, name: bytes, count: int) -> Reply:
    word = call.name.lower()
    return Reply([word, name, count], (("command", word), ("channel", name), ("num", count)))


def _ping(call: Call) -> Reply:
    # Further arguments are ignored, as they are by a PING outside.
    text = call.args[0] if call.args else b""
    return Reply(["PONG", text], (("ping", text or b"pong"),))
