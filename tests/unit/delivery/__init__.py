"""Tests of tile38py.delivery."""
