"""Tests of tile38py.endpoints."""
