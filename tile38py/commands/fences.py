"""What a connection that watches a live fence may say."""

from tile38py.commands.registry import Call, End, while_live
from tile38py.interfaces import Role


@while_live(Role.FENCE, "QUIT")
@while_live(Role.FENCE, "")
def quit_fence(_call: Call) -> End:
    """Close without a line in the log."""
    return End()


@while_live(Role.FENCE)
def end_fence(_call: Call) -> End:
    """Close the connection of a client that sends anything else while it watches a fence."""
    return End(message="received a live command that was not QUIT")
