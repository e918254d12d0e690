"""GC."""

from tests.support.bench import Bench


def test_gc_collects_whatever_its_arguments(bench: Bench) -> None:
    assert bench.call("GC") == b"+OK\r\n"
    assert bench.call("GC", "x", "y") == b"+OK\r\n"
    assert bench.memory.collections == 2


def test_gc_in_json(bench: Bench) -> None:
    bench.call("OUTPUT", "json")
    assert b'{"ok":true,"elapsed":' in bench.call("GC")
