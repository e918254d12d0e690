"""The property client-output-buffer-limit, in Redis's notation: a limit for each class."""

from dataclasses import dataclass
from typing import Final

from tile38py.config.properties import (
    SECONDS_MAX,
    Property,
    at_most,
    parse_size,
    parse_unsigned,
    show_size,
)
from tile38py.limits import LIVE_BYTES_MAX, OUTPUT_BYTES_MAX

WORDS_OF_CLASS: Final = 4
# Redis's names. A follower reads the log from the disk, so no buffer of it grows.
CLASSES: Final = {"normal": "normal", "pubsub": "pubsub", "replica": "replica", "slave": "replica"}


@dataclass(frozen=True, slots=True)
class OutputLimit:
    """The limit of a class of clients: one that exceeds it is cut."""

    hard_bytes: int
    soft_bytes: int = 0  # 0 = no soft limit
    soft_seconds: int = 0  # for which the soft limit may be exceeded

    @property
    def text(self) -> str:
        """The limit in Redis's notation."""
        return f"{show_size(self.hard_bytes)} {show_size(self.soft_bytes) or 0} {self.soft_seconds}"


@dataclass(frozen=True, slots=True)
class OutputLimits:
    """The limits of all classes that have one."""

    normal: OutputLimit
    pubsub: OutputLimit  # all live connections


DEFAULTS: Final = OutputLimits(OutputLimit(OUTPUT_BYTES_MAX), OutputLimit(LIVE_BYTES_MAX))


def parse_output_limits(text: str) -> OutputLimits:
    """Parse groups of `class hard soft seconds`; a class without one has its default.

    Every connection has a hard limit: 0, which is none in Redis, is the default.
    """
    words = text.lower().split()
    if len(words) % WORDS_OF_CLASS:
        raise ValueError(text)
    found = {"normal": DEFAULTS.normal, "pubsub": DEFAULTS.pubsub}
    for start in range(0, len(words), WORDS_OF_CLASS):
        name, hard, soft, seconds = words[start : start + WORDS_OF_CLASS]
        if name not in CLASSES:
            raise ValueError(text)
        least = found.get(name, DEFAULTS.normal).hard_bytes
        found[CLASSES[name]] = OutputLimit(
            parse_size(hard) or least,
            parse_size(soft),
            at_most(parse_unsigned(seconds), SECONDS_MAX),
        )
    return OutputLimits(found["normal"], found["pubsub"])


def show_output_limits(limits: OutputLimits) -> str:
    """Return limits as CONFIG GET shows them."""
    return f"normal {limits.normal.text} pubsub {limits.pubsub.text}"


CLIENT_OUTPUT_BUFFER_LIMIT: Final = Property(
    "client-output-buffer-limit", DEFAULTS, parse_output_limits, show_output_limits
)
