"""TLS contexts from the tls-* settings: certificates are read here, and read anew on request.

A context that can't be made leaves the present one in use. Connections keep the context with which
they began. Doesn't open sockets: see listeners and tls_connection.
"""

import ssl
from collections.abc import Collection
from pathlib import Path
from typing import Final

from tile38py import errors
from tile38py.config import Config
from tile38py.config import properties as known
from tile38py.errors import StartError, reason_of
from tile38py.replication.leader_connection import tls_reason
from tile38py.server.certificates import certificate_expiry
from tile38py.server.logs import Log

SETTING_PREFIX: Final = "tls-"
VERIFY_MODES: Final = {
    "yes": ssl.CERT_REQUIRED,
    "optional": ssl.CERT_OPTIONAL,
    "no": ssl.CERT_NONE,
}
FILES: Final = (
    known.TLS_CERT_FILE,
    known.TLS_KEY_FILE,
    known.TLS_CA_CERT_FILE,
)


class TlsError(Exception):
    """The settings make no TLS context; the text names the setting and the reason."""


class TlsContexts:
    """The contexts in force for clients that connect, and for our connection to a leader."""

    def __init__(self, config: Config) -> None:
        """Make the contexts that the settings ask for. Raises StartError."""
        self._config = config
        self._server: ssl.SSLContext | None = None
        self._leader: ssl.SSLContext | None = None
        self.expiry: float | None = None  # of the certificate, in seconds since 1970
        try:
            self.load()
        except TlsError as error:
            raise StartError(f"TLS: {error}") from None
        config.add_check(self._check)

    @property
    def is_used(self) -> bool:
        """Whether TLS is used for anything."""
        get = self._config.get
        return bool(get(known.TLS_PORT) or get(known.TLS_REPLICATION) or get(known.TLS_METRICS))

    @property
    def server(self) -> ssl.SSLContext:
        """The context for clients that connect."""
        assert self._server is not None
        return self._server

    @property
    def leader(self) -> ssl.SSLContext | None:
        """The context for connections to a leader; None if they are plain."""
        return self._leader if self._config.get(known.TLS_REPLICATION) else None

    def load(self) -> None:
        """Read the certificates and use them from now on. Raises TlsError and changes nothing."""
        if self.is_used:
            try:
                server, leader = _server_context(self._config), _leader_context(self._config)
            except ValueError as error:  # a path that holds a null character
                raise TlsError(str(error)) from None
            self._server, self._leader = server, leader
            self.expiry = certificate_expiry(self._config.get(known.TLS_CERT_FILE))

    def _check(self, names: Collection[str]) -> None:
        """Refuse TLS settings that make no context."""
        if any(name.startswith(SETTING_PREFIX) for name in names):
            try:
                self.load()
            except TlsError as error:
                raise errors.property_refused(str(error)) from None


def reload_certificates(tls: TlsContexts, log: Log) -> None:
    """Read the certificates anew, as SIGHUP asks. The present ones stay if these are unusable."""
    failure: TlsError | None = None
    try:
        tls.load()
    except TlsError as error:
        failure = error
    if failure is None:
        log.info("TLS certificates are read anew; new connections use them")
    else:
        log.error("TLS: %s; the present certificates stay in use", failure)


def _server_context(config: Config) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if not config.get(known.TLS_CERT_FILE):
        raise TlsError("tls-cert-file is not set")
    _configure(context, config)
    context.verify_mode = VERIFY_MODES[config.get(known.TLS_AUTH_CLIENTS)]
    if context.verify_mode is not ssl.CERT_NONE and not _has_authorities(config):
        raise TlsError(
            "tls-auth-clients needs tls-ca-cert-file or tls-ca-cert-dir; "
            "set it to no if clients have no certificates"
        )
    # Browsers and curl offer HTTP/2, too.
    context.set_alpn_protocols(["http/1.1"])
    return context


def _leader_context(config: Config) -> ssl.SSLContext | None:
    """The context of a follower. As in Redis, it presents the server's own certificate."""
    if not config.get(known.TLS_REPLICATION):
        return None
    if not _has_authorities(config):
        raise TlsError("tls-replication needs tls-ca-cert-file or tls-ca-cert-dir")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # As in Redis: Sentinel tells followers addresses that certificates needn't name.
    context.check_hostname = False
    _configure(context, config)
    return context


def _configure(context: ssl.SSLContext, config: Config) -> None:
    """Set what both directions have in common: certificate, authorities, versions, ciphers."""
    context.options |= ssl.OP_NO_RENEGOTIATION
    for setting in FILES:
        _check_readable(setting.name, config.get(setting))
    certificate, key = config.get(known.TLS_CERT_FILE), config.get(known.TLS_KEY_FILE)
    if certificate:
        # Without a password, OpenSSL would ask for it on the terminal.
        password = config.get(known.TLS_KEY_FILE_PASS).encode("utf-8", "surrogateescape")
        try:
            context.load_cert_chain(certificate, key or None, password)
        except ssl.SSLError as error:
            raise TlsError(f"tls-cert-file and tls-key-file: {tls_reason(error)}") from None
    if _has_authorities(config):
        file, folder = config.get(known.TLS_CA_CERT_FILE), config.get(known.TLS_CA_CERT_DIR)
        if folder and not Path(folder).is_dir():
            raise TlsError(f"tls-ca-cert-dir '{folder}': not a directory")
        try:
            context.load_verify_locations(file or None, folder or None)
        except ssl.SSLError as error:
            raise TlsError(f"tls-ca-cert-file '{file}': {tls_reason(error)}") from None
    if versions := config.get(known.TLS_PROTOCOLS):
        context.minimum_version = _version(min(versions))
        context.maximum_version = _version(max(versions))
    if ciphers := config.get(known.TLS_CIPHERS):
        try:
            context.set_ciphers(ciphers)
        except ssl.SSLError as error:
            raise TlsError(f"tls-ciphers '{ciphers}': {tls_reason(error)}") from None


def _check_readable(name: str, path: str) -> None:
    """Raise TlsError if a file can't be read: OpenSSL's errors don't name it."""
    if path:
        try:
            with Path(path).open("rb"):
                pass
        except OSError as error:
            raise TlsError(f"{name} '{path}': {reason_of(error).lower()}") from None


def _has_authorities(config: Config) -> bool:
    return bool(config.get(known.TLS_CA_CERT_FILE) or config.get(known.TLS_CA_CERT_DIR))


def _version(name: str) -> ssl.TLSVersion:
    return ssl.TLSVersion[name.replace(".", "_")]
