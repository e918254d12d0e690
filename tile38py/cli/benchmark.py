"""The command tile38py-benchmark: becomes the load generator, a native program in the package."""

import os
import sys
from pathlib import Path
from typing import Final, NoReturn

# crates/python/build.rs builds it, and every wheel holds it.
PROGRAM: Final = Path(__file__).parents[1] / "bin" / "tile38py-benchmark"


def main() -> NoReturn:
    """Replace this process, so that nothing of Python is left while load is generated."""
    try:
        os.execv(PROGRAM, [PROGRAM.name, *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"can't start {PROGRAM}: {error.strerror}")
