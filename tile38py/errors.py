"""Error replies, one constructor each, and the errors that end the process.

The texts match Tile38's, since clients compare them. The engine adds the framing: `-ERR`, JSON.
"""

import os


class CommandError(Exception):
    """A command failed; the text is that of the error reply, without `ERR`."""


class WrongArityError(CommandError):
    """The number of arguments is wrong. The texts in RESP and in JSON differ."""


class StartError(Exception):
    """The server can't start or continue; the text is logged and the process ends."""


def wrong_arity() -> CommandError:
    """A command has too few or too many arguments."""
    return WrongArityError("invalid number of arguments")


def invalid_argument(argument: bytes) -> CommandError:
    """An argument has the wrong type or value."""
    return CommandError(f"invalid argument '{shown(argument)}'")


def unknown_command(name: str) -> CommandError:
    """A command doesn't exist."""
    return CommandError(f"unknown command '{name}'")


def unknown_subcommand(name: str, word: bytes) -> CommandError:
    """A subcommand doesn't exist. The text is Redis's."""
    return CommandError(f"unknown subcommand '{shown(word)}'. Try HELP {name}.")


def invalid_command() -> CommandError:
    """COMMAND GETKEYS names a command that doesn't exist. The text is Redis's."""
    return CommandError("Invalid command specified")


def command_arity() -> CommandError:
    """COMMAND GETKEYS got too few or too many arguments of a command. The text is Redis's."""
    return CommandError("Invalid number of arguments specified for command")


def no_keys() -> CommandError:
    """COMMAND GETKEYS names a command without keys. The text is Redis's."""
    return CommandError("The command has no key arguments")


def invalid_password() -> CommandError:
    """AUTH got a wrong password, or no password is required."""
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


def invalid_line() -> CommandError:
    """A line of a batch over HTTP isn't a command."""
    return CommandError("invalid line: a command is a JSON array of its words")


def live_in_batch() -> CommandError:
    """A batch over HTTP has a command that sends messages without an end."""
    return CommandError("SUBSCRIBE, MONITOR and FENCE are not allowed in a batch")


def connection_in_batch() -> CommandError:
    """A batch over HTTP has a command that changes or closes the connection."""
    return CommandError("a command that changes or closes the connection ends a batch")


def not_an_integer(name: str) -> CommandError:
    """An argument isn't an integer of 64 bits, in Redis's words."""
    return CommandError(f"{name} is not an integer or out of range")


def negative_timeout() -> CommandError:
    """A timeout below 0, in Redis's words."""
    return CommandError("timeout is negative")


def wait_on_follower() -> CommandError:
    """WAIT on a server that has no followers since it is one, in Redis's words."""
    return CommandError(
        "ERR WAIT cannot be used with replica instances. Please also note that writes to replicas "
        "are just local and are not propagated."
    )


def database_range() -> CommandError:
    """SELECT of a database other than 0, in Redis's words."""
    return CommandError("ERR DB index is out of range")


def unsupported_property(name: str) -> CommandError:
    """CONFIG SET names an unknown property."""
    return CommandError(f"Unsupported CONFIG parameter: {name}")


def invalid_property(name: str, text: str) -> CommandError:
    """CONFIG SET got an invalid value for a property."""
    return CommandError(f"Invalid argument '{text}' for CONFIG SET '{name}'")


def property_refused(reason: str) -> CommandError:
    """CONFIG SET got valid values that can't take effect, such as a certificate without its key."""
    return CommandError(f"ERR CONFIG SET failed - {reason}")


def not_unsigned(text: str, *, is_too_large: bool) -> CommandError:
    """CONFIG SET autogc got an invalid number. The text is that of Go's parser, as in Tile38."""
    why = "value out of range" if is_too_large else "invalid syntax"
    return CommandError(f'strconv.ParseUint: parsing "{text}": {why}')


def not_a_float(text: str) -> CommandError:
    """MASSINSERT got an invalid coordinate. The text is that of Go's parser, as in Tile38."""
    return CommandError(f'strconv.ParseFloat: parsing "{text}": invalid syntax')


def client_syntax() -> CommandError:
    """A subcommand of CLIENT doesn't exist."""
    return CommandError("Syntax error, try CLIENT (LIST | KILL | GETNAME | SETNAME)")


def client_name() -> CommandError:
    """CLIENT SETNAME got bytes outside `!` to `~`."""
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
    """A subcommand of SLOWLOG doesn't exist."""
    return CommandError("Syntax error, try SLOWLOG (GET [count] | LEN | RESET)")


