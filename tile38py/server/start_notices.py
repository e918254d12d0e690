"""Lines of the log at a start about settings that endanger the server."""

import ipaddress
import socket

from tile38py.config import Config
from tile38py.config.properties import MAXMEMORY
from tile38py.gates import Gates
from tile38py.limits import MIB
from tile38py.server.listener import address_text
from tile38py.server.memory_budget import DATA_SHARE, PROCESS_SHARE, MemoryBudget


def memory_notice(config: Config, budget: MemoryBudget) -> str:
    """A line about maxmemory in a container whose memory is limited; empty elsewhere."""
    limit = budget.limit_bytes
    if limit is None:
        return ""
    maxmemory, shown = config.get(MAXMEMORY), config.text(MAXMEMORY.name)
    if config.is_default(MAXMEMORY):
        return (
            f"maxmemory is {shown}: {DATA_SHARE:.0%} of this container's memory limit, "
            f"{limit // MIB}mb, since it is not set"
        )
    if maxmemory and maxmemory <= limit * PROCESS_SHARE:
        return ""
    chosen = f"is {shown}" if maxmemory else "is off"
    return (
        f"maxmemory {chosen}, and this container's memory limit is {limit // MIB}mb: the kernel "
        f"kills the server when it needs more. Set maxmemory to {budget.data_bytes_max // MIB}mb"
    )


def exposure_notice(gates: Gates, listener: socket.socket, *, is_protected: bool) -> str:
    """A warning if other machines may reach the port and no password is set; else empty."""
    if is_protected or gates.requires_password or listener.family == socket.AF_UNIX:
        return ""
    host: str = listener.getsockname()[0]
    if ipaddress.ip_address(host.partition("%")[0]).is_loopback:
        return ""
    return (
        f"Listening on {address_text(listener)} without a password: every computer that reaches "
        "this port can read, change and delete all data. Listen on -h 127.0.0.1 (in a container: "
        "publish the port with -p 127.0.0.1:9851:9851), or set a password: CONFIG SET requirepass, "
        "then CONFIG REWRITE"
    )
