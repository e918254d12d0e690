<<<<<<< HEAD
"""A geospatial database that Tile38 clients can use unchanged, as a server or in process."""

VERSION = "0.1.0"

from tile38py.engine import Engine, GeoJSON  # noqa: E402  # what it imports reads the version
=======
"""Tile38's protocol and commands on a Rust engine: the version, and the engine in process."""

VERSION = "0.1.0"

from tile38py.embedded import Engine, GeoJSON  # noqa: E402 - modules below read the version from here
>>>>>>> main

__all__ = ["VERSION", "Engine", "GeoJSON"]
