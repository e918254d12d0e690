"""The format of a scrape that an Accept header asks for."""

import pytest

from tile38py.server.metrics import prefers_openmetrics

# What Prometheus 2.42 and 3.5 send.
PROMETHEUS_2 = (
    b"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    b"text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    b"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    b"application/openmetrics-text;version=0.0.1;q=0.5,"
    b"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"", False),
        (b"*/*", False),
        (b"text/plain", False),
        (b"application/openmetrics-text", True),
        (b"application/openmetrics-text; version=1.0.0", True),
        (b"application/openmetrics-text; version=1.0.0, text/plain", True),
        (b"application/openmetrics-text;version=0.0.1", False),
        (b"application/openmetrics-text;version=2.0.0", False),
        (b"application/openmetrics-text;q=0", False),
        (b"application/openmetrics-text;q=0.4,text/plain;q=0.5", False),
        (PROMETHEUS_2, True),
        (PROMETHEUS_3, True),
    ],
)
def test_openmetrics_is_served_to_clients_that_prefer_it(header: bytes, expected: bool) -> None:
    assert prefers_openmetrics(header) is expected
