"""Tile38's protocol and commands on a Rust engine: the version, and the engine in process."""

VERSION = "0.1.0"

from tile38py.embedded import Engine, GeoJSON  # noqa: E402 - modules below read the version from here

__all__ = ["VERSION", "Engine", "GeoJSON"]
