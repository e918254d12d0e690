"""CONFIG GET, SET and REWRITE beyond what the golden cases show."""

from tests.support.bench import Bench


def test_settings_are_saved_by_rewrite(bench: Bench) -> None:
    bench.call("CONFIG", "SET", "appendfsync", "always")
    assert bench.settings_file.data == b""
    assert bench.call("CONFIG", "REWRITE") == b"+OK\r\n"
    assert bench.settings_file.data == b'{\n\t"appendfsync": "always"\n}\n'


def test_our_own_settings_can_be_read(bench: Bench) -> None:
    assert bench.call("CONFIG", "GET", "a*fsync") == (
        b"*2\r\n$11\r\nappendfsync\r\n$8\r\neverysec\r\n"
    )
    bench.call("CONFIG", "SET", "aofshrink-min-size", "1500000kb")
    assert (
        bench.call("config get", "aof*-size") == b"*2\r\n$18\r\naofshrink-min-size\r\n$3\r\n1gb\r\n"
    )


def test_a_value_of_any_bytes_comes_back(bench: Bench) -> None:
    bench.call(b"CONFIG", b"SET", b"leaderauth", b"\xff\xfe")
    assert bench.call("CONFIG", "GET", "leaderauth").endswith(b"$2\r\n\xff\xfe\r\n")


def test_only_requirepass_may_go_without_its_value(bench: Bench) -> None:
    assert bench.call("CONFIG", "SET", "requirepass") == b"+OK\r\n"
    assert b"wrong number" in bench.call("CONFIG", "SET", "leaderauth")
