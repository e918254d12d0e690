"""Rights of users against a simple model: the last rule about a command counts."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tests.support.bench import Bench
from tile38py._engine import AccessSelector, Engine
from tile38py.access.catalog import CommandCatalog

BENCH = Bench()
CATALOG = CommandCatalog(BENCH.engine.commands())
NAMES = sorted(CATALOG.names)
FAMILIES = sorted({name.partition("|")[0] for name in NAMES})
GROUPS = ["all", "read", "write", "admin", "dangerous", "connection", "fast", "slow", "pubsub"]
RULES = st.builds(
    str.__add__,
    st.sampled_from("+-"),
    st.one_of(
        st.sampled_from(NAMES),
        st.sampled_from(FAMILIES),
        st.sampled_from([f"@{g}" for g in GROUPS]),
    ),
)


def covers(subject: str, name: str) -> bool:
    """Whether a rule about a subject is about a command."""
    if subject == "@all":
        return True
    if subject.startswith("@"):
        return name in (CATALOG.in_category(subject[1:]) or ())
    return name == subject or name.startswith(f"{subject}|")


def is_allowed(rules: list[str], name: str) -> bool:
    """Whether the last rule about a command allows it."""
    about = [rule[0] for rule in rules if covers(rule[1:], name)]
    return bool(about) and about[-1] == "+"


@given(st.lists(RULES, max_size=12))
def test_the_last_rule_about_a_command_counts(rules: list[str]) -> None:
    user = BENCH.users.changed(b"ann", ["~*", "&*", *rules])
    assert user.root.commands == {name for name in NAMES if is_allowed(rules, name)}
    # The rules that are kept, which files have, mean the same.
    again = BENCH.users.changed(b"ben", user.root.words().split())
    assert again.root.commands == user.root.commands
    assert again.root.words() == user.root.words()


PIECES = st.lists(
    st.sampled_from(["*", "?", "a", "b", "c", "[ab]", "[^ab]", "[a-c]", "\\*", "\\a", "é"]),
    max_size=6,
)
NAMES_OF_KEYS = st.text("abc*é", max_size=6)


def expression(pieces: list[str]) -> re.Pattern[bytes]:
    """Return a pattern as a regular expression over bytes."""
    parts: list[bytes] = []
    for piece in pieces:
        match piece:
            case "*":
                parts.append(b".*")
            case "?":
                parts.append(b".")
            case _ if piece.startswith("["):
                parts.append(piece.encode())
            case _:
                parts.append(re.escape(piece.removeprefix("\\").encode()))
    return re.compile(b"".join(parts), re.DOTALL)


@given(PIECES, NAMES_OF_KEYS)
def test_patterns_of_keys_match_byte_by_byte(pieces: list[str], name: str) -> None:
    engine = Engine()
    key = name.encode()
    selector = AccessSelector(
        commands=["GET"],
        arguments=[],
        keys=[("".join(pieces).encode(), True, False)],
        channels=[],
    )
    engine.set_user(b"ann", [selector])
    session = engine.session()
    session.log_in(b"ann")
    assert session.may_read(key) == (expression(pieces).fullmatch(key) is not None)
    refusal = None if session.may_read(key) else ("key", key)
    assert session.refusal([b"GET", key, b"id"]) == refusal
    assert session.refusal([b"SET", key, b"id"]) == ("command", b"set")
