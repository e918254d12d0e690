"""The properties of CONFIG: the parser, the text and the default of each."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from tile38py import errors
from tile38py.limits import (
    BUSY_MILLISECONDS,
    BUSY_MILLISECONDS_MAX,
    CLIENTS_COUNT_MAX,
    EVENT_WINDOW_MILLISECONDS_MAX,
    HOOK_QUEUE_BYTES_MAX,
    HOOK_TTL_SECONDS,
    MIB,
    QUERY_BYTES_MAX,
    READ_THREADS_COUNT_MAX,
    REQUEST_SECONDS,
    SLOWLOG_COUNT,
    SLOWLOG_COUNT_MAX,
    SLOWLOG_MICROSECONDS,
)

T = TypeVar("T")

INT64_MAX: Final = 2**63 - 1
UINT64_MAX: Final = 2**64 - 1
PORT_MAX: Final = 65535
SECONDS_MAX: Final = 2**31 - 1
# Older versions are insecure, and OpenSSL refuses them by default.
TLS_VERSIONS: Final = ("1.2", "1.3")
SIZE: Final = re.compile(r"([0-9]+)(kb|mb|gb)?", re.IGNORECASE | re.ASCII)
DURATION: Final = re.compile(r"([0-9]{1,9})(ms|s|m|h)?", re.IGNORECASE | re.ASCII)
DURATION_UNITS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
UNITS: Final = {"": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}


@dataclass(frozen=True, slots=True)
class Property(Generic[T]):
    """A property. Its parse function raises ValueError for a text that isn't a value."""

    name: str
    default: T
    parse: Callable[[str], T]
    show: Callable[[T], str]
    error: Callable[[str, str], errors.CommandError] = errors.invalid_property

    def read(self, text: str) -> T:
        """Parse a value. Raises CommandError if the text isn't one."""
        try:
            return self.parse(text)
        except ValueError:
            raise self.error(self.name, text) from None


def parse_size(text: str) -> int:
    """Parse a size: decimal digits with an optional kb, mb or gb; empty = 0."""
    if text == "":
        return 0
    match = SIZE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    size = int(match[1]) * UNITS[(match[2] or "").lower()]
    # Tile38 lets sizes wrap around: a huge limit may become 0, which means no limit.
    return at_most(size, INT64_MAX)


def show_size(size: int) -> str:
    """Return a size in the largest unit that gives at least 1, rounded down; empty for 0."""
    if size <= 0:
        return ""
    for unit in ("gb", "mb", "kb"):
        if size >= UNITS[unit]:
            return f"{size // UNITS[unit]}{unit}"
    return str(size)


def parse_unsigned(text: str) -> int:
    """Parse decimal digits; empty = 0."""
    if text == "":
        return 0
    if re.fullmatch(r"[0-9]+", text, re.ASCII) is None:
        raise ValueError(text)
    return at_most(int(text), UINT64_MAX)


def parse_queue_size(text: str) -> int:
    """Parse a size; empty = the default, 0 = no limit."""
    return parse_size(text) if text else HOOK_QUEUE_BYTES_MAX


def show_queue_size(size: int) -> str:
    """Return a size like show_size, but 0 for 0: an empty text would mean the default."""
    return show_size(size) or "0"


def parse_queue_ttl(text: str) -> int:
    """Parse seconds; empty = the default, 0 = no limit."""
    return parse_unsigned(text) if text else HOOK_TTL_SECONDS


def parse_keepalive(text: str) -> int:
    """Parse seconds; empty = the default."""
    return parse_unsigned(text) if text else 300


def parse_priority(text: str) -> int | None:
    """Parse a number from 0 on."""
    if re.fullmatch(r"\+?[0-9]+|-0+", text, re.ASCII) is None:
        raise ValueError(text)
    return at_most(int(text), INT64_MAX)


def show_priority(priority: int | None) -> str:
    """Return the text of a priority: empty if it was never set."""
    return "" if priority is None else str(priority)


def parse_read_threads(text: str) -> int | None:
    """Parse a number of threads; empty = one for each core but one."""
    return at_most(parse_unsigned(text), READ_THREADS_COUNT_MAX) if text else None


