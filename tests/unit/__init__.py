"""Tests of single modules, with stand-ins for all around them."""
