"""AOF and AOFMD5 beyond what the golden cases show."""

from tests.support.bench import Bench
from tile38py.persistence.aof import NoLog


def test_sums_of_ranges(bench: Bench) -> None:
    bench.fake_journal.append(b"abc")
    assert bench.call("AOFMD5", "0", "3") == b"+900150983cd24fb0d6963f7d28e17f72\r\n"
    assert bench.call("AOFMD5", "0", "0") == b"+d41d8cd98f00b204e9800998ecf8427e\r\n"
    assert bench.call("AOFMD5", "3", "0") == b"-EOF\r\n"
    assert bench.call("AOFMD5", "1", "3") == b"-EOF\r\n"


def test_positions_are_integers_from_0_on(bench: Bench) -> None:
    for word in ("-1", "x", "1.0", "", str(2**63)):
        assert bench.call("AOF", word) == f"-ERR invalid argument '{word}'\r\n".encode()


def test_without_a_log_there_is_nothing_to_read() -> None:
    bench = Bench(journal=NoLog())
    assert bench.call("AOF") == b"-ERR aof disabled\r\n"
    assert bench.call("AOFMD5", "0", "0") == b"-EOF\r\n"
