"""SETHOOK: what its reply doesn't say stands in the log."""

import pytest

from tests.support.bench import Bench

FENCE = ("NEARBY", "fleet", "FENCE", "POINT", "0", "0", "1000")


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("nats://user:secret@host:port/topic", ""),
        ("kafka://host", "afka"),
        ("mqtt://secret@host/topic?qos=3", "qos"),
        ("nonsense:secret", ""),
    ],
)
def test_why_a_url_is_refused_is_logged_without_the_url(bench: Bench, url: str, part: str) -> None:
    reply = bench.call("SETHOOK", "h", url, *FENCE)
    assert reply == f"-ERR invalid argument '{url}'\r\n".encode()
    [line] = bench.log_lines
    assert line.startswith("SETHOOK: an endpoint was refused: ")
    assert part in line
    assert "secret" not in line


def test_a_good_url_is_nothing_to_log(bench: Bench) -> None:
    assert bench.call("SETHOOK", "h", "http://127.0.0.1:1/", *FENCE) == b":1\r\n"
    assert bench.log_lines == []
