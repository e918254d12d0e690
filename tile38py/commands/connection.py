"""AUTH. The rest of a connection's own commands is the engine's."""

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
    """AUTH password."""
    if not is_password(call.server.config, call.args[0] if call.args else b""):
        raise errors.invalid_password()
    call.client.session.authenticated = True
    return OK


def is_password(config: Config, given: bytes) -> bool:
    """Whether this is the required password. Without a required one nothing is."""
    required = config.get(REQUIREPASS).encode("utf-8", "surrogateescape")
    if not required:
        return False
    # Tile38 trims what it is given, so it can't match a password with outer spaces; we can.
    return hmac.compare_digest(required, given) or hmac.compare_digest(required, given.strip())
