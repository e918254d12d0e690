"""Transactions and scripts survive a kill, and followers have what they wrote."""

from pathlib import Path

from tests.support.pair import leader_and_follower, wait_until_equal
from tests.support.process import ServerProcess

SCRIPT = (
    "for n = 1, 3 do tile38.call('set', KEYS[1], ARGV[1] .. n, 'point', n, n) end "
    "tile38.call('fset', KEYS[1], ARGV[1] .. '2', 'speed', 55) "
    "return tile38.call('del', KEYS[1], ARGV[1] .. '3')"
)


def write(server: ServerProcess) -> None:
    """Write by a script, by a transaction, and by a script within a transaction."""
    with server.connect() as connection:
        assert connection.call("EVAL", SCRIPT, 1, "fleet", "script") == ":1"
        commands = [
            ("MULTI",),
            ("SET", "fleet", "single", "POINT", 1, 1),
            ("EVAL", SCRIPT, 1, "fleet", "both"),
            ("EVALNA", SCRIPT, 1, "fleet", "loose"),
            ("EXEC",),
        ]
        replies = [connection.call(*words) for words in commands]
        assert replies[-1] == ["+OK", ":1", ":1"]


IDS = ["$ both1", "$ both2", "$ loose1", "$ loose2", "$ script1", "$ script2", "$ single"]


def test_what_they_wrote_survives_a_kill(server: ServerProcess) -> None:
    write(server)
    server.kill()
    server.start()
    assert server.call("SCAN", "fleet", "IDS") == [":0", IDS]
    assert server.call("FGET", "fleet", "both2", "speed") == "$ 55"


def test_what_they_wrote_is_on_followers_and_in_rewritten_logs(tmp_path: Path) -> None:
    with leader_and_follower(tmp_path) as (leader, follower):
        write(leader)
        wait_until_equal(leader, follower)
        assert follower.call("SCAN", "fleet", "IDS") == [":0", IDS]
        leader.call("AOFSHRINK")
        write(leader)
        wait_until_equal(leader, follower)
        follower.kill()
        follower.start()
        wait_until_equal(leader, follower)
