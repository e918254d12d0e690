"""Certificates made by openssl, and servers that speak TLS."""

import ssl
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.brokers import free_port, program
from tests.support.process import ServerProcess
from tests.support.resp import Connection

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        """Make the authority."""
        self.folder = folder / name
        self.folder.mkdir()
        self.file = self.folder / "ca.pem"
        self._key = self.folder / "ca.key"
        request(["-out", str(self.file), "-keyout", str(self._key), "-subj", f"/CN={name}"])

    def issue(self, name: str) -> Certificate:
        """Issue a certificate for localhost with a common name."""
        made = Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        signer = ["-CA", str(self.file), "-CAkey", str(self._key)]
        files = ["-out", str(made.certificate), "-keyout", str(made.key)]
        # Certificates made by `req -x509` are authorities unless told otherwise.
        extensions = ["-addext", NAMES, "-addext", "basicConstraints=critical,CA:FALSE"]
        request([*files, *signer, "-subj", f"/CN={name}", *extensions])
        return made

    def context(self, own: Certificate | None = None) -> ssl.SSLContext:
        """Return a client's context that trusts the authority, and shows a certificate."""
        context = ssl.create_default_context(cafile=str(self.file))
        if own is not None:
            context.load_cert_chain(own.certificate, own.key)
        return context


def request(words: Sequence[str]) -> None:
    """Make a certificate."""
    command = [program("openssl"), "req", "-x509", "-days", "2", *NEW_KEY, *words]
    subprocess.run(command, check=True, capture_output=True)


NO_CERTIFICATES = ("--tls-auth-clients", "no")


class TlsServer(ServerProcess):
    """A server with a TLS port beside its plain one."""

    def __init__(
        self, folder: Path, authority: Authority, options: Sequence[str] = NO_CERTIFICATES
    ) -> None:
        """Prepare a server with a certificate of its own."""
        super().__init__(folder)
        self.tls_port = free_port()
        self.more_options = options
        self.use(authority)

    def use(self, authority: Authority) -> None:
        """Use a new certificate of an authority from the next start on."""
        self.authority = authority
        self.certificate = authority.issue(f"server{self.tls_port}")
        self.options = [*self.tls_options, *self.more_options]

    @property
    def tls_options(self) -> list[str]:
        """The options that name the port and the files."""
        files = self.certificate
        return [
            *("--tls-port", str(self.tls_port)),
            *("--tls-cert-file", str(files.certificate), "--tls-key-file", str(files.key)),
            *("--tls-ca-cert-file", str(self.authority.file)),
        ]

    def connect_tls(self, own: Certificate | None = None) -> Connection:
        """Open a TLS connection that checks the server's certificate."""
        connection = Connection(("127.0.0.1", self.tls_port))
        context = self.authority.context(own)
        connection.socket = context.wrap_socket(connection.socket, server_hostname="localhost")
        return connection

    def name_seen(self) -> str:
        """Return the common name of the certificate that the server shows a new client."""
        with self.connect_tls() as connection:
            assert isinstance(connection.socket, ssl.SSLSocket)
            return common_name(connection.socket)


class TlsOnlyServer(TlsServer):
    """A server without a plain port, which needs clients' certificates."""

    def __init__(self, folder: Path, authority: Authority, options: Sequence[str] = ()) -> None:
        """Prepare a server and a certificate with which tests connect."""
        super().__init__(folder, authority, ["--port", "0", *options])

    def use(self, authority: Authority) -> None:
        """Use new certificates of an authority from the next start on."""
        super().use(authority)
        self.own = authority.issue(f"client{self.tls_port}")

    def connect(self, timeout_seconds: float = 10.0) -> Connection:
        """Open a TLS connection."""
        del timeout_seconds
        return self.connect_tls(self.own)

    def ready_port(self) -> str:
        """Return the TLS port once the server listens."""
        assert not super().ready_port()  # it has no plain port, and it runs
        return str(self.tls_port) if "Ready to accept TLS connections" in self.log() else ""


def common_name(connection: ssl.SSLSocket) -> str:
    """Return the common name of the other side's certificate."""
    shown = connection.getpeercert()
    assert shown is not None
    names = [str(subject[0][1]) for subject in shown["subject"] if subject[0][0] == "commonName"]
    return names[0]
