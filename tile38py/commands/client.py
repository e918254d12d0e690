"""CLIENT LIST, GETNAME, SETNAME, KILL."""

import re
from typing import Final

from tile38py import errors
from tile38py.commands.registry import OK, Call, Flags, Group, Reply, command
from tile38py.interfaces import Client, Role

NANOSECONDS = 1_000_000_000
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
    "CLIENT (LIST | GETNAME | SETNAME name | KILL (address | ADDR address | ID id | TYPE type))",
    arity=-2,
    summary="List, name or close connections",
    group=Group.CONNECTION,
    flags=Flags.ADMIN | Flags.HIDDEN | Flags.WHILE_LOADING,
)
def client(call: Call) -> Reply:
    """Run CLIENT LIST, GETNAME, SETNAME or KILL."""
    word, *rest = call.args
    match word.upper():
        case b"LIST":
            return _list(call, rest)
        case b"GETNAME":
            _exactly(rest, 0)
            return Reply(call.client.name, (("name", call.client.name),))
        case b"SETNAME":
            _exactly(rest, 1)
            if re.fullmatch(rb"[!-~]*", rest[0]) is None:
                raise errors.client_name()
            call.client.name = rest[0]
            return OK
        case b"KILL":
            return _kill(call, rest)
        case _:
            raise errors.client_syntax()


def _exactly(args: list[bytes], count: int) -> None:
    if len(args) != count:
        raise errors.wrong_arity()


def _list(call: Call, rest: list[bytes]) -> Reply:
    _exactly(rest, 0)
    now_ns = call.server.clock.now_ns()
    lines: list[bytes] = []
    rows: list[dict[str, object]] = []
    for one in call.server.clients:
        age = max(now_ns - one.created_ns, 0) // NANOSECONDS
        idle = max(now_ns - one.active_ns, 0) // NANOSECONDS
        lines.append(
            b"id=%d addr=%b name=%b age=%d idle=%d\n"
            % (one.client_id, one.address.encode(), one.name, age, idle)
        )
        # Tile38 guesses the types of these values, so that a client named `nan` breaks the JSON.
        rows.append(
            {
                "addr": one.address,
                "age": age,
                "id": one.client_id,
                "idle": idle,
                "name": one.name,
            }
        )
    return Reply(b"".join(lines), (("list", rows),))


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
        case [b"NAME" | b"USER" | b"LADDR", _]:
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
    found = [
        one
        for one in call.server.clients
        if one is not call.client and (one.listener and one.listener.role) in roles
    ]
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
