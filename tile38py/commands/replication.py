"""REPLCONF, FOLLOW and ROLE as a leader answers them."""

import re

from tile38py import errors
from tile38py.commands.registry import OK, Access, Call, Reply, Services, command
from tile38py.interfaces import Client


@command("REPLCONF", arity=-3, access=Access.ADMIN, summary="Announce a follower")
def replconf(call: Call) -> Reply:
    """REPLCONF listening-port <port> | ip-address <ip>."""
    option, value = call.args[:2]
    if not value:
        raise errors.wrong_arity()
    match option:
        case b"listening-port":
            if re.fullmatch(rb"[+-]?[0-9]{1,18}", value) is None:
                raise errors.invalid_argument(value)
            call.client.replica_port = int(value)
        case b"ip-address":
            call.client.replica_ip = value.decode("utf-8", "replace")
        case _:
            # Option names are lower case only, as with Tile38.
            raise errors.no_follower()
    return OK


@command("FOLLOW", arity=3, access=Access.ADMIN, summary="Follow a leader")
def follow(call: Call) -> Reply:
    """FOLLOW host port | FOLLOW no one."""
    host, port = (argument.lower() for argument in call.args)
    if not host or not port:
        raise errors.wrong_arity()
    if (host, port) == (b"no", b"one"):
        call.server.log("following no one")
        return OK
    if re.fullmatch(rb"[0-9]{1,19}", port) is None:
        raise errors.invalid_argument(port)
    raise errors.unavailable("follow a leader")


@command("SLAVEOF", arity=3, access=Access.ADMIN, summary="Follow a leader")
@command("REPLICAOF", arity=3, access=Access.ADMIN, summary="Follow a leader")
def slaveof(call: Call) -> Reply:
    """SLAVEOF and REPLICAOF are FOLLOW under Redis's names."""
    return follow_reply(call)


def follow_reply(call: Call) -> Reply:
    """What FOLLOW answers."""
    reply = follow(call)
    assert isinstance(reply, Reply)
    return reply


@command("ROLE", arity=-1, access=Access.READ, summary="Tell leader or follower")
def role(call: Call) -> Reply:
    """ROLE; arguments are ignored."""
    offset = call.server.journal.size
    replicas = [
        (replica_host(client), str(client.replica_port), str(replica_offset(call.server, client)))
        for client in call.server.clients.replicas()
    ]
    members: dict[str, object] = {
        "role": "master",
        "offset": offset,
        "slaves": [
            {"ip": host, "port": port, "offset": replica_offset}
            for host, port, replica_offset in replicas
        ],
    }
    rows = [list(replica) for replica in replicas]
    return Reply(["master", offset, rows], (("role", members),))


def replica_offset(server: Services, client: Client) -> int:
    """How much of the log a replica has taken; until it reads the log, as Tile38, all of it."""
    progress = server.log_streams.progress(client)
    return server.journal.size if progress is None else progress.offset


def replica_host(client: Client) -> str:
    """Where a replica says that it is, else where it comes from."""
    if client.replica_ip:
        return client.replica_ip
    host = client.address.rpartition(":")[0]
    return "localhost" if host == "[::1]" else host
