"""All users by name. Each change reaches the engine at once. Doesn't read or write files."""

from collections.abc import Callable, Iterator
from typing import Final

from tile38py._engine import Engine
from tile38py.access.catalog import CommandCatalog
from tile38py.access.rules import RuleError, UnmatchedParenthesisError, apply, merged
from tile38py.access.user import DEFAULT_USER, User, encoded, hash_of

UNMATCHED: Final = "Unmatched parenthesis in acl selector starting at '{}'."


class Users:
    """The users of a server."""

    __slots__ = ("_by_name", "_catalog", "_engine", "_require_login")

    def __init__(self, engine: Engine, require_login: Callable[[bool], None]) -> None:
        """Create the default user, which may do everything without a password.

        require_login is called with whether clients have to authenticate, after each change.
        """
        self._engine = engine
        self._require_login = require_login
        self._catalog: CommandCatalog | None = None
        self._by_name = {DEFAULT_USER: User.unrestricted(DEFAULT_USER)}

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[User]:
        """Yield the users in the order of their names."""
        return iter([self._by_name[name] for name in sorted(self._by_name)])

    @property
    def catalog(self) -> CommandCatalog:
        """All commands. Only after the server's commands are registered with the engine."""
        if self._catalog is None:
            self._catalog = CommandCatalog(self._engine.commands())
        return self._catalog

    @property
    def default(self) -> User:
        """The user of connections that haven't authenticated."""
        return self._by_name[DEFAULT_USER]

    def find(self, name: bytes) -> User | None:
        """Return a user; None if there is none of this name."""
        return self._by_name.get(name)

    def changed(self, name: bytes, words: list[str]) -> User:
        """Return a user with rules applied, and store nothing. Raises RuleError.

        A user that doesn't exist begins without any right.
        """
        former = self._by_name.get(name)
        user = User(name) if former is None else former.copy()
        try:
            selected = merged(words)
        except UnmatchedParenthesisError as error:
            raise RuleError(UNMATCHED.format(error)) from None
        for word in selected:
            try:
                apply(user, word, self.catalog)
            except RuleError as error:
                raise RuleError(f"Error in ACL SETUSER modifier '{word}': {error}") from None
        return user

    def store(self, user: User) -> None:
        """Add a user, or replace the one of its name."""
        self._by_name[user.name] = user
        self._compile(user)

    def delete(self, name: bytes) -> bool:
        """Delete a user; return whether there was one. The default user can't be deleted."""
        assert name != DEFAULT_USER
        if self._by_name.pop(name, None) is None:
            return False
        self._engine.remove_user(name)
        return True

    def replace_all(self, users: list[User]) -> list[bytes]:
        """Replace all users; return the names of those that are gone. One has to be the default."""
        gone = self._by_name.keys() - {user.name for user in users}
        for name in gone:
            self.delete(name)
        for user in users:
            self.store(user)
        return sorted(gone)

    def set_default_password(self, password: str) -> None:
        """Give the default user this password as the only one; an empty one means any."""
        user = self.default.copy()
        _set_password(user, password)
        self.store(user)

    @staticmethod
    def unrestricted_default(password: str) -> User:
        """Return a default user that may do everything with this password; store nothing."""
        user = User.unrestricted(DEFAULT_USER)
        _set_password(user, password)
        return user

    def authenticate(self, name: bytes, password: bytes) -> bool:
        """Whether a user of this name may log in with this password."""
        user = self._by_name.get(name)
        if user is None:
            hash_of(password)  # so that the time doesn't tell which users exist
            return False
        # Tile38 trims the given password, so it can't match one with outer spaces; we can.
        return user.accepts(password) or user.accepts(password.strip())

    def are_configured(self, password: str) -> bool:
        """Whether there are other users than a default user with this password and all rights."""
        return (
            len(self._by_name) > 1
            or self.default.line() != self.unrestricted_default(password).line()
        )

    def lines(self) -> list[bytes]:
        """Return the rules of all users, as ACL LIST shows them and files keep them."""
        return [user.line() for user in self]

    def _compile(self, user: User) -> None:
        # The catalog isn't there yet when the configuration's password is set.
        rights = None if user.allows_everything() else user.compiled(self.catalog)
        self._engine.set_user(user.name, rights)
        if user.name == DEFAULT_USER:
            self._require_login(not (user.is_on and user.is_open))


def _set_password(user: User, password: str) -> None:
    user.is_open = not password
    user.hashes = [hash_of(encoded(password))] if password else []
