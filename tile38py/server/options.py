"""Options of a server, from the command line and the environment."""

from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_PORT = 9851


@dataclass(slots=True)
class Options:
    """Options of one start; the defaults are Tile38's."""

    host: str = ""
    port: int = DEFAULT_PORT  # 0 = any free one
    has_plain_port: bool = True  # False: --port 0
    socket_path: str = ""
    directory: Path = Path("data")
    logs_json: bool = False
    is_quiet: bool = False
    is_verbose: bool = False
    is_very_verbose: bool = False
    output: str = ""
    pid_file: str = ""
    keeps_log: bool = True
    log_path: Path | None = None
    queue_path: Path | None = None
    is_http_enabled: bool = True
    is_protected: bool = False
    metrics_address: str = ""
    ignores_hangup: bool = False
    is_developer: bool = False
    warns_of_threads: bool = False
    warns_of_evio: bool = False
    requires_valid: bool = False  # REQUIREVALID
    fails_with_500: bool = False  # T38HTTP500ERRORS
    settings: dict[str, str] = field(default_factory=dict)  # properties of CONFIG, as texts

    @property
    def append_path(self) -> Path:
        """The path of the log."""
        return self.log_path or self.directory / "appendonly.aof"
