"""Commands that exist only under --dev, for tests of the server itself."""

from collections.abc import Iterator

from tile38py import errors
from tile38py.commands.registry import (
    OK,
    Call,
    EngineCommands,
    Flags,
    Group,
    Reply,
    ThreadReply,
    checked,
    command,
)

SLEEP_SECONDS_MAX = 3600.0  # for which one SLEEP may occupy a thread
MASS_COUNT_MAX = 10_000_000  # objects of one MASSINSERT
WORLD = (-90.0, -180.0, 90.0, 180.0)  # minimum latitude and longitude, then the maxima
VALUES = "1 0 -1 14 20.5 120 -120 20000 -20000 214748300 -214748300 2014748300 123.12312301"
FIELDS = [
    word.encode()
    for number, value in enumerate(VALUES.split())
    for word in ("FIELD", f"fname:{number}", value)
]
STRING_EVERY = 8
EXPIRY_SECONDS = range(5, 30)


@command(
    "SLEEP seconds",
    arity=2,
    summary="Reply after some seconds",
    group=Group.DEVELOPER,
    flags=Flags.ADMIN | Flags.BLOCKING | Flags.DEVELOPER,
)
def sleep(call: Call) -> ThreadReply:
    """Run SLEEP seconds. Unlike Tile38's, it doesn't block other clients."""
    try:
        seconds = float(call.args[0])
    except ValueError:
        seconds = 0.0
    clock = call.server.clock

    def wait() -> Reply:
        if seconds > 0:
            clock.sleep(min(seconds, SLEEP_SECONDS_MAX))
        return OK

    return ThreadReply(wait)


@command(
    "SHUTDOWN",
    arity=-1,
    summary="End the process",
    group=Group.DEVELOPER,
    flags=Flags.ADMIN | Flags.DEVELOPER | Flags.WHILE_LOADING,
)
def shutdown(call: Call) -> Reply:
    """Run SHUTDOWN, which has no reply."""
    call.server.stop(1, "shutdown requested by developer")
    call.client.kill()
    return OK


@command(
    "MASSINSERT collections objects [minlat minlon maxlat maxlon]",
    arity=-3,
    summary="Store many random objects",
    group=Group.DEVELOPER,
    flags=Flags.WRITE | Flags.NO_TIMEOUT | Flags.NO_MULTI | Flags.DEVELOPER | Flags.DANGEROUS,
)
@checked(keys="every")
def massinsert(call: Call) -> EngineCommands:
    """Run MASSINSERT collections objects [minlat minlon maxlat maxlon]."""
    if len(call.args) not in (2, 2 + len(WORLD)):
        raise errors.wrong_arity()
    columns, objects = map(_count, call.args[:2])
    if columns * objects > MASS_COUNT_MAX:
        raise errors.invalid_argument(call.args[1])
    box = tuple(map(_degrees, call.args[2:])) or WORLD
    return EngineCommands(_objects(call, columns, objects, box), OK)


def _count(word: bytes) -> int:
    if not word.isdigit():
        raise errors.invalid_argument(word)
    return int(word)


def _degrees(word: bytes) -> float:
    try:
        return float(word)
    except ValueError:
        raise errors.not_a_float(errors.shown(word)) from None


def _objects(
    call: Call, columns: int, objects: int, box: tuple[float, ...]
) -> Iterator[list[bytes]]:
    south, west, north, east = box
    chance = _fractions(call.server.clock.now_ns())
    for column in range(columns):
        for number in range(objects):
            words = [b"SET", b"mi:%d" % column, b"%d" % number, *FIELDS]
            if next(chance) < 1 / 2:
                seconds = EXPIRY_SECONDS[int(next(chance) * len(EXPIRY_SECONDS))]
                words += [b"EX", b"%d" % seconds]
            if number % STRING_EVERY == 0:
                words += [b"STRING", b"str%d" % number]
            else:
                latitude = south + next(chance) * (north - south)
                longitude = west + next(chance) * (east - west)
                words += [b"POINT", b"%r" % latitude, b"%r" % longitude]
            yield words
    call.server.log(f"massinsert: done {columns * objects} objects")


def _fractions(seed: int) -> Iterator[float]:
    """Yield pseudo-random numbers from 0 to 1, by Knuth's MMIX generator."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield (state >> 11) / 2**53
