"""MONITOR, and which commands it never shows."""

from typing import Final

from tile38py import errors
from tile38py.commands.registry import Access, Call, End, Raw, command, while_live
from tile38py.interfaces import Role, Wire

STARTED: Final = Raw(b"+OK\r\n")
# What operates the server: their arguments may be passwords, and Tile38 doesn't show them either.
HIDDEN: Final = frozenset(
    {
        "AOF",
        "AOFMD5",
        "AUTH",
        "CLIENT",
        "CONFIG GET",
        "CONFIG REWRITE",
        "CONFIG SET",
        "FOLLOW",
        "MONITOR",
        "REPLCONF",
        "REPLICAOF",
        "SLAVEOF",
    }
)


@command("MONITOR", arity=1, access=Access.ADMIN, summary="Watch the commands that run")
def monitor(call: Call) -> Raw:
    """MONITOR."""
    if call.client.wire in (Wire.HTTP, Wire.CHUNKED_HTTP):
        raise errors.needs_wire(call.name, "WebSocket or RESP")
    call.server.broadcaster.attach(call.client, Role.MONITOR)
    return STARTED


@while_live(Role.MONITOR)
def answer(call: Call) -> End:
    """Whatever a monitor says is its last word."""
    return End(STARTED if call.name == "QUIT" else None)


def is_shown(name: str) -> bool:
    """Whether monitors may see a command of this name."""
    return name not in HIDDEN
