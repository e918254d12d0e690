"""COMMAND and HELP: descriptions of all commands, derived from the commands' records."""

from collections.abc import Callable
from typing import Final

from tile38py import errors
from tile38py._engine import CommandRecord, Simple
from tile38py.access.catalog import categories
from tile38py.commands.registry import Call, Flags, Group, Reply, command
from tile38py.commands.syntax import Argument, parse
from tile38py.version import VERSION

# Redis's names for our flags.
REDIS_FLAGS: Final[dict[str, tuple[str, ...]]] = {
    "write": ("write",),
    "read": ("readonly",),
    "needs_memory": ("denyoom",),
    "admin": ("admin",),
    "pubsub": ("pubsub",),
    "blocking": ("blocking",),
    "while_loading": ("loading",),
    "stale_ok": ("stale",),
    "no_scripts": ("noscript",),
    "hidden": ("skip_monitor", "skip_slowlog"),
    "brief": ("fast",),
    "before_auth": ("no_auth",),
}
# Positions of the first and the last key, and the step, in Redis's terms: -1 is the last word.
KEY_RANGES: Final[dict[str, tuple[int, int, int]]] = {
    "key": (1, 1, 1),
    "object": (1, 1, 1),
    "search": (1, 1, 1),
    "pair": (1, 2, 1),
    "all": (1, -1, 1),
}
MOVABLE_KEYS: Final = frozenset({"search", "areas", "hook", "channel", "script"})


def redis_flags(record: CommandRecord) -> list[str]:
    """Return the flags of a command by Redis's names."""
    flags = [name for flag in record.flags for name in REDIS_FLAGS.get(flag, ())]
    return flags + ["movablekeys"] * (record.keys in MOVABLE_KEYS)


@command(
    "COMMAND [COUNT | LIST | INFO [name]... | DOCS [name]... | GETKEYS command [argument]...]",
    arity=-1,
    summary="Describe the commands of the server",
    group=Group.SERVER,
    flags=Flags.CONNECTION | Flags.INTROSPECTION | Flags.WHILE_LOADING,
)
def describe(call: Call) -> Reply:
    """Run COMMAND [subcommand …], as in Redis."""
    if not call.args:
        return _list_info(call, [])
    word, *rest = call.args
    subcommand = SUBCOMMANDS.get(word.upper())
    if subcommand is None:
        raise errors.unknown_subcommand(call.name, word)
    return subcommand(call, rest)


@command(
    "HELP [name | @group]",
    arity=-1,
    summary="Show the arguments and the purpose of commands",
    group=Group.SERVER,
    flags=Flags.CONNECTION | Flags.WHILE_LOADING,
)
def show_help(call: Call) -> Reply:
    """Run HELP [name | @group]: reply with the arguments and the summary of each command."""
    wanted = b" ".join(call.args).decode("utf-8", "replace")
    records = [record for record in call.server.engine.commands() if _is_named(record, wanted)]
    if not records:
        raise errors.unknown_command(wanted)
    lines = [": ".join((_usage(record), record.summary)) for record in records]
    return Reply(lines, (("commands", [_as_map(record) for record in records]),))


def _usage(record: CommandRecord) -> str:
    return f"{record.name} {record.syntax}".rstrip()


def _is_named(record: CommandRecord, wanted: str) -> bool:
    if wanted.startswith("@"):
        return record.group == wanted[1:].lower()
    return wanted.upper() in {"", record.name, record.name.partition(" ")[0]}


def _as_map(record: CommandRecord) -> dict[str, object]:
    return {
        "arguments": record.syntax,
        "group": record.group,
        "name": record.name,
        "summary": record.summary,
    }


def _count(call: Call, rest: list[bytes]) -> Reply:
    if rest:
        raise errors.wrong_arity()
    count = len(call.server.engine.commands())
    return Reply(count, (("count", count),))


def _list_names(call: Call, rest: list[bytes]) -> Reply:
    if rest:
        raise errors.wrong_arity()
    names = [record.name.lower() for record in call.server.engine.commands()]
    return Reply(names, (("commands", names),))


def _named(call: Call, names: list[bytes]) -> list[CommandRecord | None]:
    """Return the commands of these names, all of them for no name; None for unknown ones."""
    records = call.server.engine.commands()
    by_name = {record.name: record for record in records}
    if not names:
        return list(records)
    keys = (name.decode("utf-8", "replace").upper().replace("|", " ") for name in names)
    return [by_name.get(key) for key in keys]


def _list_info(call: Call, names: list[bytes]) -> Reply:
    found = _named(call, names)
    rows: list[object] = [None if record is None else _info(record) for record in found]
    maps = [None if record is None else _info_map(record) for record in found]
    return Reply(rows, (("commands", maps),))


def _info(record: CommandRecord) -> list[object]:
    """Return Redis's ten elements; key specifications and subcommands are left empty."""
    flags = [Simple(flag) for flag in redis_flags(record)]
    names = [Simple(f"@{name}") for name in categories(record)]
    keys = KEY_RANGES.get(record.keys, (0, 0, 0))
    return [record.name.lower(), record.arity, flags, *keys, names, [], [], []]


def _info_map(record: CommandRecord) -> dict[str, object]:
    first, last, step = KEY_RANGES.get(record.keys, (0, 0, 0))
    return {
        "arity": record.arity,
        "categories": categories(record),
        "first_key": first,
        "flags": redis_flags(record),
        "last_key": last,
        "name": record.name.lower(),
        "step": step,
    }


def _list_docs(call: Call, names: list[bytes]) -> Reply:
    """Return a flat map of names and descriptions; unknown names are left out."""
    records = [record for record in _named(call, names) if record is not None]
    pairs: list[object] = []
    for record in records:
        pairs += [record.name.lower(), _docs(record)]
    return Reply(pairs, (("commands", [_as_map(record) for record in records]),))


def _docs(record: CommandRecord) -> list[object]:
    docs: list[object] = ["summary", record.summary, "since", VERSION, "group", record.group]
    arguments = parse(record.syntax)
    return docs + ["arguments", [_argument(one) for one in arguments]] * bool(arguments)


def _argument(argument: Argument) -> list[object]:
    fields: list[object] = ["name", argument.name, "type", argument.kind]
    if argument.kind == "key":
        fields += ["key_spec_index", 0]
    if argument.token:
        fields += ["token", argument.token]
    if argument.flags:
        fields += ["flags", [Simple(flag) for flag in argument.flags]]
    if argument.children:
        fields += ["arguments", [_argument(child) for child in argument.children]]
    return fields


def _list_keys(call: Call, rest: list[bytes]) -> Reply:
    if not rest:
        raise errors.wrong_arity()
    record = _named(call, rest[:1])[0] or _named(call, [b" ".join(rest[:2])])[0]
    if record is None:
        raise errors.invalid_command()
    is_short = len(rest) < abs(record.arity)
    if is_short or (record.arity > 0 and len(rest) > record.arity):
        raise errors.command_arity()
    keys = call.server.engine.keys_of(rest)
    if not keys:
        raise errors.no_keys()
    return Reply(keys, (("keys", keys),))


SUBCOMMANDS: Final[dict[bytes, Callable[[Call, list[bytes]], Reply]]] = {
    b"COUNT": _count,
    b"LIST": _list_names,
    b"INFO": _list_info,
    b"DOCS": _list_docs,
    b"GETKEYS": _list_keys,
}
