"""The rules of ACL SETUSER: each word changes a user. Errors have Redis's texts."""

import re
from collections.abc import Callable
from typing import Final

from tile38py.access.catalog import CommandCatalog
from tile38py.access.user import FULL_ACCESS, KeyAccess, Selector, User, encoded, hash_of

UNKNOWN_COMMAND: Final = "Unknown command or category name in ACL"
SYNTAX: Final = "Syntax error"
NO_SUCH_PASSWORD: Final = "The password you are trying to remove from the user does not exist"
BAD_HASH: Final = (
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
    "characters"
)
FIRST_ARGUMENT: Final = "Allowing first-arg of a subcommand is not supported"
AFTER_ALL_KEYS: Final = (
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have "
    "any effect. Try 'resetkeys' to start with an empty list of patterns"
)
AFTER_ALL_CHANNELS: Final = (
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not "
    "have any effect. Try 'resetchannels' to start with an empty list of channels"
)
HASH: Final = re.compile(r"[0-9a-f]{64}")
HAS_BLANKS: Final = re.compile(r"[\s\0]", re.ASCII)
ACCESS_OF: Final = {"R": KeyAccess.READ, "W": KeyAccess.WRITE}


class RuleError(Exception):
    """A rule is wrong; the text says why."""


class UnmatchedParenthesisError(Exception):
    """A selector has no closing parenthesis; the text is its beginning."""


def merged(words: list[str]) -> list[str]:
    """Join the words of each selector in parentheses. Raises UnmatchedParenthesisError."""
    found: list[str] = []
    queue = iter(words)
    for word in queue:
        selector = word
        while selector.startswith("(") and not selector.endswith(")"):
            following = next(queue, None)
            if following is None:
                raise UnmatchedParenthesisError(word)
            selector += f" {following}"
        found.append(selector)
    return found


def apply(user: User, word: str, catalog: CommandCatalog) -> None:
    """Change a user by one rule. Raises RuleError; the user may be changed in part then."""
    change = USER_RULES.get(word.lower())
    if change is not None:
        change(user)
    elif word[0] in "><#!":
        _apply_password(user, word)
    elif word[0] == "(" and word[-1] == ")":
        user.selectors.append(_selector(word[1:-1], catalog))
    else:
        apply_to_selector(user.root, word, catalog)


def _set_on(user: User) -> None:
    user.is_on = True


def _set_off(user: User) -> None:
    user.is_on = False


def _accept_any_password(user: User) -> None:
    user.is_open = True
    user.hashes.clear()


def _accept_no_password(user: User) -> None:
    user.is_open = False
    user.hashes.clear()


def _clear(user: User) -> None:
    _set_off(user)
    _accept_no_password(user)
    user.root = Selector()
    user.selectors.clear()


def _change_nothing(_user: User) -> None:
    """Accept a rule without a meaning here: Redis checks payloads of RESTORE by it."""


USER_RULES: Final[dict[str, Callable[[User], None]]] = {
    "": _change_nothing,
    "on": _set_on,
    "off": _set_off,
    "nopass": _accept_any_password,
    "resetpass": _accept_no_password,
    "reset": _clear,
    "clearselectors": lambda user: user.selectors.clear(),
    "sanitize-payload": _change_nothing,
    "skip-sanitize-payload": _change_nothing,
}


def _apply_password(user: User, word: str) -> None:
    text = word[1:]
    if word[0] in "#!" and HASH.fullmatch(text) is None:
        raise RuleError(BAD_HASH)
    known = text if word[0] in "#!" else hash_of(encoded(text))
    if word[0] in ">#":
        if known not in user.hashes:
            user.hashes.append(known)
        user.is_open = False
    elif known in user.hashes:
        user.hashes.remove(known)
    else:
        raise RuleError(NO_SUCH_PASSWORD)


def _selector(text: str, catalog: CommandCatalog) -> Selector:
    selector = Selector()
    for word in text.split():
        apply_to_selector(selector, word, catalog)
    return selector


