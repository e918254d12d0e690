"""CLIENT: connections are listed, named and closed; what else clients send on connect."""

import re
from collections.abc import Callable
from typing import Final

from tile38py import errors
from tile38py.clients import client_line, described
from tile38py.commands.registry import OK, Call, Flags, Group, Reply, checked, command
from tile38py.interfaces import Client, Role

RESP3 = 3
LIBRARY_OPTIONS = frozenset({"lib-name", "lib-ver"})
# Roles of the connections of each type. A follower's connection to its leader is no client, so
# `master` never has any.
TYPES: Final[dict[bytes, frozenset[Role | None]]] = {
    b"normal": frozenset({None, Role.MONITOR}),
    b"pubsub": frozenset({Role.SUBSCRIBER, Role.FENCE}),
    b"slave": frozenset({Role.FOLLOWER}),
    b"replica": frozenset({Role.FOLLOWER}),
    b"master": frozenset(),
}


@command(
    "CLIENT (LIST | INFO | ID | GETNAME | SETNAME name | SETINFO (LIB-NAME | LIB-VER) text"
    " | KILL (address | ADDR address | ID id | TYPE type | USER name) | NO-EVICT (ON | OFF)"
    " | NO-TOUCH (ON | OFF) | TRACKING (ON OPTIN | OFF))",
    arity=-2,
    summary="List, name or close connections",
    group=Group.CONNECTION,
    flags=Flags.ADMIN | Flags.HIDDEN | Flags.WHILE_LOADING,
)
@checked(
    subcommands={
        "GETNAME": Flags.CONNECTION,
        "ID": Flags.CONNECTION,
        "INFO": Flags.CONNECTION,
        "KILL": Flags.ADMIN,
        "LIST": Flags.ADMIN,
        "NO-EVICT": Flags.ADMIN,
        "NO-TOUCH": Flags.CONNECTION,
        "SETINFO": Flags.CONNECTION,
        "SETNAME": Flags.CONNECTION,
        "TRACKING": Flags.CONNECTION,
    }
)
def client(call: Call) -> Reply:
    """Run CLIENT subcommand …."""
    word, *rest = call.args
    subcommand = SUBCOMMANDS.get(word.upper())
    if subcommand is None:
        raise errors.client_syntax()
    return subcommand(call, rest)


def set_name(client: Client, name: bytes) -> None:
    """Name a connection. Raises the error of a name that isn't printable ASCII."""
    if re.fullmatch(rb"[!-~]*", name) is None:
        raise errors.client_name()
    client.name = name


def _exactly(args: list[bytes], count: int) -> None:
    if len(args) != count:
        raise errors.wrong_arity()


def _get_name(call: Call, rest: list[bytes]) -> Reply:
    _exactly(rest, 0)
    return Reply(call.client.name, (("name", call.client.name),))


def _set_name(call: Call, rest: list[bytes]) -> Reply:
    _exactly(rest, 1)
    set_name(call.client, rest[0])
    return OK


def _get_id(call: Call, rest: list[bytes]) -> Reply:
    _exactly(rest, 0)
    return Reply(call.client.client_id, (("id", call.client.client_id),))


def _info(call: Call, rest: list[bytes]) -> Reply:
    _exactly(rest, 0)
    now_ns = call.server.clock.now_ns()
    line = client_line(call.client, now_ns)
    return Reply(line + b"\n", (("info", _row(call.client, now_ns)),))


def _list(call: Call, rest: list[bytes]) -> Reply:
    _exactly(rest, 0)
    now_ns = call.server.clock.now_ns()
    clients = list(call.server.clients)
    lines = b"".join(client_line(one, now_ns) + b"\n" for one in clients)
    # Tile38 guesses the types of values in JSON, so that a client named `nan` breaks it.
    return Reply(lines, (("list", [_row(one, now_ns) for one in clients]),))


def _row(client: Client, now_ns: int) -> dict[str, bytes | int]:
    return dict(sorted(described(client, now_ns).items()))


def _set_info(call: Call, rest: list[bytes]) -> Reply:
    """CLIENT SETINFO (LIB-NAME | LIB-VER) text: the client's library, shown by CLIENT LIST."""
    _exactly(rest, 2)
    option = rest[0].lower().decode("ascii", "replace")
    if option not in LIBRARY_OPTIONS:
        raise errors.client_option(rest[0])
    if re.fullmatch(rb"[!-~]*", rest[1]) is None:
        raise errors.client_library(option)
    call.client.library[option] = rest[1]
    return OK


def _protect(_call: Call, rest: list[bytes]) -> Reply:
    """CLIENT NO-EVICT and NO-TOUCH: no client is ever evicted, no object has an access time."""
    _exactly(rest, 1)
    if rest[0].upper() not in {b"ON", b"OFF"}:
        raise errors.redis_syntax()
    return OK


def _track(call: Call, rest: list[bytes]) -> Reply:
    """CLIENT TRACKING. With OPTIN a client caches only what CLIENT CACHING names, which is refused;
    without it, it would wait for invalidations that are never sent.
    """
    match [word.upper() for word in rest]:
        case [b"OFF"]:
            return OK
        case [b"ON", *options] if b"OPTIN" in options and call.client.session.protocol == RESP3:
            return OK
        case [b"ON", *_]:
            raise errors.no_tracking()
        case _:
            raise errors.redis_syntax()


def _kill(call: Call, rest: list[bytes]) -> Reply:
    words = [word.upper() for word in rest]
    match words:
        case [b"ID", _]:
            found = _find(call, client_id=errors.shown(rest[1]))
        case [b"ADDR", _]:
            found = _find(call, address=errors.shown(rest[1]))
        case [b"TYPE", _]:
            return _kill_type(call, rest[1])
        case [b"ID" | b"ADDR" | b"TYPE"]:
            raise errors.wrong_arity()
        case [_]:
            found = _find(call, address=errors.shown(rest[0]))
        case [b"USER", _]:
            return _kill_others(call, lambda one: one.session.user == rest[1])
        case [b"NAME" | b"LADDR", _]:
            # Redis's filters by what clients don't have here.
            raise errors.no_such_client()
        case _:
            raise errors.wrong_arity()
    for one in found:
        one.kill()
    return OK


def _kill_type(call: Call, kind: bytes) -> Reply:
    """Close all other connections of a type; reply with their count, as Redis does.

    Redis Sentinel closes the clients of a server that it makes a follower, so that they look for
    the new leader.
    """
    name = kind.lower()
    if name not in TYPES:
        raise errors.client_type(kind)
    roles = TYPES[name]
    return _kill_others(call, lambda one: (one.listener and one.listener.role) in roles)


def _kill_others(call: Call, is_meant: Callable[[Client], bool]) -> Reply:
    found = [one for one in call.server.clients if one is not call.client and is_meant(one)]
    for one in found:
        one.kill()
    return Reply(len(found), (("killed", len(found)),))


def _find(call: Call, *, client_id: str = "", address: str = "") -> list[Client]:
    # Ids are compared as texts: `01` matches no client.
    found = [
        one
        for one in call.server.clients
        if str(one.client_id) == client_id or one.address == address
    ]
    if not found:
        raise errors.no_such_client()
    return found


SUBCOMMANDS: Final[dict[bytes, Callable[[Call, list[bytes]], Reply]]] = {
    b"GETNAME": _get_name,
    b"ID": _get_id,
    b"INFO": _info,
    b"KILL": _kill,
    b"LIST": _list,
    b"NO-EVICT": _protect,
    b"NO-TOUCH": _protect,
    b"SETINFO": _set_info,
    b"SETNAME": _set_name,
    b"TRACKING": _track,
}
