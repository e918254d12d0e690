"""local://channel: publishes to a channel of this server."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Self

from tile38py.endpoints.address import AddressError, split
from tile38py.endpoints.registry import EndpointDependencies, Settings, Traits, endpoint
from tile38py.interfaces.delivery import Batch, Publisher


@endpoint("local", traits=Traits(idle_seconds_max=None))
@dataclass(frozen=True, slots=True)
class LocalSettings:
    """The channel, undecoded."""

    channel: bytes

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a URL: the channel ends at the first slash."""
        address = split(url)
        if not address.authority:
            raise AddressError("missing channel")
        return cls(address.authority.encode("utf-8", "surrogateescape"))

    @property
    def cluster(self) -> Hashable:
        """This server."""
        return ()

    async def connect(self, dependencies: EndpointDependencies) -> "LocalEndpoint":
        """Nothing has to be opened."""
        return LocalEndpoint(dependencies.publish)


class LocalEndpoint:
    """Never fails."""

    def __init__(self, publish: Publisher) -> None:
        self._publish = publish

    async def send(self, batch: Batch, target: Settings) -> None:
        """Publish all."""
        assert isinstance(target, LocalSettings)
        for index in batch.waiting():
            self._publish(target.channel, batch.events[index].body)
            batch.delivered.add(index)

    async def close(self) -> None:
        """Nothing has to be closed."""
