"""ACL: users and their rights, as in Redis 7."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from tile38py import clock
from tile38py._engine import Simple
from tile38py.access import errors
from tile38py.access.catalog import CATEGORIES, CommandCatalog
from tile38py.access.refusals import RefusalEntry
from tile38py.access.rules import HAS_BLANKS, RuleError
from tile38py.access.user import DEFAULT_USER, Selector, User
from tile38py.access.users_text import UsersTextError, file_text, parse, with_default
from tile38py.commands.registry import (
    OK,
    Call,
    Flags,
    Group,
    HandlerOutcome,
    LastReply,
    Reply,
    Services,
    checked,
    command,
)
from tile38py.config.properties import REQUIREPASS
from tile38py.errors import reason_of, shown
from tile38py.interfaces import Client, Role
from tile38py.limits import SECOND_NS, USERS_COUNT_MAX

PASSWORD_BITS: Final = 256  # default of ACL GENPASS
PASSWORD_BITS_MAX: Final = 4096
LOG_COUNT: Final = 10  # default count of ACL LOG
HELP: Final = """\
ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
CAT [<category>]
    List all commands that belong to <category>, or all command categories
    when no category is specified.
DELUSER <username> [<username> ...]
    Delete a list of users.
DRYRUN <username> <command> [<arg> ...]
    Returns whether the user can execute the given command without executing the command.
GETUSER <username>
    Get the user's details.
GENPASS [<bits>]
    Generate a secure 256-bit user password. The optional `bits` argument can
    be used to specify a different size.
LIST
    Show users details in config file format.
LOAD
    Reload users from the ACL file.
LOG [<count> | RESET]
    Show the ACL log entries.
SAVE
    Save the current config to the ACL file.
SETUSER <username> <attribute> [<attribute> ...]
    Create or modify a user with the specified attributes.
USERS
    List all the registered usernames.
WHOAMI
    Return the current connection username.
HELP
    Print this help.
