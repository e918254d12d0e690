"""AUTH. The engine has the other commands that concern a connection."""

import hmac

from tile38py import errors
from tile38py.commands.registry import OK, Call, Flags, Group, Reply, command
from tile38py.config import Config
from tile38py.config.properties import REQUIREPASS


@command(
    "AUTH password",
    arity=-1,
    summary="Authenticate the connection",
    group=Group.CONNECTION,
    flags=Flags.CONNECTION | Flags.BEFORE_AUTH | Flags.WHILE_LOADING | Flags.HIDDEN | Flags.NO_HTTP,
)
def auth(call: Call) -> Reply:
    """Run AUTH password."""
    if not is_password(call.server.config, call.args[0] if call.args else b""):
        raise errors.invalid_password()
    call.client.session.authenticated = True
    return OK


def is_password(config: Config, given: bytes) -> bool:
    """Whether this is the required password; False if none is required."""
    required = config.get(REQUIREPASS).encode("utf-8", "surrogateescape")
    if not required:
        return False
    # Tile38 trims the given password, so it can't match one with outer spaces; we can.
    return hmac.compare_digest(required, given) or hmac.compare_digest(required, given.strip())
