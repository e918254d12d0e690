"""MONITOR, and what ends it."""

from typing import Final

from tile38py import errors
from tile38py.commands.connection import reset
from tile38py.commands.registry import Call, End, Flags, Group, Raw, command, while_live
from tile38py.interfaces import Role, Wire

STARTED: Final = Raw(b"+OK\r\n")


@command(
    "MONITOR",
    arity=1,
    summary="Stream the commands as they run",
    group=Group.SERVER,
    flags=Flags.ADMIN | Flags.HIDDEN | Flags.BLOCKING,
)
def monitor(call: Call) -> Raw:
    """MONITOR."""
    if call.client.wire in (Wire.HTTP, Wire.CHUNKED_HTTP):
        raise errors.needs_wire(call.name, "WebSocket or RESP")
    call.server.broadcaster.attach(call.client, Role.MONITOR)
    return STARTED


@while_live(Role.MONITOR, "QUIT")
def quit_monitor(_call: Call) -> End:
    """Answer QUIT and close."""
    return End(STARTED)


while_live(Role.MONITOR, "RESET")(reset)


@while_live(Role.MONITOR)
def end_monitor(_call: Call) -> End:
    """Close the connection of a monitor that sends anything else."""
    return End()