"""


@command(
    "ACL (CAT [category] | DELUSER name... | DRYRUN name command [argument]... | GENPASS [bits]"
    " | GETUSER name | HELP | LIST | LOAD | LOG [count | RESET] | SAVE | SETUSER name [rule]..."
    " | USERS | WHOAMI)",
    arity=-2,
    summary="Manage users and their rights",
    group=Group.SERVER,
    flags=Flags.ADMIN | Flags.HIDDEN | Flags.WHILE_LOADING,
)
@checked(
    subcommands={
        "CAT": Flags(0),
        "DELUSER": Flags.ADMIN,
        "DRYRUN": Flags.ADMIN,
        "GENPASS": Flags(0),
        "GETUSER": Flags.ADMIN,
        "HELP": Flags(0),
        "LIST": Flags.ADMIN,
        "LOAD": Flags.ADMIN,
        "LOG": Flags.ADMIN,
        "SAVE": Flags.ADMIN,
        "SETUSER": Flags.ADMIN,
        "USERS": Flags.ADMIN,
        "WHOAMI": Flags(0),
    }
)
def acl(call: Call) -> HandlerOutcome:
    """Run ACL subcommand …."""
    word, *rest = call.args
    subcommand = SUBCOMMANDS.get(word.upper())
    if subcommand is None:
        raise errors.unknown_acl_subcommand(word)
    return subcommand(call, rest)


def _check_count(call: Call, rest: list[bytes], least: int, most: int | None = None) -> None:
    if len(rest) < least or (most is not None and len(rest) > most):
        raise errors.subcommand_arity("acl", call.args[0])


def _set_user(call: Call, rest: list[bytes]) -> Reply:
    """ACL SETUSER name [rule]…: all rules are applied or none."""
    _check_count(call, rest, 1)
    users, name = call.server.access.users, rest[0]
    if HAS_BLANKS.search(shown(name)):
        raise errors.user_name()
    if users.find(name) is None and len(users) >= USERS_COUNT_MAX:
        raise errors.too_many_users()
    try:
        user = users.changed(name, [shown(word) for word in rest[1:]])
    except RuleError as error:
        raise errors.acl_rule(str(error)) from None
    users.store(user)
    end_forbidden_streams(call.server, {name})
    return OK


def _delete_users(call: Call, rest: list[bytes]) -> Reply | LastReply:
    """ACL DELUSER name…: the connections of the users are closed."""
    _check_count(call, rest, 1)
    if DEFAULT_USER in rest:
        raise errors.default_user()
    deleted = [name for name in rest if call.server.access.users.delete(name)]
    reply = Reply(len(deleted), (("deleted", len(deleted)),))
    return _closing(call, deleted, reply)


def _closing(call: Call, gone: Iterable[bytes], reply: Reply) -> Reply | LastReply:
    """Close the connections of users that are gone; our own after the reply."""
    names = frozenset(gone)
    for client in call.server.clients:
        if client.session.user in names and client is not call.client:
            client.kill()
    return LastReply(reply) if call.client.session.user in names else reply


def end_forbidden_streams(server: Services, names: set[bytes]) -> None:
    """Close connections that receive what their users, which have changed, may not see now."""
    for client in server.clients:
        if client.session.user in names and not _may_listen(server, client):
            client.kill()


def _may_listen(server: Services, client: Client) -> bool:
    session = client.session
    if client.listener is not None and client.listener.role is Role.FOLLOWER:
        return session.refusal([b"AOF", b"0"]) is None
    subscriber = server.broadcaster.find(client)
    if subscriber is None:
        return True
    if subscriber.role is Role.MONITOR and session.refusal([b"MONITOR"]) is not None:
        return False
    requests = [
        [b"SUBSCRIBE", *subscriber.names(is_pattern=False)],
        [b"PSUBSCRIBE", *subscriber.names(is_pattern=True)],
    ]
    refusals = [session.refusal(words) for words in requests if len(words) > 1]
    if any(refusal is not None and refusal[0] == "channel" for refusal in refusals):
        return False
    keys = (key for fence in subscriber.fences for key in server.engine.live_keys(fence))
    return all(session.may_read(key) for key in keys)


def _get_user(call: Call, rest: list[bytes]) -> Reply:
    _check_count(call, rest, 1, 1)
    user = call.server.access.users.find(rest[0])
    if user is None:
        return Reply(None, (("user", None),))
    fields: dict[str, object] = {
        "flags": user.flags(),
        "passwords": user.hashes,
        **_rules(user.root),
        "selectors": [_rules(selector) for selector in user.selectors],
    }
    return Reply(fields, (("user", fields),))


def _rules(selector: Selector) -> dict[str, str]:
    return {
        "commands": selector.command_words(),
        "keys": selector.key_words(),
        "channels": selector.channel_words(),
    }


def _list_users(call: Call, rest: list[bytes]) -> Reply:
    _check_count(call, rest, 0, 0)
    lines = call.server.access.users.lines()
    return Reply(lines, (("users", lines),))


def _list_names(call: Call, rest: list[bytes]) -> Reply:
    _check_count(call, rest, 0, 0)
    names = [user.name for user in call.server.access.users]
    return Reply(names, (("users", names),))


def _who_am_i(call: Call, rest: list[bytes]) -> Reply:
    _check_count(call, rest, 0, 0)
    name = call.client.session.user
    return Reply(name, (("user", name),))


def _list_category(call: Call, rest: list[bytes]) -> Reply:
    if not rest:
        return Reply(list(CATEGORIES), (("categories", list(CATEGORIES)),))
    if len(rest) > 1:
        raise errors.acl_syntax(call.args[0])
    found = call.server.access.users.catalog.in_category(shown(rest[0]).lower())
    if found is None:
        raise errors.unknown_category(rest[0])
    names = sorted(found)
    return Reply(names, (("commands", names),))


def _make_password(call: Call, rest: list[bytes]) -> Reply:
    if len(rest) > 1:
        raise errors.acl_syntax(call.args[0])
    bits = _integer(rest[0]) if rest else PASSWORD_BITS
    if not 0 < bits <= PASSWORD_BITS_MAX:
        raise errors.password_bits()
    password = clock.new_password(bits)
    return Reply(password, (("password", password),))


def _integer(word: bytes) -> int:
    if re.fullmatch(rb"-?[0-9]{1,18}", word) is None:
        raise errors.not_an_integer("value")
    return int(word)


def _try_command(call: Call, rest: list[bytes]) -> Reply:
    """ACL DRYRUN name command [argument]…: tell whether the user may, and run nothing."""
    _check_count(call, rest, 2)
    name, *words = rest
    users, engine = call.server.access.users, call.server.engine
    if users.find(name) is None:
        raise errors.no_such_user(name)
    count = _arity_of(users.catalog, words)
    if count is None:
        raise errors.no_such_command(words[0])
    if len(words) < abs(count) or (count > 0 and len(words) != count):
        raise errors.subcommand_arity(shown(words[0]).lower())
    session = engine.session()
    session.log_in(name)
    refusal = session.refusal(words)
    if refusal is None:
        return OK
    text = errors.dry_run_refusal(*refusal)
    return Reply(text, (("result", text),))


def _arity_of(catalog: CommandCatalog, words: list[bytes]) -> int | None:
    """Return the arity of the command that the words begin with, as in Redis; None if unknown."""
    texts = [shown(word).lower() for word in words[:2]]
    for name in (texts[0], "|".join(texts)):
        if name in catalog.records:
            return catalog.records[name].arity
    return None


def _show_log(call: Call, rest: list[bytes]) -> Reply:
    entries, now_ns = call.server.access.refusals.entries, call.server.clock.now_ns()
    if len(rest) > 1:
        raise errors.acl_syntax(call.args[0])
    if rest and rest[0].upper() == b"RESET":
        entries.clear()
        return OK
    count = _integer(rest[0]) if rest else LOG_COUNT
    rows = [_entry(entry, now_ns) for entry in list(entries)[: max(count, 0)]]
    return Reply(rows, (("log", rows),))


def _entry(entry: RefusalEntry, now_ns: int) -> dict[str, object]:
    refusal = entry.refusal
    return {
        "count": entry.count,
        "reason": refusal.reason,
        "context": refusal.context,
        "object": refusal.object,
        "username": refusal.user,
        "age-seconds": f"{max(now_ns - entry.created_ns, 0) / SECOND_NS:.3f}",
        "client-info": entry.client,
        "entry-id": entry.number,
        "timestamp-created": entry.created_ns // 1_000_000,
        "timestamp-last-updated": entry.updated_ns // 1_000_000,
    }


def _save(call: Call, rest: list[bytes]) -> Reply:
    _check_count(call, rest, 0, 0)
    access = call.server.access
    if access.file is None:
        raise errors.no_users_file()
    try:
        access.file.write(file_text(access.users.lines()))
    except OSError as error:
        call.server.log(f"ACL SAVE: {access.file.name}: {reason_of(error)}")
        raise errors.users_not_saved() from None
    return OK


def _load(call: Call, rest: list[bytes]) -> Reply | LastReply:
    _check_count(call, rest, 0, 0)
    access = call.server.access
    if access.file is None:
        raise errors.no_users_file()
    try:
        data = access.file.read()
    except OSError as error:
        raise errors.users_not_read(access.file.name, reason_of(error)) from None
    try:
        users = parse(data, access.users.catalog, access.file.name)
    except UsersTextError as error:
        raise errors.acl_rule(str(error)) from None
    gone = access.users.replace_all(with_default(users, _configured_default(call.server)))
    end_forbidden_streams(call.server, {user.name for user in users} | {DEFAULT_USER})
    return _closing(call, gone, OK)


def _configured_default(server: Services) -> User:
    """Return the default user as it is at a start: with the password of the configuration."""
    return server.access.users.unrestricted_default(server.config.get(REQUIREPASS))


def _show_help(call: Call, rest: list[bytes]) -> Reply:
    _check_count(call, rest, 0, 0)
    lines = HELP.splitlines()
    return Reply([Simple(line) for line in lines], (("help", lines),))


SUBCOMMANDS: Final[dict[bytes, Callable[[Call, list[bytes]], Reply | LastReply]]] = {
    b"CAT": _list_category,
    b"DELUSER": _delete_users,
    b"DRYRUN": _try_command,
    b"GENPASS": _make_password,
    b"GETUSER": _get_user,
    b"HELP": _show_help,
    b"LIST": _list_users,
    b"LOAD": _load,
    b"LOG": _show_log,
    b"SAVE": _save,
    b"SETUSER": _set_user,
    b"USERS": _list_names,
    b"WHOAMI": _who_am_i,
}
