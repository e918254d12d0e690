"""What a connection that watches a live fence may say."""

from tile38py.commands.registry import Call, End, while_live
from tile38py.interfaces import Role


@while_live(Role.FENCE)
def answer(call: Call) -> End:
    """Anything ends it, only QUIT does so without a line in the log."""
    is_silent = call.name in {"QUIT", ""}
    return End(message="" if is_silent else "received a live command that was not QUIT")
