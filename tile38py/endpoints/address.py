"""The grammar of endpoint URLs, as far as all schemes share it. Opens no connection."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

HALF_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
PORT_MAX: Final = 65535
NUMBER_DIGITS_MAX: Final = 19  # of what fits into 64 bits
HIDDEN: Final = "***"
KEY_PART: Final = "SharedAccessKey="
CONNECTION_STRING: Final = "Endpoint="  # how Event Hubs' addresses begin


class AddressError(ValueError):
    """A URL that can't be an endpoint; the text says why, and goes to the log only."""


@dataclass(frozen=True, slots=True)
class Address:
    """A URL in its parts; segments aren't decoded."""

    scheme: str
    authority: str
    segments: tuple[str, ...]
    query: dict[str, str]

    def option(self, name: str, default: str = "") -> str:
        """A parameter of the query."""
        return self.query.get(name, default)

    def is_set(self, name: str) -> bool:
        """A parameter that is true if it begins with a digit from 1 on, y or t."""
        return self.option(name)[:1] in tuple("123456789yYtT")

    def is_true(self, name: str) -> bool:
        """A parameter that is true only if it is one of the words for it."""
        return self.option(name) in {"1", "t", "T", "TRUE", "true", "True"}


def scheme_of(url: str) -> str:
    """What decides about the rest; an Event Hubs connection string has no scheme of its own."""
    if url.startswith(CONNECTION_STRING):
        return CONNECTION_STRING
    scheme, colon, _ = url.partition(":")
    if not colon:
        raise AddressError("unknown scheme")
    return scheme


def split(url: str) -> Address:
    """The parts of a URL."""
    scheme, _, rest = url.partition(":")
    if not rest.startswith("//"):
        raise AddressError("missing the two slashes")
    path, *queries = rest[2:].split("?")
    authority, *segments = path.split("/")
    if not authority:
        raise AddressError("missing channel" if scheme == "local" else "missing host")
    return Address(scheme, authority, tuple(segments), parameters(queries[0] if queries else ""))


def parameters(query: str) -> dict[str, str]:
    """The parameters of a query: of several of one name the first, none with half an escape."""
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        words = form_decoded(name), form_decoded(value)
        if words[0] is not None and words[1] is not None:
            found.setdefault(words[0], words[1])
    return found


def form_decoded(text: str) -> str | None:
    """A text without `+` for blanks and `%20`; None for half an escape."""
    if HALF_ESCAPE.search(text) is not None:
        return None
    return unquote_plus(text, errors="surrogateescape")


def decoded(segment: str, error: str) -> str:
    """A name as it stands in a segment. Raises AddressError for half an escape."""
    name = form_decoded(segment)
    if name is None:
        raise AddressError(error)
    return name


def number_of(text: str, most: int) -> int | None:
    """A number of decimal digits; None for anything else, and beyond the most."""
    is_number = text.isascii() and text.isdigit() and len(text.lstrip("0")) <= NUMBER_DIGITS_MAX
    return int(text) if is_number and int(text) <= most else None


def host_and_port(
    authority: str, default: int, *, malformed: str, bad_port: str
) -> tuple[str, int]:
    """`host` or `host:port`. A user may stand before it, but no password: its colon is a port's."""
    host, *ports = authority.split(":")
    if len(ports) > 1:
        raise AddressError(malformed)
    port = number_of(ports[0], PORT_MAX) if ports else default
    if port is None:
        raise AddressError(bad_port)
    return host, port


def pair_of(authority: str, error: str) -> tuple[str, str]:
    """Two words with one colon between; either may be empty."""
    first, colon, second = authority.partition(":")
    if not colon or ":" in second:
        raise AddressError(error)
    return first, second


def host_of(url: str) -> str:
    """The host that a URL names, without user and port."""
    authority = url.partition("//")[2].partition("?")[0].partition("/")[0]
    place = authority.rpartition("@")[2]
    return place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]


def first_name(address: Address, kind: str) -> str:
    """The first segment, decoded; it has to be there."""
    if not address.segments or not address.segments[0]:
        raise AddressError(f"missing {kind} name")
    return decoded(address.segments[0], f"invalid {kind} name")


def shown(url: str) -> str:
    """A URL without what may be a secret: user info and query."""
    if url.startswith(CONNECTION_STRING):
        parts = url.split(";")
        return ";".join([parts[0], *(part for part in parts[1:] if part.startswith("EntityPath="))])
    path, mark, _ = url.partition("?")
    scheme, slashes, rest = path.partition("//")
    authority, slash, segments = rest.partition("/")
    user, at, host = authority.rpartition("@")
    authority = f"{HIDDEN}@{host}" if at and user else host
    return f"{scheme}{slashes}{authority}{slash}{segments}{mark}{HIDDEN if mark else ''}"


def scrubbed(text: str, url: str) -> str:
    """An error's text without the secrets of the URL that it came from."""
    text = text.replace(url, shown(url))
    for secret in secrets_of(url):
        text = text.replace(secret, HIDDEN)
    return text


def secrets_of(url: str) -> list[str]:
    """The password, and the values of parameters that are secrets, as written and as meant."""
    if url.startswith(CONNECTION_STRING):
        parts = url.split(";")
        return [part[len(KEY_PART) :] for part in parts if part.startswith(KEY_PART)]
    path, _, query = url.partition("?")
    found = [value for name, value in parse_qsl(query) if name in {"pass", "token", "user"}]
    user, at, _ = path.partition("//")[2].partition("/")[0].rpartition("@")
    if at:
        password = user.partition(":")[2]
        found += [password, unquote_plus(password)]
    return [secret for secret in found if len(secret) > 1]
