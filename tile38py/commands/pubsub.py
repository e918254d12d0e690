"""SUBSCRIBE, PSUBSCRIBE and PUBLISH, and the requests that a subscriber may send."""

from tile38py import errors
from tile38py._engine import Push
from tile38py.commands.registry import (
    OK,
    Call,
    Flags,
    Group,
    LastReply,
    Replies,
    Reply,
    checked,
    command,
    while_live,
)
from tile38py.commands.resuming import position_in
from tile38py.interfaces import Role


@command(
    "SUBSCRIBE (channel... | channel FROM number)",
    arity=-2,
    summary="Receive the messages of channels",
    group=Group.PUBSUB,
    flags=Flags.PUBSUB | Flags.SUBSCRIBES | Flags.BLOCKING,
)
@checked(channels="all_or_from")
def subscribe(call: Call) -> Replies:
    """Run SUBSCRIBE channel …, or SUBSCRIBE channel FROM number."""
    match call.args:
        case [channel, word, number] if word.upper() == b"FROM":
            return _subscribe_from(call, channel, number)
    return _subscribe(call, is_pattern=False)


@command(
    "PSUBSCRIBE pattern...",
    arity=-2,
    summary="Receive the messages of channels that match patterns",
    group=Group.PUBSUB,
    flags=Flags.PUBSUB | Flags.SUBSCRIBES | Flags.BLOCKING,
)
@checked(channels="patterns")
def psubscribe(call: Call) -> Replies:
    """Run PSUBSCRIBE pattern …."""
    return _subscribe(call, is_pattern=True)


@command(
    "PUBLISH channel message",
    arity=3,
    summary="Send a message to a channel",
    group=Group.PUBSUB,
    flags=Flags.PUBSUB | Flags.FORWARDED,
)
@checked(channels="first")
def publish(call: Call) -> Reply:
    """Run PUBLISH channel message."""
    count = call.server.router.publish(*call.args)
    return Reply(count, (("published", count),))


@command(
    "UNSUBSCRIBE [channel...]",
    arity=-1,
    summary="Receive the messages of channels no more",
    group=Group.PUBSUB,
    flags=Flags.PUBSUB | Flags.NO_MULTI,
)
def unsubscribe(call: Call) -> Replies:
    """Run UNSUBSCRIBE [channel …]. Without names: all channels."""
    return _unsubscribe(call, is_pattern=False)


@command(
    "PUNSUBSCRIBE [pattern...]",
    arity=-1,
    summary="Receive the messages of channels that match patterns no more",
    group=Group.PUBSUB,
    flags=Flags.PUBSUB | Flags.NO_MULTI,
)
def punsubscribe(call: Call) -> Replies:
    """Run PUNSUBSCRIBE [pattern …]. Without names: all patterns."""
    return _unsubscribe(call, is_pattern=True)


@while_live(Role.SUBSCRIBER, "PING")
def ping(call: Call) -> Reply:
    """Run PING [message] of a subscriber. Further arguments are ignored, as without a role."""
    text = call.args[0] if call.args else b""
    return Reply([b"pong", text], (("ping", text or b"pong"),))


@while_live(Role.SUBSCRIBER, "QUIT")
def quit_subscriber(_call: Call) -> LastReply:
    """Reply to QUIT and close the connection."""
    return LastReply(OK)


@while_live(Role.SUBSCRIBER)
def refuse(_call: Call) -> Reply:
    """Refuse all other commands of a subscriber."""
    raise errors.only_subscribing()


# What a subscriber may ask for as anybody else may.
while_live(Role.SUBSCRIBER, "SUBSCRIBE")(subscribe)
while_live(Role.SUBSCRIBER, "PSUBSCRIBE")(psubscribe)
while_live(Role.SUBSCRIBER, "UNSUBSCRIBE")(unsubscribe)
while_live(Role.SUBSCRIBER, "PUNSUBSCRIBE")(punsubscribe)


def _subscribe(call: Call, *, is_pattern: bool) -> Replies:
    if not call.args:
        raise errors.wrong_arity()
    listener = call.server.broadcaster.attach(call.client, Role.SUBSCRIBER)
    return Replies(
        [_acknowledged(call, name, listener.add(name, is_pattern=is_pattern)) for name in call.args]
    )


def _subscribe_from(call: Call, channel: bytes, number: bytes) -> Replies:
    """Subscribe to a channel, from a number of its history on; `oldest` is its first one."""
    span = call.server.history.span(channel.decode("utf-8", "surrogateescape"))
    if span is None:
        raise errors.no_history(channel)
    position = position_in(span, channel, number)
    listener = call.server.broadcaster.attach(call.client, Role.SUBSCRIBER)
    begin, count = listener.add_from(channel, position)
    call.server.router.call_when_logged(begin)
    return Replies([_acknowledged(call, channel, count)])


def _unsubscribe(call: Call, *, is_pattern: bool) -> Replies:
    listener = call.server.broadcaster.find(call.client)
    names: list[bytes | None] = [*call.args]
    if listener is None:
        return Replies([_acknowledged(call, name, 0) for name in names or [None]])
    names = names or [*listener.names(is_pattern=is_pattern)] or [None]
    replies = [
        _acknowledged(call, name, listener.remove(name, is_pattern=is_pattern)) for name in names
    ]
    if not listener.is_used:
        call.client.leave()
    return Replies(replies)


def _acknowledged(call: Call, name: bytes | None, count: int) -> Reply:
    word = call.name.lower()
    members = (("command", word), ("channel", name), ("num", count))
    return Reply(Push([word, name, count]), members)
