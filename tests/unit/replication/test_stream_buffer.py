"""A leader's stream is run when a command may be complete, however it is cut."""

from tests.support.fakes import command
from tile38py.replication.stream_buffer import SIZED_BYTES_MIN, CommandSizer, StreamBuffer

LARGE = command(b"SET", b"k", b"a", b"STRING", b"x" * (3 * SIZED_BYTES_MIN))


def test_small_pieces_are_run_as_they_come() -> None:
    pieces = StreamBuffer()
    assert pieces.add(b"*1\r\n$4\r\nPI") == b"*1\r\n$4\r\nPI"
    pieces.consume(0, 0)
    assert pieces.add(b"NG\r\n*") == b"*1\r\n$4\r\nPING\r\n*"
    pieces.consume(14, 0)
    assert pieces.remainder() == b"*"


def test_a_large_command_is_run_only_once_it_is_whole() -> None:
    pieces, runs = StreamBuffer(), []
    step = 5000
    for start in range(0, len(LARGE), step):
        piece = pieces.add(LARGE[start : start + step])
        if piece:
            is_whole = len(piece) >= len(LARGE)
            runs.append(is_whole)
            pieces.consume(len(LARGE) if is_whole else 0, 0)
    assert runs[-1]
    assert runs.count(False) <= SIZED_BYTES_MIN // step + 1
    assert pieces.remainder() == b""


def test_the_gauge_finds_the_size_at_any_cut() -> None:
    words = command(b"SET", b"", b"a" * 20, b"POINT", b"1")
    for cut in range(len(words)):
        gauge = CommandSizer()
        assert cut < gauge.bytes_needed(words[:cut]) <= len(words)
        assert gauge.bytes_needed(words) == len(words)


def test_what_makes_no_sense_is_left_to_the_parser() -> None:
    assert CommandSizer().bytes_needed(b"nonsense that never ends") == 0
    assert CommandSizer().bytes_needed(b"*1\r\n$x\r\n") == 0
