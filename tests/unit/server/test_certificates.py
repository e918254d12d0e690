"""When certificates expire."""

import ssl
import subprocess
from pathlib import Path

import pytest

from tests.support.brokers import program
from tests.support.tls import Authority
from tile38py.server.certificates import certificate_expiry, der_expiry


def openssl_expiry(path: Path) -> float:
    """Return the expiry of a certificate as openssl reads it."""
    command = [program("openssl"), "x509", "-noout", "-enddate", "-in", str(path)]
    line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return ssl.cert_time_to_seconds(line.strip().removeprefix("notAfter="))


def test_the_expiry_is_that_of_the_first_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.issue("server")
    chain = tmp_path / "chain.pem"
    # As for haproxy: the key, the certificate, then its authority's.
    parts = (own.key, own.certificate, authority.file)
    chain.write_text("".join(path.read_text() for path in parts))
    assert certificate_expiry(str(chain)) == openssl_expiry(own.certificate)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (b"\x17\x0d491231235959Z", 2524607999),
        (b"\x17\x0d500101000000Z", -631152000),
        (b"\x18\x0f20500101000000Z", 2524608000),
    ],
)
def test_years_have_two_digits_or_four(time: bytes, expected: float) -> None:
    validity = b"\x30" + bytes([2 + len(time)]) + b"\x17\x00" + time
    signed = b"\xa0\x03\x02\x01\x02" + b"\x02\x01\x01\x30\x00\x30\x00" + validity
    signed = b"\x30\x81" + bytes([len(signed)]) + signed
    assert der_expiry(b"\x30\x82\x00" + bytes([len(signed)]) + signed) == expected


def test_a_file_without_a_certificate_has_no_expiry(tmp_path: Path) -> None:
    file = tmp_path / "file.pem"
    assert certificate_expiry(str(file)) is None
    for text in ("", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"):
        file.write_text(text)
        assert certificate_expiry(str(file)) is None
