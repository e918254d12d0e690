"""Errors that clients see, one constructor each, and those that end the process.

The texts match Tile38's, since clients compare them. Framing (`-ERR`, JSON) is the engine's.
"""

import os


class CommandError(Exception):
    """A command failed; the text goes to the client, without `ERR`."""


class WrongArityError(CommandError):
    """The number of arguments is wrong; RESP and JSON word it differently."""


class StartError(Exception):
    """The server can't start or go on; the text is logged and the process ends."""


def wrong_arity() -> CommandError:
    """Too few or too many arguments."""
    return WrongArityError("invalid number of arguments")


def invalid_argument(argument: bytes) -> CommandError:
    """An argument that can't be read as what it should be."""
    return CommandError(f"invalid argument '{shown(argument)}'")


def unknown_command(name: str) -> CommandError:
    """A command that doesn't exist here."""
    return CommandError(f"unknown command '{name}'")


def unknown_subcommand(name: str, word: bytes) -> CommandError:
    """A subcommand that doesn't exist, in Redis's words."""
    return CommandError(f"unknown subcommand '{shown(word)}'. Try HELP {name}.")


def invalid_command() -> CommandError:
    """COMMAND GETKEYS of a command that doesn't exist, in Redis's words."""
    return CommandError("Invalid command specified")


def command_arity() -> CommandError:
    """COMMAND GETKEYS of too few or too many words, in Redis's words."""
    return CommandError("Invalid number of arguments specified for command")


def no_keys() -> CommandError:
    """COMMAND GETKEYS of a command without keys, in Redis's words."""
    return CommandError("The command has no key arguments")


def invalid_password() -> CommandError:
    """The password isn't the one that is required, or none is required."""
    return CommandError("invalid password")


def no_password_set() -> CommandError:
    """AUTH without a required password, in Redis's words, which ioredis knows."""
    return CommandError(
        "ERR AUTH <password> called without any password configured for the default user. "
        "Are you sure your configuration is correct?"
    )


def wrong_login() -> CommandError:
    """A user's name and password that don't belong together, in Redis's words."""
    return CommandError("WRONGPASS invalid username-password pair or user is disabled.")


def login_required() -> CommandError:
    """HELLO without a login where one is required, in Redis's words."""
    return CommandError(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the "
        "RESP protocol version at the same time"
    )


def no_protocol(version: bytes) -> CommandError:
    """HELLO with a version of RESP that doesn't exist, in Redis's words."""
    if not version.removeprefix(b"-").isdigit():
        return CommandError("Protocol version is not an integer or out of range")
    return CommandError("NOPROTO unsupported protocol version")


def hello_option(option: bytes) -> CommandError:
    """HELLO with an option that doesn't exist or lacks its values, in Redis's words."""
    return CommandError(f"Syntax error in HELLO option '{shown(option)}'")


def protocol_while_live() -> CommandError:
    """HELLO with another version while messages are sent to the connection in the present one."""
    return CommandError("the protocol can't be changed while the connection is subscribed")


def database_number() -> CommandError:
    """SELECT of something that isn't a number, in Redis's words."""
    return CommandError("value is not an integer or out of range")


def database_range() -> CommandError:
    """SELECT of a database other than 0, in Redis's words."""
    return CommandError("ERR DB index is out of range")


def unsupported_property(name: str) -> CommandError:
    """CONFIG SET of a name that isn't a property."""
    return CommandError(f"Unsupported CONFIG parameter: {name}")


def invalid_property(name: str, text: str) -> CommandError:
    """CONFIG SET of a value that the property can't take."""
    return CommandError(f"Invalid argument '{text}' for CONFIG SET '{name}'")


def not_unsigned(text: str, *, is_too_large: bool) -> CommandError:
    """CONFIG SET autogc, which speaks with the voice of a library."""
    why = "value out of range" if is_too_large else "invalid syntax"
    return CommandError(f'strconv.ParseUint: parsing "{text}": {why}')


def not_a_float(text: str) -> CommandError:
    """MASSINSERT with a box of something else, in the words of the same library."""
    return CommandError(f'strconv.ParseFloat: parsing "{text}": invalid syntax')


def client_syntax() -> CommandError:
    """CLIENT with a subcommand that doesn't exist."""
    return CommandError("Syntax error, try CLIENT (LIST | KILL | GETNAME | SETNAME)")


def client_name() -> CommandError:
    """CLIENT SETNAME with bytes outside `!` to `~`."""
    return CommandError("Client names cannot contain spaces, newlines or special characters.")


