"""The libraries that are driven, in which versions, and which steps they don't have."""

import dataclasses
import enum
from collections.abc import Mapping

from tests.clients import kits
from tests.clients.contract import STEPS
from tests.clients.kits import Kit


class Access(enum.Enum):
    """How a client is let in."""

    PLAIN = "plain"
    PASSWORD = "password"
    USER = "user"


@dataclasses.dataclass(frozen=True, slots=True)
class Library:
    """A library in one version.

    `missing_steps` and `missing_access` say why the library has no such step or access.
    """

    name: str
    kit: Kit
    program: str  # words with the placeholders of Kit
    missing_steps: Mapping[str, str] = dataclasses.field(default_factory=dict)
    missing_access: Mapping[Access, str] = dataclasses.field(default_factory=dict)

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that the program has to take, in order."""
        return tuple(step for step in STEPS if step not in self.missing_steps)

    @property
    def command(self) -> list[str]:
        """The command line of the program."""
        return self.kit.expand(tuple(self.program.split()))


PYTHON = "{home}/bin/python"
NODE = "node {sources}/node"
REDIS_PY = f"{PYTHON} -m tests.clients.python.redis_py"
IOREDIS = f"{NODE}/ioredis.cjs {{home}}/node_modules"
NODE_REDIS = f"{NODE}/redis.cjs {{home}}/node_modules"
GO = kits.go_kit("go", "go")

LIBRARIES = (
    Library("redis-py-8", kits.python_kit("redis-8"), REDIS_PY),
    Library("redis-py-8-hiredis", kits.python_kit("redis-8-hiredis"), REDIS_PY),
    Library("redis-py-7", kits.python_kit("redis-7"), REDIS_PY),
    Library("ioredis-6", kits.NODE, f"{IOREDIS}/ioredis-6"),
    Library("ioredis-5", kits.NODE, f"{IOREDIS}/ioredis-5"),
    Library("node-redis-6", kits.NODE, f"{NODE_REDIS}/redis-6"),
    Library("node-redis-5", kits.NODE, f"{NODE_REDIS}/redis-5"),
    Library("go-redis-9", GO, "{home}/goredis"),
    Library("redigo-1", GO, "{home}/redigo"),
    Library("rueidis-1", GO, "{home}/rueidis"),
    Library("hiredis-0.14", kits.HIREDIS, "{home}/hiredis"),
    Library(
        "redis-cli-7",
        kits.REDIS_CLI,
        "{sources}/shell/redis_cli.sh",
        missing_steps={"reuse": "a subscription lasts until redis-cli is ended"},
    ),
)
