"""Content negotiation of HTTP: what a client's Accept headers prefer. Knows no media type."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

QUALITY: Final = frozenset((b"0", b"1"))  # the digit that a quality begins with


@dataclass(frozen=True, slots=True)
class Alternative:
    """An entry of an Accept header, in lower case."""

    name: bytes  # such as `gzip` or `text/plain`
    parameters: dict[bytes, bytes]  # besides q
    quality: float  # 0 = refused


def alternatives(header: bytes) -> Iterator[Alternative]:
    """Yield the entries of an Accept header. A quality that can't be parsed refuses its entry."""
    for item in header.lower().split(b","):
        name, *words = item.split(b";")
        pairs = (word.partition(b"=") for word in words)
        parameters = {key.strip(): value.strip() for key, _, value in pairs}
        quality = _quality(parameters.pop(b"q", b"1"))
        yield Alternative(name.strip(), parameters, quality)


def takes_gzip(headers: Mapping[bytes, bytes]) -> bool:
    """Return whether the client accepts compressed replies."""
    found = alternatives(headers.get(b"accept-encoding", b""))
    qualities = {alternative.name: alternative.quality for alternative in found}
    return qualities.get(b"gzip", qualities.get(b"*", 0.0)) > 0


def _quality(text: bytes) -> float:
    whole, _, digits = text.partition(b".")
    is_number = whole in QUALITY and (not digits or digits.isdigit())
    return min(float(text), 1.0) if is_number else 0.0
