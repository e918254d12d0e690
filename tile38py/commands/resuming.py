"""Numbers of events in requests: behind FROM, or as the id of the last event over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Final

from tile38py import errors
from tile38py.interfaces.history import HistorySpan

ID_DIGITS_MAX: Final = 18
NUMBER_DIGITS_MAX: Final = 19


def resumed(args: list[bytes], headers: Mapping[bytes, bytes]) -> list[bytes]:
    """Return the words of SUBSCRIBE with the number behind the last event that the client has."""
    last = headers.get(b"last-event-id", b"")
    if not last.isdigit() or len(last) > ID_DIGITS_MAX or args[0].upper() != b"SUBSCRIBE":
        return args
    match args:
        case [name, channel] | [name, channel, b"FROM" | b"from", _]:
            return [name, channel, b"FROM", b"%d" % (int(last) + 1)]
    return args


def position(args: Sequence[bytes]) -> tuple[bytes, int] | None:
    """Return the channel and the number of a SUBSCRIBE with FROM; None for other commands."""
    match args:
        case [name, channel, word, number] if name.upper() == b"SUBSCRIBE":
            if word.upper() == b"FROM" and number.isdigit():
                return channel, int(number)
    return None


def is_gap(number: int, span: HistorySpan | None) -> bool:
    """Whether a history lacks the event of a number that isn't the next one."""
    return span is not None and not span.first <= number <= span.last + 1


def position_in(span: HistorySpan, name: bytes, word: bytes) -> int:
    """Return the number of an event in the history of a hook or channel.

    `oldest` is its first one. Raises CommandError for a number that is none, or isn't there.
    """
    is_oldest = word.lower() == b"oldest"
    if not is_oldest and (not word.isdigit() or len(word) > NUMBER_DIGITS_MAX):
        raise errors.invalid_argument(word)
    number = span.first if is_oldest else int(word)
    if is_gap(number, span):
        raise errors.outside_history(name, span.first, span.last)
    return number
