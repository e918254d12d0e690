"""Commands that tools of Redis send: DBSIZE, MODULE LIST and LATENCY."""

from tile38py import errors
from tile38py.commands.registry import Call, Flags, Group, Reply, command

LATENCY_SUBCOMMANDS = frozenset({b"LATEST", b"HISTORY", b"HISTOGRAM", b"GRAPH"})


@command(
    "DBSIZE",
    arity=1,
    summary="Return the number of objects",
    group=Group.SERVER,
    flags=Flags.READ,
)
def dbsize(call: Call) -> Reply:
    """DBSIZE."""
    count = call.server.engine.statistics()["num_objects"]
    return Reply(count, (("count", count),))


@command(
    "MODULE LIST",
    arity=2,
    summary="Return an empty list, as there are no modules",
    group=Group.SERVER,
    flags=Flags.ADMIN,
)
def module_list(_call: Call) -> Reply:
    """MODULE LIST."""
    return Reply([], (("modules", []),))


@command(
    "LATENCY (LATEST | HISTORY event | HISTOGRAM [command]... | RESET [event]...)",
    arity=-2,
    summary="Return no events: SLOWLOG and the metrics have durations",
    group=Group.SERVER,
    flags=Flags.ADMIN,
)
def latency(call: Call) -> Reply:
    """LATENCY subcommand …: latency events aren't recorded."""
    word = call.args[0].upper()
    if word == b"RESET":
        return Reply(0, (("count", 0),))
    if word not in LATENCY_SUBCOMMANDS:
        raise errors.unknown_subcommand(call.name, call.args[0])
    return Reply([], (("events", []),))
