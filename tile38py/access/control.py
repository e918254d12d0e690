"""The state of users and rights that commands and transports share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tile38py.access.logins import FailedLogins
from tile38py.access.refusals import Refusals
from tile38py.access.users import Users
from tile38py.interfaces import UsersFile


@dataclass(frozen=True, slots=True)
class AccessControl:
    """The users of a server, what they were refused, and failed logins."""

    users: Users
    refusals: Refusals
    failed_logins: FailedLogins
    # Begins to wait so many seconds; the result is the value.
    pause: Callable[[float, object], Awaitable[object]]
    file: UsersFile | None = None  # aclfile
