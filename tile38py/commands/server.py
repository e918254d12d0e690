"""SERVER, HEALTHZ and GC."""

from collections.abc import Mapping
from decimal import Decimal

from tile38py import errors
from tile38py.commands.registry import OK, Call, Flags, Group, Reply, Services, command
from tile38py.config.properties import MAXMEMORY
from tile38py.limits import SECOND_NS
from tile38py.version import VERSION

POINTER_BYTES = 8
PLAIN_MAGNITUDES = range(-4, 6)  # powers of ten that floats show without an exponent
Fields = dict[str, int | float | bool | str]
# Figures of Go's runtime, which Tile38 reports; they have no meaning here and are 0.
RUNTIME_ZEROS = frozenset(
    """
    buck_hash_sys_bytes frees_total gc_cpu_fraction gc_sys_bytes go_goroutines heap_idle_bytes
    heap_objects last_gc_time_seconds lookups_total mallocs_total mcache_inuse_bytes
    mcache_sys_bytes mspan_inuse_bytes mspan_sys_bytes next_gc_bytes other_sys_bytes
    stack_inuse_bytes stack_sys_bytes
    """.split()  # noqa: SIM905 - a list would take twenty lines
)
# Fields of SERVER that SERVER EXT repeats.
REPEATED = frozenset(
    """
    aof_size http_transport id in_memory_size max_heap_size num_collections num_hooks num_objects
    num_points num_strings pid pointer_size read_only version
    """.split()  # noqa: SIM905 - as above
)


@command(
    "SERVER [EXT]",
    arity=-1,
    summary="Show statistics of the server",
    group=Group.SERVER,
    flags=Flags.READ,
)
def server(call: Call) -> Reply:
    """Run SERVER [EXT]."""
    for argument in call.args:
        if argument.lower() != b"ext":
            raise errors.invalid_argument(argument)
    fields = extended_fields(call.server) if call.args else basic_fields(call.server)
    ordered = dict(sorted(fields.items()))
    return Reply(flat_fields(ordered), (("stats", ordered),))


def flat_fields(fields: Fields) -> list[str]:
    """Return names and values in turn, in the order of the names, as SERVER replies them."""
    return [item for name in sorted(fields) for item in (name, plain_text(fields[name]))]


def publish_statistics(server: Services) -> None:
    """Pass the replies of SERVER and SERVER EXT to the engine, for scripts."""
    basic, extended = basic_fields(server), extended_fields(server)
    server.engine.set_server_replies(flat_fields(basic), flat_fields(extended))


@command(
    "HEALTHZ",
    arity=1,
    summary="Tell whether the server is ready",
    group=Group.SERVER,
    flags=Flags.READ | Flags.BEFORE_AUTH | Flags.HTTP_STATUS,
)
def healthz(call: Call) -> Reply:
    """Run HEALTHZ. The engine refuses it while loading and before the first catch-up."""
    following = call.server.following
    if following.leader is not None and not following.is_caught_up:
        raise errors.not_caught_up()
    return OK


@command(
    "GC",
    arity=-1,
    summary="Free memory that is not needed",
    group=Group.SERVER,
    flags=Flags.ADMIN,
)
def collect(call: Call) -> Reply:
    """Run GC; arguments are ignored."""
    call.server.memory.collect()
    return OK


def basic_fields(server: Services) -> Fields:
    """Return the fields of SERVER."""
    counts = server.engine.statistics()
    heap = server.memory.used()
    return {
        "aof_size": server.journal.size,
        "avg_item_size": average(heap, counts),
        "cpus": server.process.cpus,
        "heap_released": server.memory.released(),
        "heap_size": heap,
        "http_transport": server.is_http_enabled,
        "id": server.config.identity.server_id,
        "in_memory_size": counts["in_memory_size"],
        "max_heap_size": server.config.get(MAXMEMORY),
        "mem_alloc": heap,
        "num_collections": counts["num_collections"],
        "num_hooks": counts.get("num_hooks", 0),
        "num_objects": counts["num_objects"],
        "num_points": counts["num_points"],
        "num_strings": counts["num_strings"],
        "pending_events": server.outbox.waiting_count,
        "pid": server.process.pid,
        "pointer_size": POINTER_BYTES,
        "read_only": server.config.identity.is_read_only,
        "threads": server.process.threads(),
        "version": VERSION,
        **following_fields(server),
    }


