"""Measurements side by side with peers: `python -m benchmarks.compare`. Not part of the package."""
