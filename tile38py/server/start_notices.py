"""Lines of the log at a start about settings that endanger the server."""

from tile38py.config import Config
from tile38py.config.properties import MAXMEMORY
from tile38py.limits import MIB
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
