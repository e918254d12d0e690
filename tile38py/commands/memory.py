"""Memory by cause, as INFO and the metrics show it. Has no command of its own."""

from tile38py.commands.registry import Services

OBJECT_BYTES = 48  # what an object occupies besides what STATS counts


def sizes(server: Services) -> dict[str, int]:
    """Bytes by cause, and how many producers there are."""
    outbox, clients = server.outbox, list(server.clients)
    counts = server.engine.statistics()
    objects = counts["in_memory_size"] + counts["num_objects"] * OBJECT_BYTES
    fences = counts["fence_bytes"]
    engine = server.memory.used()
    requests = sum(client.session.buffered for client in clients)
    replies = sum(client.unsent for client in clients)
    replies += sum(client.listener.waiting_bytes for client in clients if client.listener)
    elsewhere = server.process.resident_bytes() - engine - outbox.memory_bytes - replies
    return {
        "memory_objects": objects,
        # Trees, names, what snapshots hold: all of the engine's heap that has no other cause.
        "memory_indexes": max(engine - objects - fences - requests, 0),
        "memory_fences": fences,
        "memory_hook_queue": outbox.memory_bytes,
        "memory_clients": requests + replies,
        # The interpreter, and brokers' clients, which can't tell what they occupy.
        "memory_rest": max(elsewhere, 0),
        "producers": outbox.connection_count,
    }
