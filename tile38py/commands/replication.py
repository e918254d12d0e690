"""REPLCONF, FOLLOW with its names of Redis, and ROLE."""

import re

from tile38py import errors
from tile38py.commands.numbers import integer_of
from tile38py.commands.registry import OK, Call, Flags, Group, Reply, Services, TaskReply, command
from tile38py.commands.settings import write
from tile38py.config import Config
from tile38py.interfaces import Client, SettingsFile
from tile38py.interfaces.following import LeaderAddress


@command(
    "REPLCONF (listening-port port | ip-address address | ack position)",
    arity=-3,
    summary="Announce a follower to its leader",
    group=Group.REPLICATION,
    flags=Flags.ADMIN | Flags.HIDDEN,
)
def replconf(call: Call) -> Reply:
    """Run REPLCONF. An acknowledgement before AOF only asks whether such are understood."""
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
        case b"ack":
            pass
        case _:
            # Option names are lower case only, as in Tile38.
            raise errors.no_follower()
    return OK


@command(
    "FOLLOW (host port | NO ONE)",
    arity=3,
    summary="Follow a leader or become one",
    group=Group.REPLICATION,
    flags=Flags.ADMIN | Flags.HIDDEN | Flags.WHILE_LOADING | Flags.NO_MULTI,
)
def follow(call: Call) -> Reply | TaskReply:
    """Run FOLLOW host port | FOLLOW no one."""
    return follow_outcome(call)


@command(
    "SLAVEOF (host port | NO ONE)",
    arity=3,
    summary="Follow a leader or become one",
    group=Group.REPLICATION,
    flags=Flags.ADMIN | Flags.HIDDEN | Flags.WHILE_LOADING,
)
@command(
    "REPLICAOF (host port | NO ONE)",
    arity=3,
    summary="Follow a leader or become one",
    group=Group.REPLICATION,
    flags=Flags.ADMIN | Flags.HIDDEN | Flags.WHILE_LOADING,
)
def slaveof(call: Call) -> Reply | TaskReply:
    """Run SLAVEOF or REPLICAOF, which are FOLLOW under Redis's names."""
    return follow_outcome(call)


def follow_outcome(call: Call) -> Reply | TaskReply:
    """Return the outcome of FOLLOW. A new leader is probed before the reply."""
    host, port = (argument.lower() for argument in call.args)
    if not host or not port:
        raise errors.wrong_arity()
    server = call.server
    if (host, port) == (b"no", b"one"):
        set_leader(server, None, server.following.next_number())
        server.log("following no one")
        return OK
    if re.fullmatch(rb"[0-9]{1,19}", port) is None:
        raise errors.invalid_argument(port)
    target = LeaderAddress(host.decode("utf-8", "surrogateescape"), int(port))
    number = server.following.next_number()
    if target == server.following.leader:
        # The session goes on, but an earlier FOLLOW whose probe is pending is superseded.
        server.following.follow(target, number)
        return OK

    def settle(error: errors.CommandError | None) -> Reply | errors.CommandError:
        # The FOLLOW that was sent last wins, in whatever order the leaders reply.
        if error is not None or server.following.is_superseded(number):
            return error or OK
        try:
            set_leader(server, target, number)
        except errors.CommandError as refusal:
            return refusal
        server.log(f"following new host '{target.host}' '{target.port}'.")
        return OK

    return TaskReply(lambda: server.following.probe(target, settle))


def set_leader(server: Services, target: LeaderAddress | None, number: int) -> None:
    """Follow a leader, or none, from now on and after a restart."""
    keep_leader(server.config, server.settings_file, target)
    server.following.follow(target, number)


def keep_leader(config: Config, file: SettingsFile, target: LeaderAddress | None) -> None:
    """Save the leader to follow after a restart."""
    identity = config.identity
    earlier = identity.follow_host, identity.follow_port
    identity.follow_host = "" if target is None else target.host
    identity.follow_port = 0 if target is None else target.port
    try:
        write(config, file)
    except errors.CommandError:
        identity.follow_host, identity.follow_port = earlier
        raise


@command(
    "WAIT followers milliseconds",
    arity=3,
    summary="Wait until followers have everything that was written before",
    group=Group.REPLICATION,
    flags=Flags.BLOCKING | Flags.NO_TIMEOUT,
)
def wait(call: Call) -> Reply | TaskReply:
    """Run WAIT followers milliseconds; 0 milliseconds wait without end."""
    server = call.server
    count_min, milliseconds = integer_of(call.args[0]), integer_of(call.args[1])
    if count_min is None:
        raise errors.not_an_integer("value")
    if milliseconds is None:
        raise errors.not_an_integer("timeout")
    if milliseconds < 0:
        raise errors.negative_timeout()
    if server.following.leader is not None:
        raise errors.wait_on_follower()
    streams, client, count = server.log_streams, call.client, server.log_streams.count_with_log()
    if count >= count_min or not server.journal.is_enabled:
        return follower_count(count)
    seconds_max = milliseconds / 1000 if milliseconds else None
    return TaskReply(
        lambda: streams.wait_for_followers(client, count_min, seconds_max, follower_count)
    )


def follower_count(count: int) -> Reply:
    """Return the reply of WAIT."""
    return Reply(count, (("count", count),))


@command(
    "ROLE",
    arity=-1,
    summary="Tell whether the server is a leader or a follower",
    group=Group.REPLICATION,
    flags=Flags.READ,
)
def role(call: Call) -> Reply:
    """Run ROLE; arguments are ignored."""
    target = call.server.following.leader
    return _leader_role(call) if target is None else _follower_role(call, target)


def _follower_role(call: Call, target: LeaderAddress) -> Reply:
    offset = call.server.following.offset
    # Tile38 replies `connected` even while it isn't.
    members: dict[str, object] = {
        "role": "slave",
        "host": target.host,
        "port": target.port,
        "state": "connected",
        "offset": offset,
    }
    value = ["slave", target.host, target.port, "connected", offset]
    return Reply(value, (("role", members),))


def _leader_role(call: Call) -> Reply:
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
    """Return the offset of a replica; before it reads the log the end of the log, as in Tile38."""
    progress = server.log_streams.progress(client)
    return server.journal.size if progress is None else progress.offset


def replica_host(client: Client) -> str:
    """Return the announced host of a replica, or else the one that it connects from."""
    if client.replica_ip:
        return client.replica_ip
    host = client.address.rpartition(":")[0]
    return "localhost" if host == "[::1]" else host
