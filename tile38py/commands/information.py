"""INFO: the server's state as lines, which monitors and Redis Sentinel read."""

from collections.abc import Callable
from typing import Final

from tile38py.commands.memory import sizes
from tile38py.commands.registry import Call, Flags, Group, Reply, Services, command
from tile38py.commands.replication import replica_host
from tile38py.commands.server import messages_sent
from tile38py.config.properties import REPLICA_PRIORITY, REQUESTS_PER_SECOND_PER_USER
from tile38py.interfaces.following import LeaderAddress
from tile38py.limits import SECOND_NS
from tile38py.version import VERSION

Lines = dict[str, int | float | str]
PERCENT: Final = 100


@command(
    "INFO [section]...",
    arity=-1,
    summary="Show information about the server",
    group=Group.SERVER,
    flags=Flags.READ | Flags.WHILE_LOADING,
)
def info(call: Call) -> Reply:
    """Run INFO [section …]. Unknown sections are ignored; ours are shown only on request."""
    asked = {argument.decode("utf-8", "replace").lower() for argument in call.args}
    shows_all = not asked or not asked.isdisjoint(("all", "default", "everything"))
    texts: list[str] = []
    members: Lines = {}
    for name, (title, lines_of) in SECTIONS.items():
        is_ours = name in OWN_SECTIONS
        if name in asked or (shows_all and not is_ours) or "everything" in asked:
            lines = lines_of(call.server)
            members.update(lines)
            texts.append(section_text(title, lines))
    return Reply("\r\n".join(texts), (("info", dict(sorted(members.items()))),))


def section_text(title: str, lines: Lines) -> str:
    """Return the text of a section."""
    rows = (f"{name}:{line_text(value)}\r\n" for name, value in lines.items())
    return f"# {title}\r\n{''.join(rows)}"


def line_text(value: float | str) -> str:
    """Return a value as INFO shows it."""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _server(server: Services) -> Lines:
    uptime_ns = server.clock.monotonic_ns() - server.started_ns
    return {
        "tile38_version": VERSION,
        "redis_version": VERSION,
        "uptime_in_seconds": uptime_ns // 1_000_000_000,
    }


def _clients(server: Services) -> Lines:
    return {"connected_clients": len(server.clients), "blocked_clients": 0}


def _memory(server: Services) -> Lines:
    return {"used_memory": server.memory.used()}


def _memory_usage(server: Services) -> Lines:
    return {**sizes(server)}


def _persistence(server: Services) -> Lines:
    figures = server.shrinker.figures
    running_ns = server.clock.monotonic_ns() - figures.started_ns if figures.is_running else 0
    # Tile38 has no such line, so it is shown only while loading.
    loading: Lines = {"loading": 1} if server.gates.is_loading else {}
    return loading | {
        "aof_enabled": int(server.journal.is_enabled),
        "aof_rewrite_in_progress": int(figures.is_running),
        "aof_last_rewrite_time_sec": figures.last_ns // SECOND_NS,
        "aof_current_rewrite_time_sec": running_ns // SECOND_NS,
    }


def _aof(server: Services) -> Lines:
    figures = server.shrinker.figures
    return {
        "aof_current_size": server.journal.size,
        "aof_base_size": figures.size_base,
        "aof_rewrites": figures.count,
        "aof_last_rewrite_status": "ok" if figures.last_error is None else "err",
        "aof_rewrite_percent": PERCENT * figures.written // max(figures.total, 1),
        **_proven(server),
    }


def _acl(server: Services) -> Lines:
    access = server.access
    return {
        "acl_users": len(access.users),
        "acl_access_denied_auth": access.refusals.counts["auth"],
        "acl_access_denied_cmd": access.refusals.counts["command"],
        "acl_access_denied_key": access.refusals.counts["key"],
        "acl_access_denied_channel": access.refusals.counts["channel"],
        "acl_delayed_logins": access.failed_logins.delayed_count,
    }


def _proven(server: Services) -> Lines:
    following = server.following
    return {} if following.leader is None else {"aof_proven_size": following.proven}


