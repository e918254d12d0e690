"""SLOWLOG: the latest slow commands, as in Redis."""

from itertools import islice

from tile38py import errors
from tile38py.commands.registry import OK, Call, Flags, Group, Reply, checked, command
from tile38py.limits import SECOND_NS
from tile38py.slow_log import SlowCommand

GET_COUNT = 10  # default count of SLOWLOG GET


@command(
    "SLOWLOG (GET [count] | LEN | RESET)",
    arity=-2,
    summary="Show slow commands",
    group=Group.SERVER,
    flags=Flags.ADMIN,
)
@checked(keys="every")
def slowlog(call: Call) -> Reply:
    """Run SLOWLOG GET [count] | LEN | RESET."""
    word, *rest = call.args
    commands = call.server.slow_log.commands
    match word.upper(), rest:
        case b"GET", []:
            return _shown(list(islice(commands, GET_COUNT)))
        case b"GET", [count]:
            return _shown(list(islice(commands, _count(count))))
        case b"LEN", []:
            return Reply(len(commands), (("len", len(commands)),))
        case b"RESET", []:
            commands.clear()
            return OK
        case b"GET" | b"LEN" | b"RESET", _:
            raise errors.wrong_arity()
        case _:
            raise errors.slowlog_syntax()


def _count(word: bytes) -> int | None:
    """Parse a count; None stands for all, which is -1."""
    if word == b"-1":
        return None
    if not word.isdigit():
        raise errors.invalid_argument(word)
    return int(word)


def _shown(commands: list[SlowCommand]) -> Reply:
    rows = [
        [
            one.number,
            one.ended_ns // SECOND_NS,
            one.took_ns // 1000,
            one.args,
            one.address,
            one.name,
            one.waited_ns // 1000,
        ]
        for one in commands
    ]
    names = ("id", "time", "duration", "args", "addr", "name", "waited")
    return Reply(rows, (("slowlog", [dict(zip(names, row, strict=True)) for row in rows]),))
