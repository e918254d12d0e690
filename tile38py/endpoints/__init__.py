"""Endpoints: one file for each URL scheme; pool.py owns their lives. Knows no hook."""

from typing import Final

from tile38py.endpoints import (
    amqp,
    cloudflare,
    disque,
    eventhub,
    grpc,
    http,
    kafka,
    local,
    mqtt,
    nats,
    pubsub,
    redis,
    sqs,
)

# Importing a module registers its kind; the clients themselves are imported at the first connect.
KINDS_OF_OURS: Final = (
    amqp,
    cloudflare,
    disque,
    eventhub,
    grpc,
    http,
    kafka,
    local,
    mqtt,
    nats,
    pubsub,
    redis,
    sqs,
)
