"""Requests of a connection that watches a live fence: all of them close it."""

from tile38py.commands.registry import Call, LastReply, while_live
from tile38py.interfaces import Role


@while_live(Role.FENCE, "QUIT")
@while_live(Role.FENCE, "")
def quit_fence(_call: Call) -> LastReply:
    """Close the connection on QUIT or an empty request, without a line in the log."""
    return LastReply()


@while_live(Role.FENCE)
def end_fence(_call: Call) -> LastReply:
    """Close the connection on any other request, and log that."""
    return LastReply(message="received a live command that was not QUIT")
