"""Builds what commands need of users and their rights, and loads the users at a start."""

import asyncio
from collections.abc import Collection

from tile38py.access import errors
from tile38py.access.control import AccessControl
from tile38py.access.logins import FailedLogins
from tile38py.access.refusals import Refusals
from tile38py.access.user import encoded
from tile38py.access.users_text import UsersTextError, parse, with_default
from tile38py.config.properties import ACLFILE
from tile38py.errors import StartError, reason_of
from tile38py.persistence.users_file import DiskUsersFile
from tile38py.server.core import Core


def make_access(core: Core, loop: asyncio.AbstractEventLoop) -> AccessControl:
    """Build the users' rights as commands see them."""

    def pause(seconds: float, value: object) -> asyncio.Future[object]:
        future = loop.create_future()
        loop.call_later(seconds, _finish, future, value)
        return future

    name = core.config.get(ACLFILE)
    file = DiskUsersFile(name) if name else None
    core.config.add_check(_refuse_aclfile)
    return AccessControl(core.users, Refusals(), FailedLogins(core.clock), pause, file)


def load_users(core: Core, access: AccessControl) -> None:
    """Load the users of the file or of the configuration. Raises StartError if a line is wrong.

    Only after the server's commands are registered: rules name them.
    """
    name, lines = "the configuration file, users", core.config.identity.users
    data = encoded("\n".join(lines))
    if access.file is not None:
        if lines:
            raise StartError(errors.BOTH_USERS)
        name = access.file.name
        try:
            data = access.file.read()
        except OSError as error:
            raise StartError(f"aclfile '{name}': {reason_of(error).lower()}") from error
    try:
        users = parse(data, core.users.catalog, name)
    except UsersTextError as error:
        raise StartError(f"no start because of ACL errors: {error}") from error
    core.users.replace_all(with_default(users, core.users.default))


def _refuse_aclfile(names: Collection[str]) -> None:
    if ACLFILE.name in names:
        raise errors.immutable_setting(ACLFILE.name)


def _finish(future: asyncio.Future[object], value: object) -> None:
    if not future.done():
        future.set_result(value)
