"""The server's log on stderr: levels, text and JSON lines, thinning of repeated messages."""

import asyncio
import json
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from tile38py.limits import LOG_SAME_COUNT_MAX, LOG_SAME_STEP, LOG_TEXTS_COUNT_MAX

Log = logging.Logger
NAME: Final = "tile38py"
RESET: Final = "\x1b[0m"
# Tag, colour, and the word in JSON for each level.
LEVELS: Final[Mapping[int, tuple[str, str, str]]] = MappingProxyType(
    {
        logging.DEBUG: ("DEBU", "\x1b[35m", "debug"),
        logging.INFO: ("INFO", "\x1b[36m", "info"),
        logging.WARNING: ("WARN", "\x1b[33m", "warn"),
        logging.ERROR: ("ERRO", "\x1b[1m\x1b[31m", "error"),
        logging.CRITICAL: ("FATA", "\x1b[31m", "fatal"),
    }
)
SHOWN: Final = frozenset((logging.INFO, logging.ERROR, logging.CRITICAL))
VERBOSE: Final = SHOWN | {logging.WARNING}
NOTICE: Final = "is_notice"  # marks records of warnings that are shown without -v, too
VERY_VERBOSE: Final = VERBOSE | {logging.DEBUG}
NOTHING: Final[frozenset[int]] = frozenset()


def level_word(level: int) -> str:
    """A level as JSON lines have it."""
    return LEVELS[level][2]


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """How JSON lines look. A member whose name is empty is left out."""

    level: str = "level"
    time: str = "ts"
    message: str = "msg"
    stack: str = "stacktrace"
    encode_level: Callable[[int], str] = level_word
    encode_time: Callable[[float], object] = float
    fields: tuple[tuple[str, object], ...] = ()  # of every line


class TextFormat(logging.Formatter):
    """`2026/11/23 13:05:26 [INFO] message`, coloured on a terminal."""

    def __init__(self, *, is_coloured: bool) -> None:
        super().__init__()
        self._is_coloured = is_coloured

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        tag, colour, _ = LEVELS[record.levelno]
        moment = datetime.fromtimestamp(record.created).astimezone()
        shown = f"{colour}[{tag}]{RESET}" if self._is_coloured else f"[{tag}]"
        return f"{moment:%Y/%m/%d %H:%M:%S} {shown} {record.getMessage()}"


class JsonFormat(logging.Formatter):
    """`{"level":"info","ts":1795439458.6571813,"msg":"…"}`."""

    def __init__(self, style: JsonStyle) -> None:
        super().__init__()
        self._lines = style

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        style = self._lines
        members: dict[str, object] = {
            style.level: style.encode_level(record.levelno),
            style.time: style.encode_time(record.created),
            style.message: record.getMessage(),
            **dict(style.fields),
        }
        if record.levelno >= logging.ERROR:
            members[style.stack] = f"{record.module}:{record.lineno}"
        members.pop("", None)
        return json.dumps(members, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class Thinning:
    """Of identical messages in a second the first hundred pass, then every hundredth."""

    second: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def passes(self, text: str, second: int) -> bool:
        """Whether this one is written."""
        if second != self.second or len(self.counts) > LOG_TEXTS_COUNT_MAX:
            self.second = second
            self.counts.clear()
        count = self.counts.get(text, 0) + 1
        self.counts[text] = count
        return count <= LOG_SAME_COUNT_MAX or count % LOG_SAME_STEP == 0


class Filter(logging.Filter):
    """Levels are a set: by default warnings are hidden and information is not."""

    def __init__(self, levels: frozenset[int]) -> None:
        super().__init__()
        self._levels = levels
        self._thinning = Thinning()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        is_shown = record.levelno in self._levels
        is_shown |= self._levels is SHOWN and hasattr(record, NOTICE)
        return is_shown and self._thinning.passes(record.getMessage(), int(record.created))


def make_log(
    levels: frozenset[int],
    *,
    style: JsonStyle | None = None,
    handlers: Sequence[logging.Handler] = (),
) -> Log:
    """The log, on stderr unless handlers are given; with a style its lines are JSON."""
    log = logging.getLogger(NAME)
    log.propagate = False
    for old in list(log.handlers):
        log.removeHandler(old)
        old.close()
    shown = Filter(levels)
    for handler in handlers or [logging.StreamHandler(sys.stderr)]:
        is_terminal = isinstance(handler, logging.StreamHandler) and handler.stream.isatty()
        handler.setFormatter(JsonFormat(style) if style else TextFormat(is_coloured=is_terminal))
        log.addHandler(handler)
    log.filters[:] = [shown]
    log.setLevel(min(levels, default=logging.CRITICAL + 1))
    return log


def is_json(log: Log) -> bool:
    """Whether its lines are JSON."""
    return any(isinstance(handler.formatter, JsonFormat) for handler in log.handlers)


def notice(log: Log, text: str, *values: object) -> None:
    """Log a warning that operators should see although Tile38's default hides warnings."""
    log.warning(text, *values, extra={NOTICE: True}, stacklevel=2)


def internal_errors(
    log: Log,
) -> Callable[[asyncio.AbstractEventLoop, dict[str, object]], None]:
    """What tells of errors that nobody handled, for the event loop: in the log, like all else."""

    def tell(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        trace = _trace(error) if isinstance(error, Exception) else ""
        log.error("Internal error: %s%s", context.get("message", ""), trace)

    return tell


def _trace(error: BaseException) -> str:
    """An error's trace, as lines behind that of a message."""
    return "\n" + "".join(traceback.format_exception(error)).rstrip()


class Libraries(logging.Handler):
    """Shows what libraries log as debugging information of ours, a line each.

    Why a hook's message isn't delivered is told by our own lines; those of brokers' clients would
    repeat it for every try.
    """

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        error = f" ({record.exc_info[1]!r})" if record.exc_info else ""
        text = record.getMessage().partition("\n")[0]
        self._log.debug("%s: %s%s", record.name, text, error)


def gather_libraries(log: Log) -> None:
    """Have everything that libraries say on stderr, through whichever means, in the log."""
    root = logging.getLogger()
    root.handlers[:] = [Libraries(log)]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)

    def ignored(unraisable: "sys.UnraisableHookArgs") -> None:
        text = unraisable.err_msg or "Exception ignored in"
        log.debug("%s %r: %r", text, unraisable.object, unraisable.exc_value)

    def ended(args: threading.ExceptHookArgs) -> None:
        trace = _trace(args.exc_value) if args.exc_value else ""
        log.error("Internal error: a thread ended%s", trace)

    sys.unraisablehook = ignored
    threading.excepthook = ended
