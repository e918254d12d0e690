"""Tile38's protocol and commands on a Rust engine: the package's version, nothing else."""

VERSION = "0.1.0"
