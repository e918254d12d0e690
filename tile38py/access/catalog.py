"""The commands and categories that rules of users name, derived from the commands' records."""

from collections.abc import Iterable, Mapping
from typing import Final

from tile38py._engine import CommandRecord

FLAG_CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    "write": ("write",),
    "read": ("read",),
    "admin": ("admin", "dangerous"),
    "dangerous": ("dangerous",),
    "connection": ("connection",),
    "pubsub": ("pubsub",),
    "scripting": ("scripting",),
    "blocking": ("blocking",),
}
GROUP_CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    "keyspace": ("keyspace",),
    "search": ("geo",),
    "fences": ("geo", "fences"),
}
# The categories of Redis in its order, those without a command here included, so that rules that
# were written for Redis are accepted; then ours.
CATEGORIES: Final = (
    *("keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap"),
    *("hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous"),
    *("connection", "transaction", "scripting", "fences"),
)
# The flags by which a subcommand can differ from its command.
OWN_FLAGS: Final = frozenset({"admin", "connection"})


def categories(record: CommandRecord, flags: Iterable[str] | None = None) -> list[str]:
    """Return the categories of a command, by Redis's names where it has them.

    Flags replace those of the record, for a subcommand.
    """
    flags = list(record.flags if flags is None else flags)
    found = [name for flag in flags for name in FLAG_CATEGORIES.get(flag, ())]
    found += GROUP_CATEGORIES.get(record.group, ())
    if "multi_control" in flags and "before_auth" not in flags:
        found.append("transaction")
    return [*found, "fast" if "brief" in flags else "slow"]


class CommandCatalog:
    """All commands and subcommands by the names that rules have: `get`, `config|get`."""

    __slots__ = ("_by_category", "_families", "engine_names", "names", "records")

    def __init__(self, records: Iterable[CommandRecord]) -> None:
        # The name of each command in rules, and its name in the engine.
        self.engine_names: dict[str, str] = {}
        self.records: dict[str, CommandRecord] = {}
        self._by_category: dict[str, set[str]] = {name: set() for name in CATEGORIES}
        # The first words of names with a `|`, and those names.
        self._families: dict[str, set[str]] = {}
        for record in records:
            name = record.name.lower().replace(" ", "|")
            self._add(name, record.name, record, record.flags)
            for subcommand, flags in record.subcommands:
                own_flags = [flag for flag in record.flags if flag not in OWN_FLAGS]
                full_name = f"{name}|{subcommand.lower()}"
                self._add(full_name, f"{record.name}|{subcommand}", record, [*own_flags, *flags])
        self.names = frozenset(self.engine_names)

    def _add(
        self, name: str, engine_name: str, record: CommandRecord, flags: Iterable[str]
    ) -> None:
        self.engine_names[name] = engine_name
        self.records[name] = record
        for category in categories(record, flags):
            self._by_category[category].add(name)
        family, separator, _ = name.partition("|")
        if separator:
            self._families.setdefault(family, set()).add(name)

    def find(self, name: str) -> frozenset[str]:
        """Return the command of a name with its subcommands; empty if there is none."""
        own = {name} & self.names
        return frozenset(own | self._families.get(name, set()))

    def has_subcommands(self, name: str) -> bool:
        """Whether a command has subcommands."""
        return name in self._families

    def in_category(self, category: str) -> frozenset[str] | None:
        """Return the commands of a category; None if there is no such category."""
        found = self._by_category.get(category)
        return None if found is None else frozenset(found)

    def engine_arguments(self, words: Mapping[str, Iterable[str]]) -> list[tuple[str, bytes]]:
        """Return allowed first arguments by the engine's names of commands."""
        return [
            (self.engine_names[name], word.encode("utf-8", "surrogateescape"))
            for name, allowed in words.items()
            for word in allowed
        ]
