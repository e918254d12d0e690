"""The objects of a server that don't depend on its log, made from options and configuration."""

from dataclasses import dataclass

from tile38py._engine import Engine
from tile38py.clients import Clients
from tile38py.clock import SystemClock, new_server_id
from tile38py.config import Config
from tile38py.config.properties import REQUIREPASS
from tile38py.gates import Gates
from tile38py.persistence.config_file import ConfigFile
from tile38py.server.options import Options
from tile38py.server.system import EngineMemory, raise_file_limit
from tile38py.slow_log import SlowLog


@dataclass(frozen=True, slots=True)
class Parts:
    """The objects of a server that don't depend on the log."""

    engine: Engine
    config: Config
    config_file: ConfigFile
    gates: Gates
    memory: EngineMemory
    clients: Clients
    clock: SystemClock
    slow_log: SlowLog


def make_parts(options: Options) -> Parts:
    """Make them, with the settings that the configuration file has."""
    engine = Engine(require_valid=options.requires_valid)
    config = Config()
    config_file = ConfigFile(options.directory / "config")
    config.read(config_file.read())
    if not config.identity.server_id:
        config.identity.server_id = new_server_id()
    gates = Gates(engine, is_read_only=config.identity.is_read_only)
    gates.is_following = bool(config.identity.follow_host)
    gates.requires_password = bool(config.get(REQUIREPASS))
    gates.apply()
    memory = EngineMemory(engine, config, gates)
    clients = Clients(raise_file_limit())
    clock, slow_log = SystemClock(), SlowLog(engine)
    return Parts(engine, config, config_file, gates, memory, clients, clock, slow_log)
