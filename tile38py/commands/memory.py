"""Memory by cause, for INFO and the metrics. Has no command of its own."""

from tile38py.commands.registry import Services

OBJECT_BYTES = 48  # memory of an object that STATS doesn't count


def sizes(server: Services) -> dict[str, int]:
    """Return the bytes of each cause, and the number of producers."""
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
        # Trees, names, snapshots: all of the engine's heap without another cause.
        "memory_indexes": max(engine - objects - fences - requests, 0),
        "memory_fences": fences,
        "memory_hook_queue": outbox.memory_bytes,
        "memory_clients": requests + replies,
        # The interpreter, and the brokers' client libraries, which don't report their memory.
        "memory_rest": max(elsewhere, 0),
        "producers": outbox.connection_count,
    }
