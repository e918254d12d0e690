"""AOF and AOFMD5: followers read the log and compare it with their own."""

import re
from typing import Final

from tile38py import errors
from tile38py._engine import Simple
from tile38py.commands.registry import (
    Call,
    Flags,
    Group,
    LastReply,
    RawReply,
    Replies,
    Reply,
    ThreadReply,
    checked,
    command,
    while_live,
)
from tile38py.interfaces import Role

INTEGER: Final = re.compile(rb"\+?[0-9]{1,19}")
INT64_MAX: Final = 2**63 - 1
STARTED: Final = RawReply(b"+OK\r\n")


@command(
    "AOF position",
    arity=-1,
    summary="Stream the log from a position",
    group=Group.REPLICATION,
    flags=Flags.ADMIN | Flags.HIDDEN | Flags.BLOCKING,
)
@checked(keys="every")
def aof(call: Call) -> RawReply:
    """Run AOF position."""
    journal = call.server.journal
    # The order of these checks is Tile38's.
    if not journal.is_enabled:
        raise errors.log_disabled()
    if len(call.args) != 1:
        raise errors.wrong_arity()
    position = position_of(call.args[0])
    if position > journal.size:
        raise errors.log_position()
    if call.client.is_plain:
        raise errors.needs_wire(call.name, "RESP")
    call.server.log_streams.attach(call.client, position)
    return STARTED


@while_live(Role.FOLLOWER, "REPLCONF")
def acknowledge(call: Call) -> Replies | LastReply:
    """Take a follower's acknowledgement; it has no reply. Anything else ends the connection."""
    match call.args:
        case [b"ack", position] if INTEGER.fullmatch(position):
            call.server.log_streams.acknowledge(call.client, int(position))
            return Replies([])
    return _cut(call)


@while_live(Role.FOLLOWER)
def end_log_stream(call: Call) -> LastReply:
    """Close the connection of a follower on any other request."""
    return _cut(call)


def _cut(call: Call) -> LastReply:
    call.client.kill()
    return LastReply()


@command(
    "AOFMD5 position size",
    arity=3,
    summary="Get the MD5 checksum of a range of the log",
    group=Group.REPLICATION,
    flags=Flags.ADMIN | Flags.HIDDEN | Flags.NO_MULTI,
)
@checked(keys="every")
def aofmd5(call: Call) -> ThreadReply:
    """Run AOFMD5 position size."""
    journal = call.server.journal
    position, size = position_of(call.args[0]), position_of(call.args[1])
    if position + size > journal.size or (size == 0 and position >= journal.size):
        raise errors.log_end()

    def digest() -> Reply:
        text = journal.digest(position, size)
        if text is None:
            raise errors.log_end()
        return Reply(Simple(text), (("md5", text),))

    return ThreadReply(digest)


def position_of(argument: bytes) -> int:
    """Parse a position or size: an integer from 0 on."""
    if INTEGER.fullmatch(argument) is None or int(argument) > INT64_MAX:
        raise errors.invalid_argument(argument)
    return int(argument)
