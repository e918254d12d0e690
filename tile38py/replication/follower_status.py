"""How far a follower is with its leader, and whether its data counts as caught up.

A leader that rewrites its log closes all streams. Its followers reconnect at once and count as
caught up meanwhile; health checks would flap with every AOFSHRINK otherwise.
"""

from dataclasses import dataclass

from tile38py.limits import FOLLOW_RESUME_SECONDS_MAX, SECOND_NS


@dataclass(slots=True)
class FollowerStatus:
    """The progress of a follower over all sessions with its leader."""

    has_session_caught_up: bool = False  # the session received all that the leader had at its start
    is_resuming: bool = False  # the last session ended cleanly and the next one hasn't failed
    offset: int = 0
    proven: int = 0  # bytes of our log that were compared with the leader's and are equal
    left_ns: int | None = None  # monotonic time since which it is no longer caught up

    def is_caught_up(self, now_ns: int) -> bool:
        """Whether the data counts as having everything that the leader has."""
        if self.has_session_caught_up or self.left_ns is None:
            return self.has_session_caught_up
        return self.is_resuming and now_ns - self.left_ns < FOLLOW_RESUME_SECONDS_MAX * SECOND_NS

    def stale_seconds(self, now_ns: int) -> int:
        """Seconds since the data was last caught up; 0 while it is, -1 if it never was."""
        if self.is_caught_up(now_ns):
            return 0
        return -1 if self.left_ns is None else (now_ns - self.left_ns) // SECOND_NS

    def catch_up(self) -> None:
        """Note that the session received all that the leader had at its start."""
        self.has_session_caught_up, self.is_resuming, self.left_ns = True, False, None

    def end_session(self, now_ns: int, *, resumes: bool = False) -> None:
        """Note the end of a session, and whether the next one resumes it at once."""
        if self.has_session_caught_up:
            self.has_session_caught_up, self.left_ns = False, now_ns
        self.is_resuming = resumes
        if not resumes:
            self.offset = 0
