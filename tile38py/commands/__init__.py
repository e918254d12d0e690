"""The server's commands, those that need the connection, the disk or the process.

Importing the package fills the registry.
"""

from tile38py.commands import (
    client,
    connection,
    developer,
    fences,
    hooks,
    information,
    log,
    monitor,
    pubsub,
    replication,
    server,
    settings,
)

FAMILIES = (
    client,
    connection,
    developer,
    fences,
    hooks,
    information,
    log,
    monitor,
    pubsub,
    replication,
    server,
    settings,
)
