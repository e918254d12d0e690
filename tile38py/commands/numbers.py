"""Numbers among the arguments of commands."""

import re
from typing import Final

INTEGER: Final = re.compile(rb"-?[0-9]{1,19}")


def integer_of(argument: bytes) -> int | None:
    """Parse a decimal integer of 64 bits; None if it isn't one."""
    if INTEGER.fullmatch(argument) is None or not -(2**63) <= int(argument) < 2**63:
        return None
    return int(argument)
