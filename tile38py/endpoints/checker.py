"""The check of the URLs that hooks name. Opens no connection."""

from tile38py._engine import EndpointRefusal
from tile38py.endpoints.address import AddressError, scrubbed, shown
from tile38py.endpoints.opening import MissingClientError, require_client
from tile38py.endpoints.registry import KINDS, Kind, Registry, kind_name
from tile38py.limits import ENDPOINT_URLS_ACCEPTED_COUNT_MAX


class UnusableError(Exception):
    """Nothing can be sent to a URL, though it may be right. Clients are told the text."""


class EndpointChecker:
    """The check as the engine calls it, for each URL that a SETHOOK names."""

    def __init__(self, registry: Registry, *, requires_clients: bool = True) -> None:
        self._registry = registry
        self._requires_clients = requires_clients
        self._installed: set[str] = set()  # clients' modules
        self._accepted: set[bytes] = set()  # most hooks share their URLs with others

    def __call__(self, url: bytes) -> EndpointRefusal | None:
        """Why a hook can't have this endpoint; None if it can."""
        if url in self._accepted:
            return None
        text = url.decode("utf-8", "surrogateescape")
        try:
            self._check(text)
        except AddressError as error:
            return EndpointRefusal(str(error))
        except UnusableError as error:
            reply = f"endpoint '{shown(text)}': {error}"
            return EndpointRefusal(str(error), reply.encode("utf-8", "replace").decode())
        if len(self._accepted) >= ENDPOINT_URLS_ACCEPTED_COUNT_MAX:
            self._accepted.clear()
        self._accepted.add(url)
        return None

    def problem(self, url: str) -> str:
        """Why nothing can be sent to a URL that a log or a leader named; empty if it can."""
        refusal = self(url.encode("utf-8", "surrogateescape"))
        return "" if refusal is None else refusal.reason

    def _check(self, url: str) -> None:
        if kind_name(url) in KINDS:
            kind = self._registry.kind(url)
            kind.settings.parse(url)
        else:
            kind = self._check_foreign(url)
        module = kind.traits.module
        if self._requires_clients and module not in self._installed:
            try:
                require_client(kind.traits)
            except MissingClientError as error:
                raise UnusableError(str(error)) from error
            self._installed.add(module)

    def _check_foreign(self, url: str) -> Kind:
        try:
            kind = self._registry.kind(url)
            kind.settings.parse(url)
        except AddressError:
            raise
        except Exception as error:
            text = f"{type(error).__name__}: {scrubbed(str(error), url)}"
            raise UnusableError(text) from error
        return kind
