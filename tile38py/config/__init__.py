"""Settings: the values in force, the values of the configuration file, and the file's text.

Values given by CONFIG SET are in force at once and reach the file only with CONFIG REWRITE.
Doesn't read or write the file: see persistence/config_file.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from tile38py import errors
from tile38py.config import output_limits
from tile38py.config import properties as known
from tile38py.config.properties import Property

T = TypeVar("T")

PROPERTIES: Final[dict[str, Property[object]]] = {
    value.name: cast("Property[object]", value)
    for value in (*vars(known).values(), *vars(output_limits).values())
    if isinstance(value, Property)
}
NAMES: Final = sorted(PROPERTIES)
# Each write of the file saves the values in force of these two, even without CONFIG REWRITE.
ALWAYS_SAVED_NAMES: Final = (known.LOGCONFIG.name, known.REPLICA_PRIORITY.name)

IDENTITY_NAMES: Final = frozenset(
    ("server_id", "follow_host", "follow_port", "follow_id", "follow_pos", "read_only", "users")
)


@dataclass(slots=True)
class Identity:
    """Members of the file that aren't properties."""

    server_id: str = ""
    follow_host: str = ""
    follow_port: int = 0
    follow_id: str = ""  # not used; kept for older servers
    follow_pos: int = 0  # not used; kept for older servers
    is_read_only: bool = False
    users: tuple[str, ...] = ()  # the rules of all users, if there is no aclfile


class Config:
    """All settings of the server."""

    __slots__ = (
        "_changed", "_checks", "_defaults", "_saved", "_values", "identity", "left_out",
    )  # fmt: skip

    def __init__(self, *, maxmemory: int = known.MAXMEMORY.default) -> None:
        """Create settings with their default values; maxmemory is the default of that one."""
        self.identity = Identity()
        self.left_out = ""  # unknown content of the file, which the next write drops
        self._defaults: dict[str, object] = {name: PROPERTIES[name].default for name in NAMES}
        self._defaults[known.MAXMEMORY.name] = maxmemory
        self._values = dict(self._defaults)
        self._saved: dict[str, str] = {}  # texts of the properties in the file
        self._checks: list[Callable[[Collection[str]], None]] = []  # called before each change
        self._changed: list[Callable[[str], None]] = []  # called after each change

    def get(self, which: Property[T]) -> T:
        """Return the value in force."""
        return cast("T", self._values[which.name])

    def is_default(self, which: Property[T]) -> bool:
        """Return whether the value in force is the default."""
        return self._values[which.name] == self._defaults[which.name]

    def text(self, name: str) -> str:
        """Return the value in force as CONFIG GET shows it."""
        return self._shown(name, self._values[name])

    def set(self, name: str, text: str) -> None:
        """Set a property from its text. Raises CommandError and leaves the value unchanged."""
        self.set_all({name: text})

    def set_all(self, texts: Mapping[str, str]) -> None:
        """Set several properties at once. Raises CommandError and leaves all values unchanged."""
        for name in texts:
            if name not in PROPERTIES:
                raise errors.unsupported_property(name)
        earlier = dict(self._values)
        self._values |= {name: self._read(name, text) for name, text in texts.items()}
        passed: list[Callable[[Collection[str]], None]] = []
        try:
            for check in self._checks:
                check(texts.keys())
                passed.append(check)
        except errors.CommandError:
            self._values = earlier
            # A check may have put the new values to use, such as a certificate.
            for check in passed:
                check(texts.keys())
            raise
        for name in texts:
            for changed in self._changed:
                changed(name)

    def add_check(self, check: Callable[[Collection[str]], None]) -> None:
        """Call a function with the names of properties that are set from now on.

        It sees the new values and refuses them by raising CommandError.
        """
        self._checks.append(check)

    def on_change(self, changed: Callable[[str], None]) -> None:
        """Call a function with the name of each property that is set from now on."""
        self._changed.append(changed)

    def store_values(self) -> None:
        """Put the values in force into the next text of the file, as CONFIG REWRITE asks."""
        self._saved = {
            name: self.text(name)
            for name in NAMES
            if name not in ALWAYS_SAVED_NAMES
            and self.text(name) != self._shown(name, self._defaults[name])
        }

    def read(self, data: bytes) -> None:
        """Use a file's content. Raises StartError for an invalid value."""
        members = read_members(data)
        if members is None:
            members, self.left_out = {}, "all of it, since it isn't a JSON object"
        elif strangers := sorted(members.keys() - PROPERTIES.keys() - IDENTITY_NAMES):
            self.left_out = ", ".join(map(repr, strangers))
        self.identity = _identity(members)
        for name in NAMES:
            text = members.get(name)
            if not text:
                continue
            if name == known.REPLICA_PRIORITY.name:
                self._values[name] = _lenient_priority(text)
                continue
            if name not in ALWAYS_SAVED_NAMES:
                self._saved[name] = text
            try:
                self._values[name] = self._read(name, text)
            except errors.CommandError as error:
                raise errors.StartError(str(error)) from None

    def read_options(self, texts: Mapping[str, str]) -> None:
        """Use values of the command line instead of the file's. Raises StartError."""
        try:
            self.set_all(texts)
        except errors.CommandError as error:
            raise errors.StartError(str(error)) from None

    def _read(self, name: str, text: str) -> object:
        # An empty maxmemory is the default, so that it can be restored. In Tile38 both are 0.
        is_unset = name == known.MAXMEMORY.name and not text
        return self._defaults[name] if is_unset else PROPERTIES[name].read(text)

    def _shown(self, name: str, value: object) -> str:
        """Return the text of a value. No maxmemory is "0" if the default is a limit, else empty."""
        is_unbounded = name == known.MAXMEMORY.name and not value
        return "0" if is_unbounded and self._defaults[name] else PROPERTIES[name].show(value)

    def file_text(self) -> bytes:
        """Return the content that the file has to have now."""
        members: dict[str, object] = dict(self._saved)
        identity = self.identity
        state: dict[str, object] = {
            "server_id": identity.server_id,
            "follow_host": identity.follow_host,
            "follow_port": identity.follow_port,
            "follow_id": identity.follow_id,
            "follow_pos": identity.follow_pos,
            "read_only": identity.is_read_only,
            "users": list(identity.users),
            known.LOGCONFIG.name: json_object(self.get(known.LOGCONFIG)),
        }
        members.update((name, value) for name, value in state.items() if value)
        priority = self.get(known.REPLICA_PRIORITY)
        if priority is not None:
            members[known.REPLICA_PRIORITY.name] = priority
        text = json.dumps(members, indent="\t", sort_keys=True, ensure_ascii=False)
        # Passwords may be any bytes: surrogateescape restores them.
        return (text + "\n").encode("utf-8", "surrogateescape")


