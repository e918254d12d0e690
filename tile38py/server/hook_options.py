"""The words of a hook's options, which SETHOOK has checked, as delivery needs them."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Final

from tile38py.interfaces.delivery import HookOptions, SendingRule
from tile38py.interfaces.history import HistoryBounds
from tile38py.limits import HISTORY_BYTES_MAX, HOOK_BATCH_COUNT_MAX, SECOND_NS

ENCODED_PREFIX: Final = b"whsec_"  # of a secret in base64, as in Standard Webhooks
SIZE_UNITS: Final = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}
DURATION_UNITS_NS: Final = {
    "ms": SECOND_NS // 1000,
    "s": SECOND_NS,
    "m": 60 * SECOND_NS,
    "h": 3600 * SECOND_NS,
    "d": 86400 * SECOND_NS,
}
UNIT_LETTERS: Final = "abdghkms"
RULE_WORDS: Final = frozenset({b"RETRY", b"TIMEOUT", b"BATCH"})


def options_of(words: Sequence[bytes]) -> HookOptions:
    """Return the options that words stand for."""
    keys: list[bytes] = []
    headers: list[tuple[str, str]] = []
    formats: set[bytes] = set()
    settings: dict[bytes, str] = {}
    while words:
        match words:
            case [b"SIGN", secret, *words]:
                keys.append(key_of(secret))
            case [b"HEADERS", name, value, *words]:
                headers.append((name.decode("ascii"), value.decode("ascii")))
            case [b"FORMAT", value, *words]:
                formats.add(value)
            case [keyword, value, *words]:
                settings[keyword] = value.decode("utf-8", "surrogateescape")
            case _:
                raise AssertionError(f"an option without a value: {words[0]!r}")
    ttl, queue = settings.get(b"TTL"), settings.get(b"QUEUE")
    return HookOptions(
        keys=tuple(keys),
        headers=tuple(headers),
        is_cloud_event=b"cloudevents" in formats,
        is_numbered=b"SEQUENCE" in settings or b"HISTORY" in settings,
        rule=rule_of(settings, is_lines=b"ndjson" in formats),
        ttl_ns=duration_ns(ttl) if ttl is not None else None,
        queue_bytes=size_of(queue) if queue is not None else 0,
        dead_letter=settings.get(b"DEADLETTER", ""),
    )


def rule_of(settings: dict[bytes, str], *, is_lines: bool) -> SendingRule | None:
    """Return the rule for sending; None if it is that for all hooks."""
    if not RULE_WORDS.intersection(settings):
        return None
    least, _, most = settings.get(b"RETRY", "0s..0s").partition("..")
    count, wait_ns = 0, 0
    for bound in settings[b"BATCH"].split("|") if b"BATCH" in settings else ():
        if bound.isdigit():
            count = int(bound)
        else:
            wait_ns = duration_ns(bound)
    has_batches = b"BATCH" in settings
    return SendingRule(
        retry_seconds_min=duration_ns(least) / SECOND_NS,
        retry_seconds_max=duration_ns(most) / SECOND_NS,
        timeout_seconds=duration_ns(settings.get(b"TIMEOUT", "0s")) / SECOND_NS,
        has_batches=has_batches,
        batch_count=(count or HOOK_BATCH_COUNT_MAX) if has_batches else 1,
        batch_seconds=wait_ns / SECOND_NS,
        is_lines=is_lines,
    )


def bounds_of(word: bytes) -> HistoryBounds:
    """Return the bounds that the value of HISTORY stands for."""
    count, age_ns, size = 0, 0, HISTORY_BYTES_MAX
    for bound in word.decode("ascii").split("|"):
        if bound.isdigit():
            count = int(bound)
        elif bound.lstrip("0123456789") in SIZE_UNITS:
            size = size_of(bound)
        else:
            age_ns = duration_ns(bound)
    return HistoryBounds(count, age_ns, size)


def duration_ns(text: str) -> int:
    """Return the nanoseconds of a duration."""
    return int(text.rstrip(UNIT_LETTERS)) * DURATION_UNITS_NS[text.lstrip("0123456789")]


def size_of(text: str) -> int:
    """Return the bytes of a size."""
    return int(text.rstrip(UNIT_LETTERS)) * SIZE_UNITS[text.lstrip("0123456789")]


def key_of(secret: bytes) -> bytes:
    """Return the key of a secret: the bytes behind `whsec_` in base64, or the secret itself."""
    encoded = secret.removeprefix(ENCODED_PREFIX)
    return secret if encoded is secret else b64decode(encoded)