def show_read_threads(count: int | None) -> str:
    """Return the text of a number of threads: empty if it depends on the cores."""
    return "" if count is None else str(count)


def parse_slow(text: str) -> int:
    """Parse microseconds; empty = the default, below 0 = no command is slow."""
    if text == "":
        return SLOWLOG_MICROSECONDS
    if re.fullmatch(r"-?[0-9]+", text, re.ASCII) is None:
        raise ValueError(text)
    return at_most(int(text), INT64_MAX // 1000)


def parse_busy(text: str) -> int:
    """Parse milliseconds; empty = the default."""
    return at_most(parse_unsigned(text), BUSY_MILLISECONDS_MAX) if text else BUSY_MILLISECONDS


def parse_window(text: str) -> int:
    """Parse a duration into milliseconds: a number with an optional unit, seconds without one.

    Empty = 0.
    """
    match = DURATION.fullmatch(text or "0")
    if match is None:
        raise ValueError(text)
    milliseconds = int(match[1]) * DURATION_UNITS[(match[2] or "s").lower()]
    return at_most(milliseconds, EVENT_WINDOW_MILLISECONDS_MAX)


def show_window(milliseconds: int) -> str:
    """Return the text of a duration, in its largest unit."""
    for unit in ("h", "m", "s"):
        if milliseconds and milliseconds % DURATION_UNITS[unit] == 0:
            return f"{milliseconds // DURATION_UNITS[unit]}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0"


def parse_slow_count(text: str) -> int:
    """Parse a number of commands; empty = the default."""
    return at_most(parse_unsigned(text), SLOWLOG_COUNT_MAX) if text else SLOWLOG_COUNT


def parse_switch(text: str) -> bool:
    """Parse yes or no, in any case."""
    return {"yes": True, "no": False}[one_of(text, ("yes", "no"))]


def show_switch(is_on: bool) -> str:
    """Return yes or no."""
    return "yes" if is_on else "no"


def parse_sync(text: str) -> str:
    """Parse an fsync policy."""
    return one_of(text, ("always", "everysec", "no"))


def parse_client_count(text: str) -> int:
    """Parse a number of clients from 1 on; empty = the default."""
    return parse_unsigned(text) or _no_default(text, CLIENTS_COUNT_MAX)


def parse_query_limit(text: str) -> int:
    """Parse a size from 1mb on, as in Redis; empty = the default."""
    size = parse_size(text) or _no_default(text, QUERY_BYTES_MAX)
    if size < MIB:
        raise ValueError(text)
    return size


def parse_seconds(text: str) -> int:
    """Parse seconds; empty = 0."""
    return at_most(parse_unsigned(text), SECONDS_MAX)


def parse_request_seconds(text: str) -> int:
    """Parse seconds; empty = the default, 0 = no limit."""
    return parse_seconds(text) if text else REQUEST_SECONDS


def _no_default(text: str, default: int) -> int:
    """Return the default for an empty text. Raises ValueError for others."""
    if text:
        raise ValueError(text)
    return default


def parse_port(text: str) -> int:
    """Parse a port; empty = 0."""
    return at_most(parse_unsigned(text), PORT_MAX)


def parse_client_authentication(text: str) -> str:
    """Parse whether clients have to present a certificate; empty = the default."""
    return one_of(text or "yes", ("yes", "no", "optional"))


def parse_tls_protocols(text: str) -> tuple[str, ...]:
    """Parse versions of TLS, between spaces; none = the default."""
    return tuple(
        f"TLSv{one_of(word.lower().removeprefix('tlsv'), TLS_VERSIONS)}" for word in text.split()
    )


def one_of(text: str, words: tuple[str, ...]) -> str:
    """Return the word that a text is in any case. Raises ValueError for other texts."""
    word = text.lower()
    if word not in words:
        raise ValueError(text)
    return word


def at_most(number: int, largest: int) -> int:
    """Return the number. Raises ValueError if it is too large."""
    if number > largest:
        raise ValueError(number)
    return number


def autogc_error(_name: str, text: str) -> errors.CommandError:
    """Return the error of autogc, for which Tile38 passes on the text of Go's parser."""
    is_number = re.fullmatch(r"[0-9]+", text, re.ASCII) is not None
    return errors.not_unsigned(text, is_too_large=is_number)


def _text(name: str) -> Property[str]:
    return Property(name, "", str, str)


ACLFILE: Final = _text("aclfile")
AOFSHRINK_GROWTH_PERCENTAGE: Final = Property("aofshrink-growth-percentage", 0, parse_unsigned, str)
AOFSHRINK_MIN_SIZE: Final = Property("aofshrink-min-size", 0, parse_size, show_size)
APPENDFSYNC: Final = Property("appendfsync", "everysec", parse_sync, str)
AUTOGC: Final = Property("autogc", 0, parse_unsigned, str, autogc_error)
BUSY_REPLY_THRESHOLD: Final = Property("busy-reply-threshold", BUSY_MILLISECONDS, parse_busy, str)
CLIENT_QUERY_BUFFER_LIMIT: Final = Property(
    "client-query-buffer-limit", QUERY_BYTES_MAX, parse_query_limit, show_size
)
EVENT_WINDOW: Final = Property("event-window", 0, parse_window, show_window)
HOOK_QUEUE_MAX_SIZE: Final = Property(
    "hook-queue-max-size", HOOK_QUEUE_BYTES_MAX, parse_queue_size, show_queue_size
)
HOOK_QUEUE_TTL: Final = Property("hook-queue-ttl", HOOK_TTL_SECONDS, parse_queue_ttl, str)
KEEPALIVE: Final = Property("keepalive", 300, parse_keepalive, str)
LEADERAUTH: Final = _text("leaderauth")
LEADERUSER: Final = _text("leaderuser")
LOGCONFIG: Final = _text("logconfig")
MAXCLIENTS: Final = Property("maxclients", CLIENTS_COUNT_MAX, parse_client_count, str)
MAXCLIENTS_PER_USER: Final = Property("maxclients-per-user", 0, parse_unsigned, str)
MAXMEMORY: Final = Property("maxmemory", 0, parse_size, show_size)
PROTECTED_MODE: Final = Property("protected-mode", True, parse_switch, show_switch)
READ_THREADS: Final[Property[int | None]] = Property(
    "read-threads", None, parse_read_threads, show_read_threads
)
REPLICA_PRIORITY: Final[Property[int | None]] = Property(
    "replica-priority", None, parse_priority, show_priority
)
REPLICA_ANNOUNCE_IP: Final = _text("replica_announce_ip")
REPLICA_ANNOUNCE_PORT: Final = Property("replica_announce_port", 0, parse_unsigned, str)
REQUEST_TIMEOUT: Final = Property("request-timeout", REQUEST_SECONDS, parse_request_seconds, str)
REQUESTS_PER_SECOND_PER_USER: Final = Property(
    "requests-per-second-per-user", 0, parse_unsigned, str
)
REQUIREPASS: Final = _text("requirepass")
SLOWLOG_LOG_SLOWER_THAN: Final = Property(
    "slowlog-log-slower-than", SLOWLOG_MICROSECONDS, parse_slow, str
)
SLOWLOG_MAX_LEN: Final = Property("slowlog-max-len", SLOWLOG_COUNT, parse_slow_count, str)
TIMEOUT: Final = Property("timeout", 0, parse_seconds, str)
TLS_AUTH_CLIENTS: Final = Property("tls-auth-clients", "yes", parse_client_authentication, str)
TLS_CA_CERT_DIR: Final = _text("tls-ca-cert-dir")
TLS_CA_CERT_FILE: Final = _text("tls-ca-cert-file")
TLS_CERT_FILE: Final = _text("tls-cert-file")
TLS_CIPHERS: Final = _text("tls-ciphers")
TLS_KEY_FILE: Final = _text("tls-key-file")
TLS_KEY_FILE_PASS: Final = _text("tls-key-file-pass")
TLS_METRICS: Final = Property("tls-metrics", False, parse_switch, show_switch)
TLS_PORT: Final = Property("tls-port", 0, parse_port, str)
TLS_PROTOCOLS: Final[Property[tuple[str, ...]]] = Property(
    "tls-protocols", (), parse_tls_protocols, " ".join
)
TLS_REPLICATION: Final = Property("tls-replication", False, parse_switch, show_switch)
