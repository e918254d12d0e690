"""AUTH, HELLO, RESET, SELECT. A connection's other commands are the engine's."""

from tile38py import errors
from tile38py._engine import Simple
from tile38py.access.user import DEFAULT_USER
from tile38py.commands.client import set_name
from tile38py.commands.login import log_in
from tile38py.commands.numbers import integer_of
from tile38py.commands.registry import (
    OK,
    Call,
    Flags,
    Group,
    Reply,
    Services,
    TaskReply,
    command,
    while_live,
)
from tile38py.interfaces import Role
from tile38py.version import VERSION

PROTOCOLS = {b"2": 2, b"3": 3}
BEFORE_LOGIN = (
    Flags.CONNECTION | Flags.BEFORE_AUTH | Flags.WHILE_LOADING | Flags.HIDDEN | Flags.NO_HTTP
)


@command(
    "AUTH [username] password",
    arity=-1,
    summary="Authenticate the connection",
    group=Group.CONNECTION,
    flags=BEFORE_LOGIN | Flags.NO_MULTI,
)
def auth(call: Call) -> Reply | TaskReply:
    """Run AUTH password or AUTH username password."""
    match call.args:
        case [user, password]:
            return log_in(call, user, password, errors.wrong_login()) or OK
        case [password]:
            if call.server.access.users.default.is_open:
                raise errors.no_password_set()
            return log_in(call, DEFAULT_USER, password, errors.invalid_password()) or OK
        case []:
            raise errors.invalid_password()
        case _:
            raise errors.wrong_arity()


@command(
    "HELLO [protover [AUTH username password] [SETNAME clientname]]",
    arity=-1,
    summary="Select the version of RESP, and authenticate and name the connection",
    group=Group.CONNECTION,
    flags=BEFORE_LOGIN | Flags.NO_TIMEOUT | Flags.NO_MULTI,
)
def hello(call: Call) -> Reply | TaskReply:
    """Run HELLO as Redis does."""
    client, session, server = call.client, call.client.session, call.server
    version = PROTOCOLS.get(call.args[0]) if call.args else session.protocol
    if version is None:
        raise errors.no_protocol(call.args[0])
    login, name = _options(call.args[1:])
    if login is not None:
        refusal = log_in(call, *login, errors.wrong_login())
        if refusal is not None:
            return refusal
    elif server.gates.requires_password and not session.authenticated:
        raise errors.login_required()
    if name is not None:
        set_name(client, name)
    if client.listener is not None and version != session.protocol:
        raise errors.protocol_while_live()
    if call.args:
        session.protocol = version
    return _greeting(call)


def _options(words: list[bytes]) -> tuple[tuple[bytes, bytes] | None, bytes | None]:
    """Return the login and the name in the options of HELLO."""
    login: tuple[bytes, bytes] | None = None
    name: bytes | None = None
    while words:
        match words[0].upper(), words[1:]:
            case b"AUTH", [user, password, *words]:
                login = user, password
            case b"SETNAME", [name, *words]:
                pass
            case _:
                raise errors.hello_option(words[0])
    return login, name


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
    number = integer_of(call.args[0])
    if number is None:
        raise errors.not_an_integer("value")
    if number:
        raise errors.database_range()
    return OK


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