def read_members(data: bytes) -> dict[str, str] | None:
    """Return the members of a file as texts; None if it isn't a JSON object. It may be empty."""
    if not data.strip():
        return {}
    text = data.decode("utf-8", "surrogateescape")
    try:
        # Numbers stay as they are spelled, except within objects.
        spelled: object = json.loads(text, parse_int=str, parse_float=str)
        content: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(spelled, dict) or not isinstance(content, dict):
        return None
    return {
        str(name): _member_text(content[name] if isinstance(value, dict) else value)
        for name, value in spelled.items()
    }


def json_object(text: str) -> dict[str, object]:
    """Parse a JSON object; return an empty one for other texts."""
    try:
        content: object = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _member_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False)


def _identity(members: dict[str, str]) -> Identity:
    return Identity(
        server_id=members.get("server_id", ""),
        follow_host=members.get("follow_host", ""),
        follow_port=_lenient_integer(members.get("follow_port", "")),
        follow_id=members.get("follow_id", ""),
        follow_pos=_lenient_integer(members.get("follow_pos", "")),
        is_read_only=members.get("read_only", "") == "true",
        users=_texts(members.get("users", "")),
    )


def _texts(text: str) -> tuple[str, ...]:
    """Parse a JSON array of texts. Raises StartError for anything else: users aren't guessed."""
    try:
        content: object = json.loads(text) if text else []
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, list) or not all(isinstance(line, str) for line in content):
        raise errors.StartError("users in the configuration file: not an array of texts")
    return tuple(content)


def _lenient_integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0


def _lenient_priority(text: str) -> int | None:
    priority = _lenient_integer(text)
    return None if priority < 0 else priority
