"""Builds the follower of a server."""

import functools
from dataclasses import dataclass

from tile38py._engine import Engine
from tile38py.commands.replication import keep_leader
from tile38py.following import Target
from tile38py.interfaces import Broadcaster
from tile38py.persistence.aof import Aof
from tile38py.persistence.files import Folder
from tile38py.persistence.no_log import NoLog
from tile38py.persistence.resync import Resync
from tile38py.replication.dial import TcpDial
from tile38py.replication.follower import Follower
from tile38py.replication.surroundings import Surroundings
from tile38py.server.logs import Log
from tile38py.server.options import Options
from tile38py.server.parts import Parts
from tile38py.server.rewriting import Rewriting
from tile38py.server.threads import ThreadPools


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerInputs:
    """Inputs of a follower that are not among a server's parts."""

    journal: Aof | NoLog
    broadcaster: Broadcaster
    rewriting: Rewriting
    threads: ThreadPools
    port: int  # ours, 0 for a unix socket


def make_follower(options: Options, parts: Parts, log: Log, inputs: FollowerInputs) -> Follower:
    """Build the follower. It starts with the leader that the configuration names, if any."""
    identity = parts.config.identity
    target = None
    if identity.follow_host:
        target = Target(identity.follow_host, identity.follow_port)
    disk = None
    if isinstance(inputs.journal, Aof):
        folder = Folder(options.append_path)
        disk = Resync(inputs.journal, folder, inputs.rewriting, inputs.threads.in_thread)
    surroundings = Surroundings(
        engine=parts.engine,
        new_engine=functools.partial(Engine, require_valid=options.requires_valid),
        clock=parts.clock,
        config=parts.config,
        gates=parts.gates,
        journal=inputs.journal,
        broadcaster=inputs.broadcaster,
        dial=TcpDial(),
        threads=inputs.threads,
        disk=disk,
        port=inputs.port,
        inform=log.info,
        complain=log.error,
        keep_leader=functools.partial(keep_leader, parts.config, parts.config_file),
    )
    return Follower(surroundings, target)
