"""The states of the server in which the engine refuses commands. The engine decides which."""

from dataclasses import dataclass

from tile38py import errors
from tile38py._engine import Engine


@dataclass(slots=True)
class Gates:
    """States in which the engine refuses commands. Call apply() after a change."""

    engine: Engine
    is_loading: bool = True
    requires_password: bool = False
    is_following: bool = False
    caught_up_once: bool = False
    is_read_only: bool = False
    log_error: str | None = None  # why the log cannot be written: writes are refused

    def require_password(self, is_required: bool) -> None:
        """Refuse most commands of clients that haven't authenticated, or refuse none."""
        self.requires_password = is_required
        self.apply()

    def apply(self) -> None:
        """Pass the states to the engine."""
        self.engine.set_state(
            loading=self.is_loading,
            requires_password=self.requires_password,
            following=self.is_following,
            caught_up_once=self.caught_up_once,
            read_only=self.is_read_only,
            write_error=None if self.log_error is None else errors.log_refusal(self.log_error),
        )
