"""TLS for brokers: contexts from the files that a URL names."""

import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of PEM files; an empty path means that there is no such file."""

    authority: str = ""  # trusted in place of the system's roots
    certificate: str = ""  # the client's
    key: str = ""

    @property
    def is_any(self) -> bool:
        """Whether any is named."""
        return bool(self.authority or self.certificate or self.key)

    def context(self) -> ssl.SSLContext:
        """A context for one connection. Raises OSError if a file can't be read."""
        context = ssl.create_default_context(cafile=self.authority or None)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key or None)
        return context
