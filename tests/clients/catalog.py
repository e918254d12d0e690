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
    TLS = "tls"


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
PYLE38 = f"{PYTHON} -m tests.clients.python.pyle38_client"
TILE38_TS = f"{NODE}/tile38.cjs {{home}}/node_modules/@iwpnd"
NO_BATCHES = dict.fromkeys(("pipeline", "transaction", "script"), "sends single commands only")
ONLY_COMMANDS = NO_BATCHES | dict.fromkeys(("subscribe", "reuse"), "has no subscribers")
NO_LOGIN = dict.fromkeys(
    (Access.PASSWORD, Access.USER, Access.TLS), "takes host and port from its URL, and nothing else"
)
JAVA = "java -cp {home}/"
GO = kits.go_kit("go", "go")
GO_BEFORE = kits.go_kit("go-before", "before")
JEDIS = kits.java_kit("JedisProgram", "jedis-8", "jedis-7")
LETTUCE = kits.java_kit("LettuceProgram", "lettuce-7", "lettuce-6")

LIBRARIES = (
    Library("redis-py-8", kits.python_kit("redis-8"), REDIS_PY),
    Library("redis-py-8-hiredis", kits.python_kit("redis-8-hiredis"), REDIS_PY),
    Library("redis-py-7", kits.python_kit("redis-7"), REDIS_PY),
    Library("ioredis-6", kits.NODE, f"{IOREDIS}/ioredis-6"),
    Library("ioredis-5", kits.NODE, f"{IOREDIS}/ioredis-5"),
    Library("node-redis-6", kits.NODE, f"{NODE_REDIS}/redis-6"),
    Library("node-redis-5", kits.NODE, f"{NODE_REDIS}/redis-5"),
    Library("tile38-ts-2.4.9", kits.NODE, f"{TILE38_TS}/tile38-ts", NO_BATCHES),
    Library("tile38-ts-2.4.8", kits.NODE, f"{TILE38_TS}/tile38-ts-previous", NO_BATCHES),
    Library("pyle38-0.16", kits.python_kit("pyle38"), PYLE38, ONLY_COMMANDS, NO_LOGIN),
    Library("pyle38-0.15", kits.python_kit("pyle38-previous"), PYLE38, ONLY_COMMANDS, NO_LOGIN),
    Library("go-redis-9.23", GO, "{home}/goredis"),
    Library("go-redis-9.22", GO_BEFORE, "{home}/goredis"),
    Library("redigo-1.9", GO, "{home}/redigo"),
    Library("redigo-1.8", GO_BEFORE, "{home}/redigo"),
    Library("rueidis-1.0.79", GO, "{home}/rueidis"),
    Library("rueidis-1.0.78", GO_BEFORE, "{home}/rueidis"),
    Library("jedis-8", JEDIS, f"{JAVA}jedis-8:{{home}}/jedis-8/* JedisProgram"),
    Library("jedis-7", JEDIS, f"{JAVA}jedis-7:{{home}}/jedis-7/* JedisProgram"),
    Library("lettuce-7", LETTUCE, f"{JAVA}lettuce-7:{{home}}/lettuce-7/* LettuceProgram"),
    Library("lettuce-6", LETTUCE, f"{JAVA}lettuce-6:{{home}}/lettuce-6/* LettuceProgram"),
    Library("redis-rs-1", kits.RUST, "{home}/debug/redis-1"),
    Library("redis-rs-0.32", kits.RUST, "{home}/debug/redis-0"),
    Library("fred-10", kits.RUST, "{home}/debug/fred-10"),
    Library("fred-9", kits.RUST, "{home}/debug/fred-9"),
    Library("phpredis-5", kits.PHP, "php {sources}/php/phpredis.php"),
    Library("predis-1", kits.PHP, "php {sources}/php/predis.php"),
    Library(
        "hiredis-0.14",
        kits.HIREDIS,
        "{home}/hiredis",
        missing_access={Access.TLS: "came with version 1.0"},
    ),
    Library(
        "redis-cli-7",
        kits.REDIS_CLI,
        "{sources}/shell/redis_cli.sh",
        missing_steps={"reuse": "a subscription lasts until redis-cli is ended"},
    ),
)
