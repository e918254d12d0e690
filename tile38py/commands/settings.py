"""CONFIG and READONLY."""

from tile38py import errors
from tile38py.commands.registry import OK, Call, Flags, Group, Reply, Services, command
from tile38py.config import NAMES, Config
from tile38py.config.globs import matches
from tile38py.config.properties import REQUIREPASS
from tile38py.interfaces import SettingsFile

DATABASES = "databases"  # what clients of Redis ask for by this very name


@command(
    "CONFIG GET pattern",
    arity=3,
    summary="Get settings",
    group=Group.SERVER,
    flags=Flags.ADMIN | Flags.HIDDEN,
)
def config_get(call: Call) -> Reply:
    """Run CONFIG GET pattern."""
    pattern = text_of(call.args[0])
    pairs = {
        name: call.server.config.text(name).encode("utf-8", "surrogateescape")
        for name in NAMES
        if matches(pattern, name)
    }
    if pattern.lower() == DATABASES:
        pairs[DATABASES] = b"1"
    return Reply(pairs, (("properties", pairs),))


@command(
    "CONFIG SET name value [name value]...",
    arity=-3,
    summary="Change settings",
    group=Group.SERVER,
    flags=Flags.ADMIN | Flags.HIDDEN,
)
def config_set(call: Call) -> Reply:
    """Run CONFIG SET name value …. The value may be missing for requirepass alone."""
    words = [text_of(argument) for argument in call.args]
    if words == [REQUIREPASS.name]:
        words.append("")
    if len(words) % 2:
        raise errors.wrong_arity()
    call.server.config.set_all(dict(zip(words[::2], words[1::2], strict=True)))
    return OK


@command(
    "CONFIG REWRITE",
    arity=2,
    summary="Save the settings",
    group=Group.SERVER,
    flags=Flags.ADMIN | Flags.HIDDEN,
)
def config_rewrite(call: Call) -> Reply:
    """Run CONFIG REWRITE."""
    server, users = call.server, call.server.access.users
    server.config.store_values()
    # As in Redis, users are kept in the configuration unless there is a file for them.
    is_kept = server.access.file is None and users.are_configured(server.config.get(REQUIREPASS))
    lines = users.lines() if is_kept else []
    server.config.identity.users = tuple(errors.shown(line) for line in lines)
    save(server)
    return OK


@command(
    "READONLY (yes | no)",
    arity=2,
    summary="Refuse or accept writes",
    group=Group.SERVER,
    flags=Flags.ADMIN,
)
def readonly(call: Call) -> Reply:
    """Run READONLY yes | no. Only lower case is accepted."""
    match call.args[0]:
        case b"yes" | b"no" as word:
            _set_read_only(call.server, word == b"yes")
        case other:
            raise errors.invalid_argument(other)
    return OK


def _set_read_only(server: Services, is_read_only: bool) -> None:
    identity = server.config.identity
    if identity.is_read_only == is_read_only:
        return
    identity.is_read_only = is_read_only
    try:
        save(server)
    except errors.CommandError:
        identity.is_read_only = not is_read_only
        raise
    server.gates.is_read_only = is_read_only
    server.gates.apply()
    server.log("read only" if is_read_only else "read write")


def save(server: Services) -> None:
    """Write the configuration file of a server."""
    write(server.config, server.settings_file)


def write(config: Config, file: SettingsFile) -> None:
    """Write a configuration file. Raises CommandError if the disk refuses."""
    try:
        file.write(config.file_text())
    except OSError as error:
        raise errors.not_saved(errors.reason_of(error)) from None


def text_of(argument: bytes) -> str:
    """Decode an argument; bytes that aren't UTF-8 become lone surrogates."""
    return argument.decode("utf-8", "surrogateescape")
