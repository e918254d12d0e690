"""Who leads at present, when whom we follow has become a follower. Asks; changes nothing."""

from tile38py.following import Target
from tile38py.limits import FOLLOW_CHAIN_COUNT_MAX, LINK_PROBE_SECONDS_MAX
from tile38py.replication.edges import Dial
from tile38py.replication.handshake import IneligibleError, Us, probe
from tile38py.replication.link import LinkError


async def head_of_chain(dial: Dial, us: Us, teller: Target, leader: Target | None) -> Target | None:
    """The head of the chain that a follower's words lead to; None if nobody there could lead us."""
    told = {teller}
    while leader is not None and leader not in told and len(told) <= FOLLOW_CHAIN_COUNT_MAX:
        if is_local(leader) and not is_local(teller):
            return None  # the teller means its own machine, which isn't what we would reach
        try:
            await probe(dial, leader, us, LINK_PROBE_SECONDS_MAX)
        except IneligibleError as error:
            told.add(leader)
            teller, leader = leader, error.leader
        except LinkError:
            return None
        else:
            return leader
    return None


def is_local(target: Target) -> bool:
    """Whether a place is on the machine of whoever names it."""
    return target.host in {"localhost", "::1"} or target.host.startswith("127.")
