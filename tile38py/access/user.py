"""A user: whether it is active, its passwords, and selectors with its rights."""

import hashlib
import hmac
from copy import deepcopy
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import Self

from tile38py._engine import AccessSelector
from tile38py.access.catalog import CommandCatalog

DEFAULT_USER = b"default"


class KeyAccess(Flag):
    """What a user may do with the keys of a pattern."""

    READ = auto()
    WRITE = auto()


FULL_ACCESS = KeyAccess.READ | KeyAccess.WRITE
PREFIXES = {
    KeyAccess(0): "%~",
    KeyAccess.READ: "%R~",
    KeyAccess.WRITE: "%W~",
    FULL_ACCESS: "~",
}


@dataclass(slots=True)
class Selector:
    """Commands with the keys and channels that they may use."""

    has_all_commands: bool = False
    commands: set[str] = field(default_factory=set)  # by their names in rules
    first_arguments: dict[str, list[str]] = field(default_factory=dict)  # `+select|0`
    is_additive: bool = True  # the rules begin with -@all, not +@all
    command_rules: list[str] = field(default_factory=list)
    has_all_keys: bool = False
    keys: dict[str, KeyAccess] = field(default_factory=dict)
    has_all_channels: bool = False
    channels: list[str] = field(default_factory=list)

    def key_words(self) -> str:
        """Return the rules for keys."""
        if self.has_all_keys:
            return "~*"
        return " ".join(PREFIXES[access] + pattern for pattern, access in self.keys.items())

    def channel_words(self) -> str:
        """Return the rules for channels."""
        if self.has_all_channels:
            return "&*"
        return " ".join(f"&{pattern}" for pattern in self.channels)

    def command_words(self) -> str:
        """Return the rules for commands."""
        return " ".join(["-@all" if self.is_additive else "+@all", *self.command_rules])

    def words(self) -> str:
        """Return all rules."""
        channels = self.channel_words()
        if not self.has_all_channels:
            channels = f"resetchannels {channels}".rstrip()
        return " ".join(filter(None, (self.key_words(), channels, self.command_words())))

    def allows_everything(self) -> bool:
        """Whether nothing is forbidden."""
        return self.has_all_commands and self.has_all_keys and self.has_all_channels

    def compiled(self, catalog: CommandCatalog) -> AccessSelector:
        """Return the selector for the engine."""
        names = [catalog.engine_names[name] for name in self.commands & catalog.names]
        return AccessSelector(
            commands=None if self.has_all_commands else names,
            arguments=catalog.engine_arguments(self.first_arguments),
            keys=None
            if self.has_all_keys
            else [
                (encoded(pattern), KeyAccess.READ in access, KeyAccess.WRITE in access)
                for pattern, access in self.keys.items()
            ],
            channels=None if self.has_all_channels else [encoded(one) for one in self.channels],
        )


@dataclass(slots=True)
class User:
    """A user. The first selector is the user's own, the others are in parentheses in its rules."""

    name: bytes
    is_on: bool = False
    is_open: bool = False  # nopass: any password is right
    hashes: list[str] = field(default_factory=list)
    root: Selector = field(default_factory=Selector)
    selectors: list[Selector] = field(default_factory=list)

    @classmethod
    def unrestricted(cls, name: bytes) -> Self:
        """Return a user that needs no password and may do everything."""
        user = cls(name, is_on=True, is_open=True)
        root = user.root
        root.has_all_commands = root.has_all_keys = root.has_all_channels = True
        root.is_additive = False
        return user

    def copy(self) -> "User":
        """Return a copy that shares nothing."""
        return deepcopy(self)

    def accepts(self, password: bytes) -> bool:
        """Whether the user may log in with this password. Takes the same time for each hash."""
        given = hash_of(password)
        matches = [hmac.compare_digest(given, known) for known in self.hashes]
        return self.is_on and (self.is_open or any(matches))

    def flags(self) -> list[str]:
        """Return the words for the user's state."""
        return ["on" if self.is_on else "off", *["nopass"] * self.is_open]

    def line(self) -> bytes:
        """Return the rules by which the user can be made again, as ACL LIST shows them."""
        words = [*self.flags(), *(f"#{one}" for one in self.hashes), self.root.words()]
        words += [f"({selector.words()})" for selector in self.selectors]
        return b"user %b %b" % (self.name, encoded(" ".join(words)))

    def allows_everything(self) -> bool:
        """Whether nothing is forbidden."""
        return any(one.allows_everything() for one in (self.root, *self.selectors))

    def compiled(self, catalog: CommandCatalog) -> list[AccessSelector]:
        """Return the rights for the engine."""
        return [one.compiled(catalog) for one in (self.root, *self.selectors)]


def hash_of(password: bytes) -> str:
    """Return a password's SHA-256 in hexadecimal digits, as Redis keeps it."""
    return hashlib.sha256(password).hexdigest()


def encoded(text: str) -> bytes:
    """Return the bytes of a text in which surrogates stand for invalid UTF-8."""
    return text.encode("utf-8", "surrogateescape")
