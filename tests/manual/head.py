"""The head of a command's page: title, usage and facts, from the command's record."""

from typing import Final

from tests.manual.grammar import usage_lines
from tile38py._engine import CommandRecord

REFUSED: Final = "[Refused](README.md#when-commands-are-refused)"

# The words of a page for each flag. A flag stands in one of these tables or in UNTOLD.
KINDS: Final = {
    "write": "write",
    "read": "read",
    "admin": "administration",
    "connection": "connection",
    "pubsub": "publish and subscribe",
    "scripting": "script",
}
REFUSALS: Final = {
    "write": "on followers, in read-only mode, while the log cannot be written",
    "needs_memory": "above `maxmemory`",
    "no_timeout": "behind [TIMEOUT](timeout.md)",
    "no_http": "over HTTP",
    "no_multi": "behind [MULTI](multi.md)",
    "no_scripts": "in scripts",
    "developer": "without `--dev`",
}
# States in which a command is refused unless it has the flag.
REFUSALS_WITHOUT: Final = {
    "before_auth": "before [AUTH](auth.md)",
    "while_loading": "while loading",
}
STALE_REFUSAL: Final = "on followers before the first catch-up"
REMARKS: Final = {
    "brief": "takes microseconds",
    "dangerous": "of the category `dangerous`",
    "blocking": "takes the connection over, or makes its client wait",
    "forwarded": "reaches followers through the leader's stream",
    "hidden": "not shown by [MONITOR](monitor.md), nor its arguments by [SLOWLOG](slowlog.md)",
    "http_status": "over HTTP an error has the status 500",
    "prefix": "stands before another command",
    "subscribes": "makes the connection a subscriber",
}
# Flags without words of their own. INTROSPECTION serves clients that insist on RESP; a page names
# the refusals that the others lift.
UNTOLD: Final = frozenset(
    {"introspection", "multi_control", "before_auth", "while_loading", "stale_ok"}
)

KEYS: Final = {
    "none": "none",
    "key": "`key`",
    "object": "`key`, whose object is `id`",
    "pair": "`key`, `newkey`",
    "all": "each `key`",
    "search": "`key`, and those that the area names: `GET key id`, `ROAM key …`, `IN key`",
    "areas": "those that the areas name: `GET key id`",
    "hook": "`key`, and those that the area names: `GET key id`, `ROAM key …`, `IN key`",
    "channel": "`key`, and those that the area names: `GET key id`, `ROAM key …`, `IN key`",
    "every": "all",
    "script": "as many as `numkeys` says",
}


def head(record: CommandRecord) -> str:
    """Return the title, the summary, the usage and a table of facts."""
    lines = [f"# {record.name}", "", f"{record.summary}.", "", "```", *usage_lines(record), "```"]
    return "\n".join([*lines, "", *facts(record)])


def facts(record: CommandRecord) -> list[str]:
    """Return the table of facts."""
    rows = {
        "Group": f"[{record.group}](README.md#{record.group})",
        "Keys": KEYS[record.keys],
        "Kind": ", ".join(KINDS[flag] for flag in record.flags if flag in KINDS),
        REFUSED: ", ".join(refusals(record)) or "never",
        "Remarks": "; ".join(REMARKS[flag] for flag in record.flags if flag in REMARKS),
    }
    lines = [f"| {name} | {text} |" for name, text in rows.items() if text]
    return ["| | |", "| --- | --- |", *lines]


def refusals(record: CommandRecord) -> list[str]:
    """Return the states and places in which the command is refused."""
    flags = set(record.flags)
    found = [text for flag, text in REFUSALS_WITHOUT.items() if flag not in flags]
    if "read" in flags and "stale_ok" not in flags:
        found.append(STALE_REFUSAL)
    return found + [text for flag, text in REFUSALS.items() if flag in flags]
