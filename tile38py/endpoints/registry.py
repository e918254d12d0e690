"""Which scheme is whose: the kinds of endpoints, ours and those of other packages.

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
class Surroundings:
    """What endpoints may use of the world besides their broker."""

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
        """Send what waits to one URL's target, mark what was delivered or refused.

        Raises TargetError if only that target is at fault, anything else if the broker is down:
        then the connection is closed.
        """

    async def close(self) -> None:
        """Flush and close."""


class Settings(Protocol):
    """A URL understood."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Understand a URL. Raises AddressError."""

    @property
    def cluster(self) -> Hashable:
        """Equal for URLs that may share a connection: the broker and how to log in."""

    def connect(self, surroundings: Surroundings) -> Coroutine[object, object, Endpoint]:
        """Open a connection for all URLs of the cluster."""


@dataclass(frozen=True, slots=True)
class Traits:
    """How the pool treats connections of a kind."""

    extra: str = ""  # of this package, with the broker's client
    module: str = ""  # that has to be there for it
    idle_seconds_max: float | None = ENDPOINT_IDLE_SECONDS_MAX
    lifetime_seconds_max: float | None = None
    send_seconds_max: float = ENDPOINT_SEND_SECONDS_MAX
    batches_count_max: int = 1  # under way at a time on a connection
    linger_seconds: float = 0.0  # from one small batch to the next, where each costs the broker
    has_host: bool = False  # its URLs name the host that the client will look up


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
    """Make a settings class the one of these schemes."""

    def register(settings: SettingsClass) -> SettingsClass:
        TRAITS[settings] = traits or Traits()
        for scheme in schemes:
            KINDS[scheme] = Kind(settings, TRAITS[settings])
        return settings

    return register


class Registry:
    """All kinds; those of other packages are loaded when a URL first names their scheme."""

    def __init__(self) -> None:
        # Once: what is installed doesn't change while the process runs, and a look takes a while.
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
