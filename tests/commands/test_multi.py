"""MULTI, and what it queues or refuses."""

import pytest

from tests.support.bench import Bench

QUEUED = b"+QUEUED\r\n"
ABORT = b"-EXECABORT Transaction discarded because of previous errors.\r\n"
NOT_ALLOWED = b"-ERR Command not allowed inside a transaction\r\n"


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        (("NOPE",), b"-ERR unknown command 'NOPE'\r\n"),
        (("SET", "k"), b"-ERR wrong number of arguments for 'set' command\r\n"),
        (("CONFIG GET",), b"-ERR wrong number of arguments for 'config get' command\r\n"),
        (("SUBSCRIBE", "a"), NOT_ALLOWED),
        (("UNSUBSCRIBE",), NOT_ALLOWED),
        (("MONITOR",), NOT_ALLOWED),
        (("AOF", "0"), NOT_ALLOWED),
        (("BACKUP", "x"), NOT_ALLOWED),
        (("HELLO", "3"), NOT_ALLOWED),
        (("NEARBY", "k", "LIMIT", "1", "FENCE", "POINT", "1", "2", "3"), NOT_ALLOWED),
        (("WITHIN", "k", "fence", "BOUNDS", "1", "2", "3", "4"), NOT_ALLOWED),
        (("HOOKSTATS",), NOT_ALLOWED),
    ],
)
def test_what_cannot_be_queued_makes_exec_refuse_all(
    bench: Bench, words: tuple[str, ...], reply: bytes
) -> None:
    bench.call("MULTI")
    assert bench.call("SET", "k", "i", "POINT", "1", "2") == QUEUED
    assert bench.call(*words) == reply
    assert bench.call("EXEC") == ABORT
    assert bench.call("DBSIZE") == b":0\r\n"


def test_a_search_that_only_mentions_the_word_fence_is_queued(bench: Bench) -> None:
    bench.call("MULTI")
    words = ("WITHIN", "k", "MATCH", "FENCE", "COUNT", "BOUNDS", "1", "2", "3", "4")
    assert bench.call(*words) == QUEUED
    assert bench.call("EXEC") == b"*1\r\n:0\r\n"


def test_multi_is_not_nested_and_goes_on(bench: Bench) -> None:
    bench.call("MULTI")
    assert bench.call("MULTI") == b"-ERR MULTI calls can not be nested\r\n"
    assert bench.call("WATCH", "k") == b"-ERR WATCH inside MULTI is not allowed\r\n"
    assert bench.call("DBSIZE") == QUEUED
    assert bench.call("EXEC") == b"*1\r\n:0\r\n"
    assert bench.call("MULTI", "now").startswith(b"-ERR wrong number of arguments for 'multi'")