def client_option(option: bytes) -> CommandError:
    """CLIENT SETINFO of something else, in Redis's words."""
    return CommandError(f"Unrecognized option '{shown(option)}'")


def client_library(option: str) -> CommandError:
    """CLIENT SETINFO with bytes outside `!` to `~`, in Redis's words."""
    return CommandError(f"{option} cannot contain spaces, newlines or special characters.")


def no_tracking() -> CommandError:
    """CLIENT TRACKING ON for a client that would wait for invalidations."""
    return CommandError("client-side caching isn't supported: use RESP3 with OPTIN, or no tracking")


def redis_syntax() -> CommandError:
    """Words that a command of Redis doesn't take."""
    return CommandError("syntax error")


def slowlog_syntax() -> CommandError:
    """SLOWLOG with a subcommand that doesn't exist."""
    return CommandError("Syntax error, try SLOWLOG (GET [count] | LEN | RESET)")


def no_such_client() -> CommandError:
    """CLIENT KILL that matches nobody."""
    return CommandError("No such client")


def client_type(kind: bytes) -> CommandError:
    """CLIENT KILL TYPE with a type that there isn't."""
    return CommandError(f"Unknown client type '{shown(kind)}'")


def log_disabled() -> CommandError:
    """AOF on a server that keeps no log."""
    return CommandError("aof disabled")


def log_position() -> CommandError:
    """AOF from a position behind the log's end. The typing error is Tile38's."""
    return CommandError("pos is too big, must be less that the aof_size of leader")


def log_end() -> CommandError:
    """AOFMD5 of a range that isn't all there."""
    return CommandError("EOF")


def backup_exists(name: str) -> CommandError:
    """BACKUP with a name that is taken."""
    return CommandError(f"a backup '{name}' exists")


def backup_running() -> CommandError:
    """BACKUP while another one is written."""
    return CommandError("a backup is running")


def backup_failed(reason: str) -> CommandError:
    """BACKUP that the disk didn't take, or that the server's stop ended."""
    return CommandError(f"backup failed: {reason}")


def no_follower() -> CommandError:
    """REPLCONF with an option that we don't know."""
    return CommandError("cannot find follower")


def cannot_follow(reason: str) -> CommandError:
    """FOLLOW of somebody who can't be reached, refuses or is no server of this kind."""
    return CommandError(f"cannot follow: {reason}")


def cannot_follow_self() -> CommandError:
    """FOLLOW of ourselves."""
    return CommandError("cannot follow self")


def cannot_follow_follower() -> CommandError:
    """FOLLOW of somebody who follows."""
    return CommandError("cannot follow a follower")


def not_caught_up() -> CommandError:
    """HEALTHZ of a follower that lost its leader or is behind."""
    return CommandError("not caught up")


def not_saved(reason: str) -> CommandError:
    """The configuration file couldn't be written."""
    return CommandError(f"cannot write the configuration file: {reason}")


def not_logged(reason: str) -> CommandError:
    """The log couldn't take what this client wrote; its fate is open until there is room."""
    return CommandError(f"the log cannot be written, the outcome is unknown: {reason}")


def log_refusal(reason: str) -> str:
    """What every write is told while the log takes nothing; the engine makes the error of it."""
    return f"the log cannot be written: {reason}"


def only_subscribing() -> CommandError:
    """A subscriber asked for something else."""
    return CommandError("only (P)SUBSCRIBE / (P)UNSUBSCRIBE / PING / QUIT allowed in this context")


def needs_wire(name: str, wire: str) -> CommandError:
    """A live command that sends no JSON, over HTTP, where Tile38 would be silent for ever."""
    return CommandError(f"{name} needs {wire}")


def too_many_clients() -> CommandError:
    """The bound on connections is reached."""
    return CommandError("max number of clients reached")


def shown(argument: bytes) -> str:
    """An argument as it appears in an error text; its bytes reach the client as they are."""
    return argument.decode("utf-8", "surrogateescape")


def reason_of(error: OSError) -> str:
    """An operating error in words, without the numbers and paths that Python adds."""
    return os.strerror(error.errno) if error.errno else error.strerror or str(error)


def as_os_error(error: BaseException) -> OSError:
    """An error of work with files for those who only know what the system refuses.

    Whatever it is, the work was not done, and whoever waits for it has to hear that.
    """
    return error if isinstance(error, OSError) else OSError(0, f"{type(error).__name__}: {error}")
