"""AOFSHRINK and BACKUP: rewrite the log, and copy the data."""

import re
from typing import Final

from tile38py import errors
from tile38py.clock import stamp_text
from tile38py.commands.registry import OK, Call, Flags, Group, Reply, ThreadReply, command
from tile38py.limits import BACKUP_NAME_COUNT_MAX

NAME: Final = re.compile(rb"[A-Za-z0-9_-][A-Za-z0-9._-]*")
PART_SUFFIX: Final = b".part"  # of the names of unfinished backups


@command(
    "AOFSHRINK",
    arity=-1,
    summary="Rewrite the log from the data",
    group=Group.PERSISTENCE,
    flags=Flags.ADMIN,
)
def aofshrink(call: Call) -> Reply:
    """Run AOFSHRINK. Arguments are ignored; nothing starts while a rewrite is in progress."""
    call.server.shrinker.start()
    return OK


@command(
    "BACKUP [name]",
    arity=-1,
    summary="Copy the data into a folder",
    group=Group.PERSISTENCE,
    flags=Flags.ADMIN | Flags.NO_MULTI,
)
def backup(call: Call) -> ThreadReply:
    """Run BACKUP [name]; the default name is the time."""
    if len(call.args) > 1:
        raise errors.wrong_arity()
    name = call.args[0] if call.args else stamp_text(call.server.clock.now_ns()).encode()
    is_name = NAME.fullmatch(name) is not None and len(name) <= BACKUP_NAME_COUNT_MAX
    if not is_name or name.endswith(PART_SUFFIX):
        raise errors.invalid_argument(name)
    write = call.server.backups.begin(name.decode())

    def work() -> Reply:
        made = write()
        members = (("path", made.path), ("size", made.size), ("objects", made.objects))
        return Reply(made.path, members)

    return ThreadReply(work)
