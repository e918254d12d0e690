"""READONLY."""

import errno

from tests.support.bench import Bench

SET = ("SET", "fleet", "a", "POINT", "1", "2")


def test_readonly_refuses_writes_and_is_saved(bench: Bench) -> None:
    assert bench.call("READONLY", "yes") == b"+OK\r\n"
    assert bench.call(*SET) == b"-ERR read only\r\n"
    assert b'"read_only": true' in bench.settings_file.data
    assert bench.call("READONLY", "no") == b"+OK\r\n"
    assert bench.call(*SET) == b"+OK\r\n"
    assert bench.settings_file.data == b"{}\n"
    assert bench.log_lines == ["read only", "read write"]


def test_no_change_writes_nothing(bench: Bench) -> None:
    bench.settings_file.error = OSError(errno.EIO, "x")
    assert bench.call("READONLY", "no") == b"+OK\r\n"
    assert not bench.log_lines


def test_what_cannot_be_saved_does_not_happen(bench: Bench) -> None:
    bench.settings_file.error = OSError(errno.ENOSPC, "x")
    assert bench.call("READONLY", "yes").startswith(b"-ERR cannot write the configuration file")
    assert bench.call(*SET) == b"+OK\r\n"
