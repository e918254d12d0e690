"""The expiry of a certificate, read from its file: OpenSSL shows no server its own certificate."""

import re
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

# The first certificate of a file is the server's own.
PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
LONG_LENGTH: Final = 0x80  # a bit of DER: the other bits count the bytes of the length
VERSION: Final = 0xA0  # the tag of the optional first member of a certificate
MEMBERS_BEFORE_VALIDITY: Final = 3  # serial number, algorithm, issuer
UTC_TIME: Final = 0x17  # the tag of a time with a year of two digits
CENTURY_START: Final = "50"  # years of two digits from here on are in the 20th century


def certificate_expiry(path: str) -> float | None:
    """Return when a certificate expires, in seconds since 1970; None if it can't be read."""
    try:
        found = PEM.search(Path(path).read_text("ascii", "replace"))
        return None if found is None else der_expiry(ssl.PEM_cert_to_DER_cert(found[0]))
    except (OSError, ValueError, IndexError):
        return None


def der_expiry(data: bytes) -> float:
    """Return the end of a certificate's validity. Raises ValueError or IndexError."""
    start = _content(data, _content(data, 0))  # the certificate, then its signed part
    if data[start] == VERSION:
        start = _end(data, start)
    for _ in range(MEMBERS_BEFORE_VALIDITY):
        start = _end(data, start)
    after = _end(data, _content(data, start))
    text = data[_content(data, after) : _end(data, after)].decode("ascii")
    if data[after] == UTC_TIME:
        text = ("19" if text >= CENTURY_START else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _content(data: bytes, start: int) -> int:
    """Return where the content of an element begins."""
    length = data[start + 1]
    return start + 2 + (length - LONG_LENGTH if length & LONG_LENGTH else 0)


def _end(data: bytes, start: int) -> int:
    """Return where an element ends."""
    content = _content(data, start)
    long_length = int.from_bytes(data[start + 2 : content])
    return content + (long_length if content > start + 2 else data[start + 1])