def no_such_hook() -> CommandError:
    """Return the error for the name of a hook that doesn't exist."""
    return CommandError("hook not found")


def no_history(channel: bytes) -> CommandError:
    """Return the error for a number in the history of a channel that has none."""
    return CommandError(f"channel '{shown(channel)}' has no history")


def no_history_of_hook(hook: bytes) -> CommandError:
    """Return the error for a number in the history of a hook that has none."""
    return CommandError(f"hook '{shown(hook)}' has no history")


def not_stored(reason: str) -> CommandError:
    """Return the error for a change that could not be stored, so that a kill may undo it."""
    return CommandError(f"not stored: {reason}")


def outside_history(channel: bytes, first: int, last: int) -> CommandError:
    """Return the error for a number that a channel's history doesn't have."""
    what = f"has events {first} to {last}" if first <= last else f"is empty up to {last}"
    return CommandError(f"history of '{shown(channel)}' {what}")


def no_such_client() -> CommandError:
    """CLIENT KILL matches no client."""
    return CommandError("No such client")


def client_type(kind: bytes) -> CommandError:
    """CLIENT KILL names an unknown type."""
    return CommandError(f"Unknown client type '{shown(kind)}'")


def log_disabled() -> CommandError:
    """AOF was sent to a server without a log."""
    return CommandError("aof disabled")


def log_position() -> CommandError:
    """AOF got a position behind the end of the log. The typing error is Tile38's."""
    return CommandError("pos is too big, must be less that the aof_size of leader")


def log_end() -> CommandError:
    """AOFMD5 got a range that ends behind the log."""
    return CommandError("EOF")


def backup_exists(name: str) -> CommandError:
    """BACKUP got the name of a backup that exists."""
    return CommandError(f"a backup '{name}' exists")


def backup_running() -> CommandError:
    """BACKUP was sent while another one runs."""
    return CommandError("a backup is running")


def backup_failed(reason: str) -> CommandError:
    """BACKUP failed: the disk refused it, or the server stops."""
    return CommandError(f"backup failed: {reason}")


def no_follower() -> CommandError:
    """REPLCONF got an unknown option."""
    return CommandError("cannot find follower")


def cannot_follow(reason: str) -> CommandError:
    """FOLLOW names a server that can't be reached, refuses or isn't a Tile38 server."""
    return CommandError(f"cannot follow: {reason}")


def cannot_follow_self() -> CommandError:
    """FOLLOW names the server itself."""
    return CommandError("cannot follow self")


def cannot_follow_follower() -> CommandError:
    """FOLLOW names a follower."""
    return CommandError("cannot follow a follower")


def not_caught_up() -> CommandError:
    """HEALTHZ was sent to a follower that lost its leader or is behind."""
    return CommandError("not caught up")


def not_saved(reason: str) -> CommandError:
    """The configuration file couldn't be written."""
    return CommandError(f"cannot write the configuration file: {reason}")


def not_logged(reason: str) -> CommandError:
    """The log couldn't be written, so the outcome of a client's write is unknown for now."""
    return CommandError(f"the log cannot be written, the outcome is unknown: {reason}")


def log_refusal(reason: str) -> str:
    """Return the error text for writes while the log cannot be written. The engine replies it."""
    return f"the log cannot be written: {reason}"


def only_subscribing() -> CommandError:
    """A subscriber sent a command that subscribers may not send."""
    return CommandError("only (P)SUBSCRIBE / (P)UNSUBSCRIBE / PING / QUIT allowed in this context")


def needs_wire(name: str, wire: str) -> CommandError:
    """A command whose stream isn't JSON was sent over HTTP. Tile38 never replies to it."""
    return CommandError(f"{name} needs {wire}")


def too_many_clients() -> CommandError:
    """The maximum number of connections is open."""
    return CommandError("max number of clients reached")


def request_timed_out() -> CommandError:
    """A request took longer to arrive than request-timeout allows."""
    return CommandError("request timed out before it was complete")


def shown(argument: bytes) -> str:
    """Decode an argument for an error text, so that the reply has the same bytes."""
    return argument.decode("utf-8", "surrogateescape")


def reason_of(error: OSError) -> str:
    """Return the text of an operating error, without the numbers and paths that Python adds."""
    return os.strerror(error.errno) if error.errno else error.strerror or str(error)


def as_os_error(error: BaseException) -> OSError:
    """Return an OSError for any error of work with files, for callers that handle only OSError.

    The work was not done, so its callback has to be called whatever the error is.
    """
    return error if isinstance(error, OSError) else OSError(0, f"{type(error).__name__}: {error}")
