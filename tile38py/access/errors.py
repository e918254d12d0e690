"""Errors of ACL, one constructor each. Clients know the texts, which are those of Redis 7.0."""

from tile38py.errors import CommandError, shown
from tile38py.errors import not_an_integer as not_an_integer

BOTH_USERS = (
    "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path "
    "is invalid. This setup is very likely to lead to configuration errors and security holes, "
    "please define either an ACL file or declare users directly in your redis.conf, but not both."
)


def subcommand_arity(command: str, subcommand: bytes = b"") -> CommandError:
    """A subcommand has too few or too many arguments. The text is Redis's."""
    name = f"{command}|{shown(subcommand).lower()}" if subcommand else command
    return CommandError(f"wrong number of arguments for '{name}' command")


def unknown_acl_subcommand(word: bytes) -> CommandError:
    """ACL has no such subcommand. The text is Redis's."""
    return CommandError(f"unknown subcommand '{shown(word)}'. Try ACL HELP.")


def acl_syntax(word: bytes) -> CommandError:
    """A subcommand of ACL has too many arguments. The text is Redis's."""
    return CommandError(
        f"unknown subcommand or wrong number of arguments for '{shown(word)}'. Try ACL HELP."
    )


def acl_rule(text: str) -> CommandError:
    """A rule of ACL SETUSER or a file of users is wrong. The text is Redis's."""
    return CommandError(text)


def user_name() -> CommandError:
    """ACL SETUSER got a name with blanks. The text is Redis's."""
    return CommandError("Usernames can't contain spaces or null characters")


def too_many_users() -> CommandError:
    """ACL SETUSER would make more users than the server keeps."""
    return CommandError("too many users")


def default_user() -> CommandError:
    """ACL DELUSER of the default user. The text is Redis's."""
    return CommandError("The 'default' user cannot be removed")


def unknown_category(name: bytes) -> CommandError:
    """ACL CAT names a category that doesn't exist. The text is Redis's."""
    return CommandError(f"Unknown category '{shown(name)}'")


def password_bits() -> CommandError:
    """ACL GENPASS got a number of bits out of range. The text is Redis's."""
    return CommandError(
        "ERR ACL GENPASS argument must be the number of bits for the output password, a positive "
        "number up to 4096"
    )


def no_such_user(name: bytes) -> CommandError:
    """ACL DRYRUN names a user that doesn't exist. The text is Redis's."""
    return CommandError(f"User '{shown(name)}' not found")


def no_such_command(name: bytes) -> CommandError:
    """ACL DRYRUN names a command that doesn't exist. The text is Redis's."""
    return CommandError(f"Command '{shown(name)}' not found")


def dry_run_refusal(reason: str, name: bytes) -> str:
    """Return the reply of ACL DRYRUN for a user that lacks a right. The text is Redis's."""
    verb = {"key": "access", "channel": "access"}.get(reason, "run")
    return f"This user has no permissions to {verb} the '{shown(name)}' {reason}"


def no_users_file() -> CommandError:
    """ACL LOAD or SAVE without `aclfile`. The text is Redis's."""
    return CommandError(
        "This Redis instance is not configured to use an ACL file. You may want to specify users "
        "via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
        "configuration file set) in order to store users in the Redis configuration."
    )


def users_not_saved() -> CommandError:
    """ACL SAVE failed: the disk refused it. The text is Redis's."""
    return CommandError(
        "There was an error trying to save the ACLs. Please check the server logs for more "
        "information"
    )


def users_not_read(name: str, reason: str) -> CommandError:
    """ACL LOAD couldn't read the file. The text is Redis's."""
    return CommandError(f"Error loading ACLs, opening file '{name}': {reason}")


def immutable_setting(name: str) -> CommandError:
    """CONFIG SET of a setting that holds from the start on. The text is Redis's."""
    return CommandError(
        f"CONFIG SET failed (possibly related to argument '{name}') - can't set immutable config"
    )
