"""The check of the URLs that SETHOOK names. Opens no connection."""

from tile38py._engine import EndpointRefusal
from tile38py.endpoints.address import AddressError
from tile38py.endpoints.registry import Registry
from tile38py.limits import ENDPOINT_URLS_ACCEPTED_COUNT_MAX


class EndpointChecker:
    """The check as the engine calls it, for each URL that a SETHOOK names."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._accepted: set[bytes] = set()  # most hooks share their URLs with others

    def __call__(self, url: bytes) -> EndpointRefusal | None:
        """Why a hook can't have this endpoint; None if it can."""
        if url in self._accepted:
            return None
        try:
            self._registry.check(url.decode("utf-8", "surrogateescape"))
        except AddressError as error:
            return EndpointRefusal(str(error))
        if len(self._accepted) >= ENDPOINT_URLS_ACCEPTED_COUNT_MAX:
            self._accepted.clear()
        self._accepted.add(url)
        return None
