"""Types of users' rights. They are members of the module `_engine`."""

from collections.abc import Sequence
from typing import Self, final

@final
class AccessSelector:
    """A set of commands with the keys and channels that they may use."""

    def __new__(
        cls,
        *,
        commands: Sequence[str] | None,  # by their names in records, CLIENT|LIST; None for all
        arguments: Sequence[tuple[str, bytes]],  # commands allowed only with a word behind them
        keys: Sequence[tuple[bytes, bool, bool]] | None,  # pattern, reads, writes; None for all
        channels: Sequence[bytes] | None,  # patterns; None for all
    ) -> Self: ...