def _stats(server: Services) -> Lines:
    counts = server.engine.statistics()
    return {
        "total_connections_received": server.clients.received,
        "total_commands_processed": counts["commands_processed"],
        "total_messages_sent": messages_sent(server),
        "expired_keys": counts["expired"],
    }


def _limits(server: Services) -> Lines:
    """Redis's names, where it has one."""
    counts, config = server.clients.counts, server.config
    return {
        "maxclients": server.clients.count_max,
        "rejected_connections": counts.rejected,
        "refused_handshakes": counts.refused,
        "idle_connections_closed": counts.idle,
        "slow_requests_closed": counts.slow,
        "flooded_connections_closed": counts.flooded,
        "rate_limit_pauses": counts.pauses,
        "rate_limit": config.get(REQUESTS_PER_SECOND_PER_USER),
    }


def _reads(server: Services) -> Lines:
    counts = server.engine.statistics()
    return {
        "read_units": counts["read_units"],
        "read_units_active": counts["read_units_active"],
    }


def _positions(server: Services) -> Lines:
    counts = server.engine.statistics()
    return {
        "waiting_positions": counts["waiting_positions"],
        "late_positions": counts["late_positions"],
    }


def _replication(server: Services) -> Lines:
    target = server.following.leader
    if target is not None:
        return _following(server, target)
    lines: Lines = {"role": "master"}
    for index, client in enumerate(server.clients.replicas()):
        text = f"ip={replica_host(client)},port={client.replica_port},state=online"
        progress = server.log_streams.progress(client)
        if progress is not None:
            # Redis's form.
            text += f",offset={progress.offset},lag={progress.lag_seconds}"
            text += f",dropped={progress.dropped_count}" if progress.dropped_count else ""
        lines[f"slave{index}"] = text
    lines["connected_slaves"] = server.log_streams.count
    return lines


def _following(server: Services, target: LeaderAddress) -> Lines:
    lines: Lines = {
        "role": "slave",
        "master_host": target.host,
        "master_port": target.port,
        # Redis Sentinel regards a follower as reconfigured only when this is `up`.
        "master_link_status": "up" if server.following.is_caught_up else "down",
    }
    if not server.following.is_caught_up:
        # As in Redis: the age of the data that reads return, -1 before the first catch-up.
        lines["master_link_down_since_seconds"] = server.following.stale_seconds
    lines["slave_repl_offset"] = server.following.offset
    priority = server.config.get(REPLICA_PRIORITY)
    if priority is not None:
        lines["slave_priority"] = priority
    lines["connected_slaves"] = 0
    return lines


def _cpu(server: Services) -> Lines:
    names = ("sys", "user", "sys_children", "user_children")
    seconds = server.process.cpu_seconds()
    return {f"used_cpu_{name}": value for name, value in zip(names, seconds, strict=True)}


def _cluster(_server: Services) -> Lines:
    return {"cluster_enabled": 0}


def _keyspace(server: Services) -> Lines:
    # Redis's form, from which redis-cli --stat takes the number of keys: here that of DBSIZE.
    count = server.engine.statistics()["num_objects"]
    return {"db0": f"keys={count},expires=0,avg_ttl=0"} if count else {}


# Sections in the order of the reply.
SECTIONS: Final[dict[str, tuple[str, Callable[[Services], Lines]]]] = {
    "server": ("Server", _server),
    "clients": ("Clients", _clients),
    "memory": ("Memory", _memory),
    "persistence": ("Persistence", _persistence),
    "stats": ("Stats", _stats),
    "replication": ("Replication", _replication),
    "cpu": ("CPU", _cpu),
    "cluster": ("Cluster", _cluster),
    "keyspace": ("Keyspace", _keyspace),
    "aof": ("Aof", _aof),
    "limits": ("Limits", _limits),
    "reads": ("Reads", _reads),
    "positions": ("Positions", _positions),
    "memory-usage": ("Memory-usage", _memory_usage),
    "acl": ("Acl", _acl),
}
OWN_SECTIONS: Final = frozenset({"acl", "aof", "limits", "memory-usage", "positions", "reads"})
