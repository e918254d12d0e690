"""Every command and subcommand, of the engine and of the server, as every kind of user."""

from collections.abc import Callable, Mapping

import pytest

from tests.support.bench import Bench
from tile38py._engine import CommandRecord, Session
from tile38py.access.catalog import CommandCatalog
from tile38py.commands.registry import COMMANDS

# Commands that run before a login, and so for any user.
OPEN = {"auth", "echo", "healthz", "hello", "output", "ping", "quit", "reset"}
KEY = "foreign"
CHANNEL = "foreign"
AREA = ["NEARBY", KEY, "FENCE", "POINT", "1", "2", "3"]
# The words behind the name, by the places of keys and of channels.
WORDS: Mapping[str, list[str]] = {
    "none": [],
    "every": [],
    "key": [KEY],
    "object": [KEY],
    "pair": [KEY, KEY],
    "all": [KEY],
    "search": [KEY],
    "areas": ["GET", KEY, "id", "WITHIN", "GET", KEY, "id"],
    "hook": ["name", "http://127.0.0.1", *AREA],
    "channel": [CHANNEL, *AREA],
    "script": ["return 1", "1", KEY],
}
FILLER = ["1"] * 8

Refused = Callable[[CommandRecord, list[str]], str | None]


def request_of(record: CommandRecord, subcommand: str = "") -> list[bytes]:
    """Return a request of a command with a foreign key and a foreign channel."""
    words = WORDS[record.keys] or ([CHANNEL] if record.channels != "none" else [])
    name = [*record.name.split(" "), *[subcommand] * bool(subcommand)]
    count = record.arity if record.arity > 0 else max(-record.arity, len(name + words))
    return [word.encode() for word in [*name, *words, *FILLER][: max(count, len(name))]]


def cases() -> list[tuple[str, CommandRecord, list[bytes]]]:
    """Return all commands and subcommands with a request of each."""
    found: list[tuple[str, CommandRecord, list[bytes]]] = []
    for record in Bench(is_developer=True).engine.commands():
        name = record.name.lower().replace(" ", "|")
        if not record.subcommands:
            found.append((name, record, request_of(record)))
        for subcommand, _ in record.subcommands:
            full_name = f"{name}|{subcommand.lower()}"
            found.append((full_name, record, request_of(record, subcommand)))
    return found


CASES = cases()


def needs_key(record: CommandRecord) -> bool:
    return record.keys != "none"


def needs_to_read(record: CommandRecord) -> bool:
    """Whether a command needs the right to read a key that it names."""
    if record.keys in {"pair", "script", "hook", "channel", "areas"}:
        return True
    return needs_key(record) and "write" not in record.flags


def needs_to_write(record: CommandRecord) -> bool:
    """Whether a command needs the right to write a key that it names."""
    if record.keys in {"hook", "channel", "areas"}:
        return False
    is_written = record.keys == "script" and "read" not in record.flags
    return needs_key(record) and ("write" in record.flags or is_written)


# Rules, and the reason for which a command is refused; None if it is allowed.
USERS: Mapping[str, tuple[str, Callable[[CommandRecord], str | None]]] = {
    "none": ("", lambda _: "command"),
    "all": ("+@all ~* &*", lambda _: None),
    "read-only": ("+@read ~* &*", lambda one: None if "read" in one.flags else "command"),
    "write-only": ("+@write ~* &*", lambda one: None if "write" in one.flags else "command"),
    "reads keys": ("+@all %R~* &*", lambda one: "key" if needs_to_write(one) else None),
    "writes keys": ("+@all %W~* &*", lambda one: "key" if needs_to_read(one) else None),
    "other keys": ("+@all ~own:* &*", lambda one: "key" if needs_key(one) else None),
    "no keys": ("+@all &*", lambda one: "key" if needs_key(one) else None),
    "other channels": (
        "+@all ~* &own:*",
        lambda one: "channel" if one.channels != "none" else None,
    ),
    "channels only": ("+@pubsub &*", lambda one: None if "pubsub" in one.flags else "command"),
}


def session_of(bench: Bench, rules: str) -> Session:
    bench.call("ACL", "SETUSER", "ann", "on", ">pw", *rules.split())
    session = bench.engine.session()
    session.log_in(b"ann")
    return session


@pytest.mark.parametrize("kind", USERS)
def test_every_command_is_checked_for_every_kind_of_user(kind: str) -> None:
    rules, expected = USERS[kind]
    bench = Bench(is_developer=True)
    session = session_of(bench, rules)
    for name, record, words in CASES:
        refusal = session.refusal(words)
        reason = None if refusal is None else refusal[0]
        wanted = None if name in OPEN else expected(record)
        assert reason == wanted, (name, words)
        if refusal is not None and reason == "command":
            assert refusal[1].decode() == name


@pytest.mark.parametrize(("name", "words"), [(name, words) for name, _, words in CASES])
def test_a_session_refuses_every_command_to_a_user_without_rights(
    name: str, words: list[bytes]
) -> None:
    bench = Bench(is_developer=True)
    bench.call("ACL", "SETUSER", "ann", "on", ">pw", "~*", "&*")
    client = bench.new_client()
    bench.call("AUTH", "ann", "pw", client=client)
    reply = bench.call(*words, client=client)
    assert reply.startswith(b"-NOPERM ") == (name not in OPEN)


def test_the_commands_without_a_check_are_those_that_run_before_a_login() -> None:
    records = Bench(is_developer=True).engine.commands()
    found = {record.name.lower() for record in records if "before_auth" in record.flags}
    assert found == OPEN


def test_commands_that_operate_the_server_are_dangerous() -> None:
    bench = Bench(is_developer=True)
    catalog = CommandCatalog(bench.engine.commands())
    dangerous = catalog.in_category("dangerous") or frozenset()
    harmless = {
        *("acl|cat", "acl|genpass", "acl|help", "acl|whoami", "command", "help"),
        *("dbsize", "healthz", "info", "role", "server", "timeout", "wait"),
    }
    groups = {"server", "persistence", "replication", "developer"}
    found = {name for name, record, _ in CASES if record.group in groups}
    assert found - dangerous <= harmless
    assert {"flushdb", "client|kill", "client|list"} <= dangerous
    assert not {"client|setname", "client|setinfo", "client|id"} & dangerous


def test_the_subcommands_of_a_record_are_those_of_its_handler() -> None:
    from tile38py.commands import acl, client

    for name, handlers in (("ACL", acl.SUBCOMMANDS), ("CLIENT", client.SUBCOMMANDS)):
        declared = {word.encode() for word, _ in COMMANDS.by_name[name].record.subcommands}
        assert declared == set(handlers)


def test_an_inactive_user_has_no_session() -> None:
    bench = Bench()
    bench.call("ACL", "SETUSER", "ann", "off", "nopass", "+@all", "~*", "&*")
    assert bench.call("AUTH", "ann", "pw").startswith(b"-WRONGPASS ")
    assert bench.call("HELLO", "3", "AUTH", "ann", "pw").startswith(b"-WRONGPASS ")
