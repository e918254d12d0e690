"""Patterns of CONFIG GET."""

import pytest

from tile38py.config.globs import matches


@pytest.mark.parametrize(
    ("pattern", "name", "does"),
    [
        ("*", "maxmemory", True),
        ("max*", "maxmemory", True),
        ("*memory", "maxmemory", True),
        ("m*m*y", "maxmemory", True),
        ("m?xmemory", "maxmemory", True),
        ("MAX*", "maxmemory", False),
        ("[a-m]ax*", "maxmemory", True),
        ("[^a-m]ax*", "maxmemory", False),
        ("[mn]axmemory", "maxmemory", True),
        ("[-m]axmemory", "maxmemory", True),
        (r"max\memory", "maxmemory", True),
        (r"max\*", "maxmemory", False),
        ("maxmemory*", "maxmemory", True),
        ("maxmemor", "maxmemory", False),
        ("", "maxmemory", False),
        ("max[memory", "maxmemory", False),
        ("maxmemory\\", "maxmemory", False),
        ("[^]axmemory", "maxmemory", False),
    ],
)
def test_matching(pattern: str, name: str, does: bool) -> None:
    assert matches(pattern, name) is does


def test_a_hostile_pattern_is_no_slower() -> None:
    assert not matches("*a" * 30_000, "a" * 200)
