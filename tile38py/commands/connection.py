"""AUTH, HELLO, RESET, SELECT. A connection's other commands are the engine's."""

import hmac

from tile38py import errors
from tile38py._engine import Simple
from tile38py.commands.client import set_name
from tile38py.commands.registry import (
    OK,
    Call,
    Flags,
    Group,
    Reply,
    Services,
    command,
    while_live,
)
from tile38py.config import Config
from tile38py.config.properties import REQUIREPASS
from tile38py.interfaces import Role
from tile38py.version import VERSION

# Names that mean the only user.
USERS = frozenset({b"", b"default"})
PROTOCOLS = {b"2": 2, b"3": 3}
BEFORE_LOGIN = (
    Flags.CONNECTION | Flags.BEFORE_AUTH | Flags.WHILE_LOADING | Flags.HIDDEN | Flags.NO_HTTP
)


@command(
    "AUTH [username] password",
    arity=-1,
    summary="Authenticate the connection",
    group=Group.CONNECTION,
    flags=BEFORE_LOGIN,
)
def auth(call: Call) -> Reply:
    """Run AUTH password or AUTH username password."""
    match call.args:
        case [user, password]:
            _log_in(call, user, password)
        case [password]:
            config = call.server.config
            if not config.get(REQUIREPASS):
                raise errors.no_password_set()
            if not is_password(config, password):
                raise errors.invalid_password()
            call.client.session.authenticated = True
        case []:
            raise errors.invalid_password()
        case _:
            raise errors.wrong_arity()
    return OK


@command(
    "HELLO [protover [AUTH username password] [SETNAME clientname]]",
    arity=-1,
    summary="Select the version of RESP, and authenticate and name the connection",
    group=Group.CONNECTION,
    flags=BEFORE_LOGIN | Flags.NO_TIMEOUT | Flags.NO_MULTI,
)
def hello(call: Call) -> Reply:
    """Run HELLO as Redis does."""
    client, session, server = call.client, call.client.session, call.server
    version = PROTOCOLS.get(call.args[0]) if call.args else session.protocol
    if version is None:
        raise errors.no_protocol(call.args[0])
    login: tuple[bytes, bytes] | None = None
    name: bytes | None = None
    options = list(call.args[1:])
    while options:
        match options[0].upper(), options[1:]:
            case b"AUTH", [user, password, *options]:
                login = user, password
            case b"SETNAME", [name, *options]:
                pass
            case _:
                raise errors.hello_option(options[0])
    if login is not None:
        _log_in(call, *login)
    elif server.config.get(REQUIREPASS) and not session.authenticated:
        raise errors.login_required()
    if name is not None:
        set_name(client, name)
    if client.listener is not None and version != session.protocol:
        raise errors.protocol_while_live()
    if call.args:
        session.protocol = version
    return _greeting(call)


@command(
    "RESET",
    arity=1,
    summary="Return the connection to its initial state",
    group=Group.CONNECTION,
    flags=BEFORE_LOGIN | Flags.MULTI_CONTROL,
)
def reset(call: Call) -> Reply:
    """Run RESET: no subscriptions, no login, no name, RESP2, the server's format of replies."""
    client = call.client
    listener = call.server.broadcaster.find(client)
    if listener is not None:
        listener.remove_all()
        client.leave()
    client.session.reset()
    client.name = b""
    return Reply(Simple("RESET"))


while_live(Role.SUBSCRIBER, "RESET")(reset)
while_live(Role.FENCE, "RESET")(reset)


@command(
    "SELECT index",
    arity=2,
    summary="Select the only database, 0",
    group=Group.CONNECTION,
    flags=Flags.CONNECTION | Flags.WHILE_LOADING | Flags.HIDDEN,
)
def select(call: Call) -> Reply:
    """Run SELECT index."""
    if not call.args[0].isdigit():
        raise errors.not_an_integer("value")
    if int(call.args[0]):
        raise errors.database_range()
    return OK


def is_password(config: Config, given: bytes) -> bool:
    """Return whether this is the required password. Without a required one nothing is."""
    required = config.get(REQUIREPASS).encode("utf-8", "surrogateescape")
    if not required:
        return False
    # Tile38 trims the given password, so it can't match one with outer spaces; we can.
    return hmac.compare_digest(required, given) or hmac.compare_digest(required, given.strip())


def _log_in(call: Call, user: bytes, password: bytes) -> None:
    """Authenticate with a user's name. As in Redis, a user without a password takes any."""
    config = call.server.config
    if user not in USERS:
        raise errors.wrong_login()
    if config.get(REQUIREPASS) and not is_password(config, password):
        raise errors.wrong_login()
    call.client.session.authenticated = True


def _greeting(call: Call) -> Reply:
    facts: dict[str, object] = {
        "server": "tile38",
        "version": VERSION,
        "proto": call.client.session.protocol,
        "id": call.client.client_id,
        "mode": "standalone",
        "role": _role(call.server),
        "modules": [],
    }
    return Reply(facts, tuple(facts.items()))


def _role(server: Services) -> str:
    return "master" if server.following.leader is None else "replica"
