"""Numbers of random cases to compare with a model: few in every run, many by `make models`."""

import os


def case_count(ordinary: int) -> int:
    """The cases of a test: its own number, times MODEL_FACTOR where that is set."""
    return ordinary * int(os.environ.get("MODEL_FACTOR", "1"))
