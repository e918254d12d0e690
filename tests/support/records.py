"""The records of all commands, without a server."""

from tile38py import commands as families
from tile38py._engine import CommandRecord, Engine
from tile38py.commands.registry import COMMANDS

assert families.FAMILIES


def all_records() -> list[CommandRecord]:
    """Return the records of all commands of engine and server, developer commands included."""
    engine = Engine()
    for command in COMMANDS.by_name.values():
        engine.register(command.record)
    return engine.commands()
