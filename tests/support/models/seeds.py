"""Seeds of random cases to compare with a model: few in every run, many by `make models`."""

import os


def seeds(count: int) -> range:
    """The seeds of a test: MODEL_FACTOR times its own count, from MODEL_SEED on."""
    first = int(os.environ.get("MODEL_SEED", "0"))
    return range(first, first + count * int(os.environ.get("MODEL_FACTOR", "1")))
