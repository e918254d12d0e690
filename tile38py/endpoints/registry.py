"""The registry of endpoint kinds by URL scheme, ours and those of other packages.

Another package adds a kind through the entry-point group `tile38py.endpoints`: the entry's name is
the scheme, its object a class as Settings has it. Decorated with @endpoint, it can have traits.
"""

from collections.abc import Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Final, Protocol, Self, TypeVar

from tile38py.endpoints.address import AddressError, scheme_of
from tile38py.endpoints.names import Names
from tile38py.interfaces.delivery import Batch, Publisher
from tile38py.limits import ENDPOINT_IDLE_SECONDS_MAX, ENDPOINT_SEND_SECONDS_MAX

GROUP: Final = "tile38py.endpoints"


@dataclass(frozen=True, slots=True)
class EndpointDependencies:
    """Dependencies of all endpoints."""

    environment: Mapping[str, str]
    new_id: Callable[[], str]  # 32 random hexadecimal digits
    publish: Publisher
    names: Names = field(default_factory=Names)


class TargetError(Exception):
    """One URL's target can't be sent to; those of other URLs on the same connection can."""


class BusyError(TargetError):
    """One URL's target asks to be left alone for some time."""

    def __init__(self, reason: str, retry_seconds: float) -> None:
        super().__init__(reason)
        self.retry_seconds = retry_seconds


class Endpoint(Protocol):
    """A connection to a broker, for all URLs of one cluster."""

    async def send(self, batch: Batch, target: "Settings") -> None:
        """Send the waiting events to one URL's target; mark those delivered and those refused.

        Raises TargetError if only that target fails, any other exception if the broker is down:
        the connection is closed then.
        """

    async def close(self) -> None:
        """Flush and close."""


class Settings(Protocol):
    """A parsed URL."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL. Raises AddressError."""

    @property
    def cluster(self) -> Hashable:
        """Equal for URLs that may share a connection: the broker and how to log in."""

    def connect(self, dependencies: EndpointDependencies) -> Coroutine[object, object, Endpoint]:
        """Open a connection for all URLs of the cluster."""


@dataclass(frozen=True, slots=True)
class Traits:
    """Properties of a kind that the pool and the checker need."""

    extra: str = ""  # the extra of this package that installs the broker's client
    module: str = ""  # the client's module; empty if none is needed
    idle_seconds_max: float | None = ENDPOINT_IDLE_SECONDS_MAX
    lifetime_seconds_max: float | None = None
    send_seconds_max: float = ENDPOINT_SEND_SECONDS_MAX
    attempt_seconds_max: float | None = None  # of one request of a batch; None = of the whole batch
    batches_count_max: int = 1  # in flight at the same time on a connection
    linger_seconds: float = 0.0  # between two small batches, where each one costs the broker
    has_host: bool = False  # the pool resolves the host of its URLs before it connects


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of endpoint."""

    settings: type[Settings]
    traits: Traits


SettingsClass = TypeVar("SettingsClass", bound=type[Settings])
KINDS: Final[dict[str, Kind]] = {}
TRAITS: Final[dict[type[Settings], Traits]] = {}


def endpoint(
    *schemes: str, traits: Traits | None = None
) -> Callable[[SettingsClass], SettingsClass]:
    """Register a settings class for these schemes."""

    def register(settings: SettingsClass) -> SettingsClass:
        TRAITS[settings] = traits or Traits()
        for scheme in schemes:
            KINDS[scheme] = Kind(settings, TRAITS[settings])
        return settings

    return register


class Registry:
    """All kinds; those of other packages are loaded when a URL first names their scheme."""

    def __init__(self) -> None:
        # Read once: it is slow, and installed packages don't change while the process runs.
        self._foreign = {entry.name: entry for entry in entry_points(group=GROUP)}
        self._loaded: dict[str, Kind] = {}

    def kind(self, url: str) -> Kind:
        """The kind of a URL. Raises AddressError, or what another package raises."""
        scheme = kind_name(url)
        kind = KINDS.get(scheme) or self._loaded.get(scheme) or self._load(scheme)
        if kind is None:
            raise AddressError("unknown scheme")
        return kind

    def _load(self, scheme: str) -> Kind | None:
        entry = self._foreign.get(scheme)
        if entry is None:
            return None
        settings: type[Settings] = entry.load()
        kind = self._loaded[scheme] = Kind(settings, TRAITS.get(settings, Traits()))
        return kind


def kind_name(url: str) -> str:
    """The scheme under which a URL's kind is registered. Raises AddressError."""
    if url.startswith("https://sqs.") and ".amazonaws.com" in url:
        return "sqs"
    return scheme_of(url)
