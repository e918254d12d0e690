"""OUTPUT: the format of replies, which holds for the connection."""

from tests.support.bench import Bench


def test_the_format_is_told_and_changed(bench: Bench) -> None:
    assert bench.call("OUTPUT") == b"$4\r\nresp\r\n"
    assert b'{"ok":true,"elapsed":' in bench.call("OUTPUT", "JSON")
    assert b'"output":"json"' in bench.call("OUTPUT")
    assert bench.call("output", "resp") == b"+OK\r\n"


def test_another_format_is_refused_and_changes_nothing(bench: Bench) -> None:
    assert bench.call("OUTPUT", "xml") == b"-ERR invalid argument 'xml'\r\n"
    wrong = b"-ERR wrong number of arguments for 'output' command\r\n"
    assert bench.call("OUTPUT", "json", "x") == wrong
    assert bench.call("OUTPUT") == b"$4\r\nresp\r\n"