def following_fields(server: Services) -> Fields:
    """Return the fields that SERVER adds on a follower; none on a leader."""
    target = server.following.leader
    if target is None:
        return {}
    return {
        "caught_up": server.following.is_caught_up,
        "caught_up_once": server.gates.caught_up_once,
        "following": f"{target.host}:{target.port}",
    }


def extended_fields(server: Services) -> Fields:
    """Return the fields of SERVER EXT: the runtime's figures and those of the server."""
    heap, released = server.memory.used(), server.memory.released()
    fields: Fields = dict.fromkeys(RUNTIME_ZEROS, 0)
    fields.update(
        {
            "alloc_bytes": heap,
            "alloc_bytes_total": heap,
            "go_threads": server.process.threads(),
            "go_version": "",
            "heap_alloc_bytes": heap,
            "heap_inuse_bytes": heap,
            "heap_released_bytes": released,
            "heap_sys_bytes": heap,
            "sys_bytes": heap,
            "sys_cpus": server.process.cpus,
        }
    )
    fields.update((f"tile38_{name}", value) for name, value in own_fields(server).items())
    return fields


def own_fields(server: Services) -> Fields:
    """Return the figures of the server in SERVER EXT."""
    basic = basic_fields(server)
    counts = server.engine.statistics()
    groups = server.engine.count_groups()  # one for each pair of a hook and an object
    uptime_ns = server.clock.monotonic_ns() - server.started_ns
    figures = server.shrinker.figures
    running_ns = server.clock.monotonic_ns() - figures.started_ns if figures.is_running else 0
    fields: Fields = {name: basic[name] for name in REPEATED}
    fields.update(
        {
            "aof_current_rewrite_time_sec": running_ns // SECOND_NS,
            "aof_enabled": server.journal.is_enabled,
            "aof_last_rewrite_time_sec": figures.last_ns // SECOND_NS,
            "aof_rewrite_in_progress": figures.is_running,
            "avg_point_size": average(basic["heap_size"], counts),
            "cluster_enabled": False,
            "connected_clients": len(server.clients),
            "connected_slaves": server.log_streams.count,
            "expired_keys": counts["expired"],
            "num_hook_groups": groups,
            "num_object_groups": groups,
            "total_commands_processed": counts["commands_processed"],
            "total_connections_received": server.clients.received,
            "total_messages_sent": messages_sent(server),
            "type": "leader" if server.following.leader is None else "follower",
            "uptime_in_seconds": uptime_ns / 1e9,
        }
    )
    return fields


def messages_sent(server: Services) -> int:
    """Return the number of messages that endpoints accepted or live connections were sent."""
    return server.outbox.total.sent + server.broadcaster.sent_count


def average(heap: float | str, counts: Mapping[str, int]) -> int:
    """Return the heap bytes per point."""
    assert isinstance(heap, int)
    return heap // counts["num_points"] if counts["num_points"] else 0


def plain_text(value: float | bool | str) -> str:
    """Return a value as text, as RESP shows all fields."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return float_text(value)
        case _:
            return str(value)


def float_text(value: float) -> str:
    """Return the shortest digits of a float, with an exponent below 1e-4 and from 1e6 on."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    magnitude = len(digits) + exponent - 1
    if value == 0 or magnitude in PLAIN_MAGNITUDES:
        return f"{Decimal(repr(value)).normalize():f}"
    fraction = "".join(map(str, digits[1:]))
    mantissa = f"{'-' if sign else ''}{digits[0]}{'.' if fraction else ''}{fraction}"
    return f"{mantissa}e{'-' if magnitude < 0 else '+'}{abs(magnitude):02d}"
