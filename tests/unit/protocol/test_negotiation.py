"""Accept headers."""

import pytest

from tile38py.protocol.negotiation import Alternative, alternatives, takes_gzip


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"", False),
        (b"gzip", True),
        (b"br, GZIP;q=0.5", True),
        (b"gzip;q=0", False),
        (b"gzip; q=0.0, *", False),
        (b"*;q=1", True),
        (b"identity", False),
        (b"gzip;q=x", False),
        (b"gzip;q=1_0", False),
        (b"gzip;q=\xb2", False),
        (b"gzip;q", False),
    ],
)
def test_a_client_says_whether_it_takes_gzip(header: bytes, expected: bool) -> None:
    assert takes_gzip({b"accept-encoding": header}) is expected


def test_parameters_are_told_from_the_quality() -> None:
    assert list(alternatives(b"Text/Plain; Version = 0.0.4 ;q=0.3,*/*")) == [
        Alternative(b"text/plain", {b"version": b"0.0.4"}, 0.3),
        Alternative(b"*/*", {}, 1.0),
    ]
