"""A geospatial database that Tile38 clients can use unchanged, as a server or in process."""

VERSION = "0.1.0"

from tile38py.engine import Engine, GeoJSON  # noqa: E402  # what it imports reads the version

__all__ = ["VERSION", "Engine", "GeoJSON"]