def apply_to_selector(selector: Selector, word: str, catalog: CommandCatalog) -> None:
    """Change a selector by one rule for commands, keys or channels. Raises RuleError."""
    match word.lower():
        case "allkeys" | "~*":
            selector.has_all_keys = True
            selector.keys.clear()
        case "resetkeys":
            selector.has_all_keys = False
            selector.keys.clear()
        case "allchannels" | "&*":
            selector.has_all_channels = True
            selector.channels.clear()
        case "resetchannels":
            selector.has_all_channels = False
            selector.channels.clear()
        case "allcommands" | "+@all":
            _set_all_commands(selector, catalog, is_allowed=True)
        case "nocommands" | "-@all":
            _set_all_commands(selector, catalog, is_allowed=False)
        case _:
            _apply_pattern_or_command(selector, word, catalog)


def _apply_pattern_or_command(selector: Selector, word: str, catalog: CommandCatalog) -> None:
    name = word[1:].lower()
    match word[0]:
        case "~" | "%":
            _add_key_pattern(selector, word)
        case "&":
            _add_channel(selector, word[1:])
        case "+" | "-" if name.startswith("@"):
            found = catalog.in_category(name[1:])
            if found is None:
                raise RuleError(UNKNOWN_COMMAND)
            _change(selector, name, found, catalog, is_allowed=word[0] == "+")
        case "+":
            _allow_command(selector, name, catalog)
        case "-":
            found = catalog.find(name)
            if not found:
                raise RuleError(UNKNOWN_COMMAND)
            _change(selector, name, found, catalog, is_allowed=False)
        case _:
            raise RuleError(SYNTAX)


def _set_all_commands(selector: Selector, catalog: CommandCatalog, *, is_allowed: bool) -> None:
    selector.has_all_commands = is_allowed
    selector.commands = set(catalog.names) if is_allowed else set()
    selector.is_additive = not is_allowed
    selector.first_arguments.clear()
    selector.command_rules.clear()


def _add_key_pattern(selector: Selector, word: str) -> None:
    access, pattern = FULL_ACCESS, word[1:]
    if word[0] == "%":
        letters, _, pattern = pattern.partition("~")
        # A letter may stand there once. Redis takes a missing `~` for an empty pattern.
        if not letters or set(letters.upper()) - ACCESS_OF.keys() or _has_repeated(letters.upper()):
            raise RuleError(SYNTAX)
        access = KeyAccess(0)
        for letter in letters.upper():
            access |= ACCESS_OF[letter]
    if selector.has_all_keys:
        raise RuleError(AFTER_ALL_KEYS)
    if HAS_BLANKS.search(pattern):
        raise RuleError(SYNTAX)
    selector.keys[pattern] = selector.keys.get(pattern, KeyAccess(0)) | access


def _has_repeated(letters: str) -> bool:
    return len(set(letters)) < len(letters)


def _add_channel(selector: Selector, pattern: str) -> None:
    if selector.has_all_channels:
        raise RuleError(AFTER_ALL_CHANNELS)
    if HAS_BLANKS.search(pattern):
        raise RuleError(SYNTAX)
    if pattern not in selector.channels:
        selector.channels.append(pattern)


def _allow_command(selector: Selector, name: str, catalog: CommandCatalog) -> None:
    found = catalog.find(name)
    command, separator, argument = name.rpartition("|")
    if found:
        _change(selector, name, found, catalog, is_allowed=True)
    elif not separator or not catalog.find(command) or catalog.has_subcommands(command):
        raise RuleError(UNKNOWN_COMMAND)
    elif "|" in command:
        raise RuleError(FIRST_ARGUMENT)
    elif not argument:
        raise RuleError(SYNTAX)
    elif command not in selector.commands:
        allowed = selector.first_arguments.setdefault(command, [])
        if argument not in allowed:
            allowed.append(argument)
        _add_rule(selector, f"+{name}")


def _change(
    selector: Selector,
    name: str,
    found: frozenset[str],
    catalog: CommandCatalog,
    *,
    is_allowed: bool,
) -> None:
    """Allow or forbid commands."""
    for command in found:
        selector.first_arguments.pop(command, None)
    if selector.has_all_commands:
        selector.commands = set(catalog.names)
    if is_allowed:
        selector.commands |= found
    else:
        selector.commands -= found
    selector.has_all_commands = selector.commands >= catalog.names
    _add_rule(selector, f"{'+' if is_allowed else '-'}{name}")


def _add_rule(selector: Selector, rule: str) -> None:
    """Add a rule in place of earlier ones for the same command or its subcommands."""
    name = rule[1:]
    selector.command_rules = [
        known
        for known in selector.command_rules
        if known[1:] != name and not known[1:].startswith(f"{name}|")
    ]
    selector.command_rules.append(rule)
