"""The text of a file of users: a line for each, as ACL LIST shows it. Errors have Redis's texts."""

from tile38py.access.catalog import CommandCatalog
from tile38py.access.rules import (
    HAS_BLANKS,
    UNKNOWN_COMMAND,
    RuleError,
    UnmatchedParenthesisError,
    apply,
    merged,
)
from tile38py.access.user import DEFAULT_USER, User, encoded

UNCHANGED = (
    "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
)


class UsersTextError(Exception):
    """Lines are wrong; the text says which and why."""


def file_text(lines: list[bytes]) -> bytes:
    """Return the content of a file with these users."""
    return b"".join(line + b"\n" for line in lines)


def parse(data: bytes, catalog: CommandCatalog, name: str) -> list[User]:
    """Return the users of a text. `name` is the file's. Raises UsersTextError."""
    users: dict[bytes, User] = {}
    errors: list[str] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        words = line.strip(b" \t\r").decode("utf-8", "surrogateescape").split(" ")
        if words == [""]:
            continue
        if words[0] != "user" or len(words) == 1:
            errors.append(
                f"{name}:{number} should start with user keyword followed by the username. "
            )
            continue
        user = User(encoded(words[1]))
        if HAS_BLANKS.search(words[1]):
            errors.append(f"'{name}:{number}: username '{words[1]}' contains invalid characters. ")
        elif user.name in users:
            errors.append(f"WARNING: Duplicate user '{words[1]}' found on line {number}. ")
        else:
            users[user.name] = user
            errors += _rule_errors(user, words[2:], catalog, f"{name}:{number}: ")
    if errors:
        raise UsersTextError("".join(errors) + UNCHANGED)
    return list(users.values())


def _rule_errors(user: User, words: list[str], catalog: CommandCatalog, place: str) -> list[str]:
    """Change a user by rules; return the errors: all unknown commands, and one of the others."""
    try:
        rules = merged(words)
    except UnmatchedParenthesisError:
        return [f"{place}Unmatched parenthesis in selector definition."]
    errors: list[str] = []
    has_other = False
    for rule in rules:
        try:
            apply(user, rule, catalog)
        except RuleError as error:
            if str(error) == UNKNOWN_COMMAND:
                errors.append(f"{place}Error in applying operation '{rule}': {error}. ")
            elif not has_other:
                has_other = True
                errors.append(f"{place}{error}. ")
    return errors


def with_default(users: list[User], default: User) -> list[User]:
    """Return the users, with this default user if none of them is it."""
    has_default = any(user.name == DEFAULT_USER for user in users)
    return users if has_default else [*users, default]
