"""SERVER EXT, and how SERVER shows numbers."""

import pytest

from tests.support.bench import Bench
from tile38py.commands.server import float_text, plain_text

FENCE = ("WITHIN", "k", "FENCE", "BOUNDS", "0", "0", "9", "9")


def test_the_extended_answer_has_58_members(bench: Bench) -> None:
    assert bench.call("SERVER", "EXT").startswith(b"*116\r\n")
    assert bench.call("server", "ext", "EXT").startswith(b"*116\r\n")


def test_names_are_sorted(bench: Bench) -> None:
    for words in (("SERVER",), ("SERVER", "EXT")):
        names = bench.call(*words).split(b"\r\n")[2::4]
        assert names == sorted(names)


def test_visits_to_fences_are_counted(bench: Bench) -> None:
    def groups() -> list[bytes]:
        words = bench.call("SERVER", "EXT").split(b"\r\n")
        names = (b"tile38_num_hook_groups", b"tile38_num_object_groups")
        return [words[words.index(name) + 2] for name in names]

    bench.call("SETHOOK", "h", "http://127.0.0.1:1/", *FENCE)
    bench.call("SETCHAN", "c", *FENCE)
    assert groups() == [b"0", b"0"]
    bench.call("SET", "k", "a", "POINT", "1", "1")
    bench.call("SET", "k", "b", "POINT", "1", "1")
    assert groups() == [b"4", b"4"]
    bench.call("DEL", "k", "a")
    bench.call("DELCHAN", "c")
    bench.call("DROP", "k")
    assert groups() == [b"0", b"0"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1795439415.8128433, "1.7954394158128433e+09"),
        (0.0, "0"),
        (5.0, "5"),
        (123456.5, "123456.5"),
        (1e6, "1e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-2500000.0, "-2.5e+06"),
    ],
)
def test_floats_are_shown_as_tile38_shows_them(value: float, text: str) -> None:
    assert float_text(value) == text


def test_booleans_are_words() -> None:
    assert (plain_text(True), plain_text(False), plain_text(7)) == ("true", "false", "7")


def test_hooks_and_channels_are_counted_together(bench: Bench) -> None:
    fence = ("NEARBY", "fleet", "FENCE", "POINT", "0", "0", "1000")
    bench.call("SETHOOK", "h", "http://127.0.0.1:1/", *fence)
    bench.call("SETCHAN", "c", *fence)
    assert b"$9\r\nnum_hooks\r\n$1\r\n2\r\n" in bench.call("SERVER")


def test_messages_that_wait_are_pending_events(bench: Bench) -> None:
    bench.outbox.waiting_count = 7
    assert b"$14\r\npending_events\r\n$1\r\n7\r\n" in bench.call("SERVER")
