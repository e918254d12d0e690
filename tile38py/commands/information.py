"""INFO: the server's state as lines, which monitors and Redis Sentinel read."""

from collections.abc import Callable
from typing import Final

from tile38py.commands.memory import sizes
from tile38py.commands.registry import Call, Flags, Group, Reply, Services, command
from tile38py.commands.replication import replica_host
from tile38py.commands.server import messages_sent
from tile38py.config.properties import REPLICA_PRIORITY
from tile38py.interfaces.following import LeaderAddress
from tile38py.version import VERSION

Lines = dict[str, int | float | str]
SECOND_NS: Final = 1_000_000_000
PERCENT: Final = 100


@command(
    "INFO [section]...",
    arity=-1,
    summary="Show information about the server",
    group=Group.SERVER,
    flags=Flags.READ,
)
def info(call: Call) -> Reply:
    """INFO [section …]; unknown sections are ignored, ours are shown only if they are named."""
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
    """One section. That of the keyspace is empty but leaves its separator, as Tile38's does."""
    if not lines:
        return ""
    rows = (f"{name}:{line_text(value)}\r\n" for name, value in lines.items())
    return f"# {title}\r\n{''.join(rows)}"


def line_text(value: float | str) -> str:
    """A value in a line."""
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
    return {
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


def _replication(server: Services) -> Lines:
    target = server.following.leader
    if target is not None:
        return _following(server, target)
    lines: Lines = {"role": "master"}
    for index, client in enumerate(server.clients.replicas()):
        place = f"ip={replica_host(client)},port={client.replica_port},state=online"
        progress = server.log_streams.progress(client)
        if progress is not None:
            # Redis's form; here nobody acknowledges anything, so this is what left for it.
            place += f",offset={progress.offset},lag={progress.lag_seconds}"
            place += f",dropped={progress.dropped_count}" if progress.dropped_count else ""
        lines[f"slave{index}"] = place
    lines["connected_slaves"] = server.log_streams.count
    return lines


def _following(server: Services, target: LeaderAddress) -> Lines:
    lines: Lines = {
        "role": "slave",
        "master_host": target.host,
        "master_port": target.port,
        # Redis Sentinel counts a follower as turned to a new leader only when this says up.
        "master_link_status": "up" if server.following.is_caught_up else "down",
    }
    if not server.following.is_caught_up:
        # As Redis has it: the age of what reads show, -1 before the first catch-up.
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


def _keyspace(_server: Services) -> Lines:
    return {}


# In the order in which they are shown.
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
    "memory-usage": ("Memory-usage", _memory_usage),
}
OWN_SECTIONS: Final = frozenset({"aof", "memory-usage"})
