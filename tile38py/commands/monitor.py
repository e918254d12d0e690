"""MONITOR, and the requests that end it."""

from typing import Final

from tile38py import errors
from tile38py.commands.connection import reset
from tile38py.commands.registry import (
    Call,
    Flags,
    Group,
    LastReply,
    RawReply,
    checked,
    command,
    while_live,
)
from tile38py.interfaces import Role, Wire

STARTED: Final = RawReply(b"+OK\r\n")


@command(
    "MONITOR",
    arity=1,
    summary="Stream the commands as they run",
    group=Group.SERVER,
    flags=Flags.ADMIN | Flags.HIDDEN | Flags.BLOCKING,
)
@checked(keys="every")
def monitor(call: Call) -> RawReply:
    """Run MONITOR."""
    if call.client.wire not in (Wire.RESP, Wire.NATIVE, Wire.WEBSOCKET):
        raise errors.needs_wire(call.name, "WebSocket or RESP")
    call.server.broadcaster.attach(call.client, Role.MONITOR)
    return STARTED


@while_live(Role.MONITOR, "QUIT")
def quit_monitor(_call: Call) -> LastReply:
    """Reply to QUIT and close the connection."""
    return LastReply(STARTED)


while_live(Role.MONITOR, "RESET")(reset)


@while_live(Role.MONITOR)
def end_monitor(_call: Call) -> LastReply:
    """Close the connection of a monitor on any other request."""
    return LastReply()
