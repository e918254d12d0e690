"""Tile38's protocol and commands on a Rust engine: the version, and the engine in process."""

VERSION = "0.1.0"

from tile38py.embedded import Engine, GeoJSON  # noqa: E402 - they read the version

__all__ = ["VERSION", "Engine", "GeoJSON"]
