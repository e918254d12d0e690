"""The core of a server: engine, settings, clients and clock, built before anything is opened."""

from dataclasses import dataclass

from tile38py._engine import Engine
from tile38py.access.users import Users
from tile38py.clients import Clients
from tile38py.clock import SystemClock, new_server_id
from tile38py.config import Config
from tile38py.config.properties import REQUIREPASS
from tile38py.gates import Gates
from tile38py.persistence.config_file import ConfigFile
from tile38py.server.memory_budget import MemoryBudget, cgroup_limit
from tile38py.server.options import Options
from tile38py.server.rate_limiter import RateLimiter
from tile38py.server.system import EngineMemory, ThisProcess, raise_file_limit
from tile38py.server.tls_contexts import TlsContexts
from tile38py.slow_log import SlowLog
from tile38py.time_zones import utc_offset_seconds


@dataclass(frozen=True, slots=True)
class Core:
    """The objects that most others depend on. They depend neither on the log nor on sockets."""

    engine: Engine
    config: Config
    config_file: ConfigFile
    gates: Gates
    memory: EngineMemory
    budget: MemoryBudget
    clients: Clients
    clock: SystemClock
    slow_log: SlowLog
    tls: TlsContexts
    limiter: RateLimiter
    files_count_max: int  # clients that the system's limit of open files permits
    users: Users


def make_core(options: Options) -> Core:
    """Build the core with the settings in the configuration file."""
    engine = Engine(require_valid=options.requires_valid)
    engine.set_time_zones(utc_offset_seconds)
    budget = MemoryBudget(ThisProcess(), cgroup_limit())
    config = Config(maxmemory=budget.data_bytes_max)
    config_file = ConfigFile(options.directory / "config")
    config.read(config_file.read())
    config.read_options(options.settings)
    if not config.identity.server_id:
        config.identity.server_id = new_server_id()
    gates = Gates(engine, is_read_only=config.identity.is_read_only)
    gates.is_following = bool(config.identity.follow_host)
    memory = EngineMemory(engine, config, budget)
    files_count_max = raise_file_limit()
    clients = Clients(files_count_max)
    clock, slow_log = SystemClock(), SlowLog(engine)
    users = Users(engine, gates.require_password)
    users.set_default_password(config.get(REQUIREPASS))
    return Core(
        engine=engine,
        config=config,
        config_file=config_file,
        gates=gates,
        memory=memory,
        budget=budget,
        clients=clients,
        clock=clock,
        slow_log=slow_log,
        tls=TlsContexts(config),
        limiter=RateLimiter(),
        files_count_max=files_count_max,
        users=users,
    )
