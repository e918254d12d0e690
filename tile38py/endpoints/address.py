"""The common grammar of endpoint URLs, and their secrets. Opens no connection."""

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
    """A URL that can't be an endpoint. The text is the reason, for the log only."""


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of a URL; segments aren't decoded."""

    scheme: str
    authority: str
    segments: tuple[str, ...]
    query: dict[str, str]

    def option(self, name: str, default: str = "") -> str:
        """Return a parameter of the query."""
        return self.query.get(name, default)

    def is_set(self, name: str) -> bool:
        """Whether a parameter begins with a digit from 1 to 9, y or t."""
        return self.option(name)[:1] in tuple("123456789yYtT")

    def is_true(self, name: str) -> bool:
        """Whether a parameter is one of the words for true."""
        return self.option(name) in {"1", "t", "T", "TRUE", "true", "True"}


def scheme_of(url: str) -> str:
    """Return a URL's scheme; that of Event Hubs' connection strings is their first word."""
    if url.startswith(CONNECTION_STRING):
        return CONNECTION_STRING
    scheme, colon, _ = url.partition(":")
    if not colon:
        raise AddressError("unknown scheme")
    return scheme


def split(url: str) -> Address:
    """Split a URL into its parts. Raises AddressError, also where no host is named."""
    scheme, _, rest = url.partition(":")
    if not rest.startswith("//"):
        raise AddressError("missing the two slashes")
    path, *queries = rest[2:].split("?")
    authority, *segments = path.split("/")
    if not authority:
        raise AddressError("missing channel" if scheme == "local" else "missing host")
    return Address(scheme, authority, tuple(segments), parameters(queries[0] if queries else ""))


def parameters(query: str) -> dict[str, str]:
    """Parse a query. The first value of a name counts; invalid escapes are skipped."""
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        words = form_decoded(name), form_decoded(value)
        if words[0] is not None and words[1] is not None:
            found.setdefault(words[0], words[1])
    return found


def form_decoded(text: str) -> str | None:
    """Decode `+` and `%XX`; None if an escape is invalid."""
    if HALF_ESCAPE.search(text) is not None:
        return None
    return unquote_plus(text, errors="surrogateescape")


def decoded(segment: str, error: str) -> str:
    """Decode a segment. Raises AddressError if an escape is invalid."""
    name = form_decoded(segment)
    if name is None:
        raise AddressError(error)
    return name


def number_of(text: str, most: int) -> int | None:
    """Parse decimal digits; None for anything else and for numbers above the maximum."""
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
    """Split two words at the only colon; either may be empty."""
    first, colon, second = authority.partition(":")
    if not colon or ":" in second:
        raise AddressError(error)
    return first, second


def host_of(url: str) -> str:
    """Return the host of a URL, without user and port."""
    authority = url.partition("//")[2].partition("?")[0].partition("/")[0]
    place = authority.rpartition("@")[2]
    return place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]


def first_name(address: Address, kind: str) -> str:
    """Decode the first segment, which is required."""
    if not address.segments or not address.segments[0]:
        raise AddressError(f"missing {kind} name")
    return decoded(address.segments[0], f"invalid {kind} name")


def shown(url: str) -> str:
    """Return a URL without possible secrets: user info and query."""
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
    """Return an error's text without the secrets of its URL."""
    text = text.replace(url, shown(url))
    for secret in secrets_of(url):
        text = text.replace(secret, HIDDEN)
    return text


def secrets_of(url: str) -> list[str]:
    """Return the secrets in a URL: password and parameters, encoded and decoded."""
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
