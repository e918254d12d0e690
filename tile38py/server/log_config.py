"""The configuration file's `logconfig`: what a log of JSON lines shows, how, and where it goes.

The names are those of the zap library, which Tile38 logs with.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from logging.handlers import WatchedFileHandler
from types import MappingProxyType
from typing import Final

from tile38py.errors import StartError, reason_of
from tile38py.server.logs import (
    LEVELS,
    NOTHING,
    RESET,
    JsonStyle,
    Log,
    level_word,
    make_log,
)

# The words of `level`; everything from there on is shown.
LEVEL_WORDS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "debug": logging.DEBUG,
        "info": logging.INFO,
        "warn": logging.WARNING,
        "error": logging.ERROR,
        "fatal": logging.CRITICAL,
    }
)
COLOURS: Final[Mapping[int, str]] = MappingProxyType(
    {logging.DEBUG: "\x1b[35m", logging.INFO: "\x1b[34m", logging.WARNING: "\x1b[33m"}
)
RED: Final = "\x1b[31m"


def configured_log(configuration: Mapping[str, object], *, is_quiet: bool) -> Log:
    """The log that a configuration asks for. Raises StartError if it can't be had."""
    lowest = LEVEL_WORDS.get(str(configuration.get("level")).lower())
    if lowest is None:
        raise StartError("logconfig needs a level: debug, info, warn, error or fatal")
    levels = NOTHING if is_quiet else frozenset(one for one in LEVELS if one >= lowest)
    return make_log(levels, style=style_of(configuration), handlers=_handlers(configuration))


def style_of(configuration: Mapping[str, object]) -> JsonStyle:
    """How lines look; members without a name are left out."""
    encoder = _object(configuration, "encoderConfig")
    names = ("levelKey", "timeKey", "messageKey", "stacktraceKey")
    level, time, message, stack = (str(encoder.get(name, "")) for name in names)
    fields = _object(configuration, "initialFields")
    return JsonStyle(
        level=level,
        time=time,
        message=message,
        stack=stack,
        encode_level=LEVEL_ENCODERS.get(str(encoder.get("levelEncoder")), level_word),
        # The names of times are taken in any case, as RFC3339 and rfc3339 are both usual.
        encode_time=TIME_ENCODERS.get(str(encoder.get("timeEncoder")).lower(), float),
        fields=tuple(sorted(fields.items())),
    )


def _object(configuration: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = configuration.get(name)
    return found if isinstance(found, Mapping) else {}


def _handlers(configuration: Mapping[str, object]) -> list[logging.Handler]:
    paths = configuration.get("outputPaths")
    if not isinstance(paths, list) or not paths:
        paths = ["stderr"]
    return [_handler(str(path)) for path in paths]


def _handler(path: str) -> logging.Handler:
    match path:
        case "stderr":
            return logging.StreamHandler(sys.stderr)
        case "stdout":
            return logging.StreamHandler(sys.stdout)
    try:
        # When the file is moved away, as logrotate does, a new one is begun.
        return WatchedFileHandler(path.removeprefix("file://"), encoding="utf-8")
    except OSError as error:
        raise StartError(f"logconfig: output '{path}': {reason_of(error).lower()}") from error


def _capital(level: int) -> str:
    return level_word(level).upper()


def _coloured(encode: Callable[[int], str]) -> Callable[[int], str]:
    return lambda level: f"{COLOURS.get(level, RED)}{encode(level)}{RESET}"


def _layout(seconds: float, precision: str) -> tuple[str, str]:
    """The local time up to its seconds' fraction, and its offset from UTC."""
    moment = datetime.fromtimestamp(seconds).astimezone()
    text = moment.isoformat(timespec=precision)
    return text[:-6], text[-6:]


def _iso8601(seconds: float) -> str:
    text, offset = _layout(seconds, "milliseconds")
    return text + ("Z" if offset == "+00:00" else offset.replace(":", ""))


def _rfc3339(seconds: float) -> str:
    text, offset = _layout(seconds, "seconds")
    return text + ("Z" if offset == "+00:00" else offset)


def _rfc3339_nano(seconds: float) -> str:
    text, offset = _layout(seconds, "microseconds")
    return text.rstrip("0").rstrip(".") + ("Z" if offset == "+00:00" else offset)


def _milliseconds(seconds: float) -> float:
    return seconds * 1e3


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


LEVEL_ENCODERS: Final[Mapping[str, Callable[[int], str]]] = MappingProxyType(
    {"capital": _capital, "color": _coloured(level_word), "capitalColor": _coloured(_capital)}
)
TIME_ENCODERS: Final[Mapping[str, Callable[[float], object]]] = MappingProxyType(
    {
        "iso8601": _iso8601,
        "millis": _milliseconds,
        "nanos": _nanoseconds,
        "rfc3339": _rfc3339,
        "rfc3339nano": _rfc3339_nano,
    }
)
