"""A review of hooks' endpoints: those to which nothing can ever be sent."""

from collections.abc import Iterator

from tile38py.delivery.worker import in_slices
from tile38py.interfaces import Tell
from tile38py.interfaces.delivery import Couriers, HookDirectory
from tile38py.limits import HOOK_PROBLEMS_COUNT_MAX, HOOK_STEP_COUNT_MAX


class EndpointReview:
    """Finds the endpoints of hooks that can't be used."""

    def __init__(self, couriers: Couriers, hooks: HookDirectory, log: Tell) -> None:
        self._couriers = couriers
        self._hooks = hooks
        self._log = log

    def problems(self, hook: str) -> Iterator[str]:
        """URLs of a hook to which nothing can ever be sent, each with the reason."""
        record = self._hooks.find(hook)
        for url in record.endpoints if record is not None else ():
            problem = self._couriers.problem(url)
            if problem:
                yield f"{self._couriers.shown(url)}: {problem}"

    async def run(self) -> None:
        """Log the endpoints of the loaded hooks to which nothing can ever be sent."""
        found: dict[str, str] = {}
        async for part in in_slices(self._hooks.names(), HOOK_STEP_COUNT_MAX):
            for hook in part:
                for problem in self.problems(hook):
                    found.setdefault(problem, hook)
            if len(found) > HOOK_PROBLEMS_COUNT_MAX:
                break
        for problem, hook in list(found.items())[:HOOK_PROBLEMS_COUNT_MAX]:
            self._log("Hook '%s' has an endpoint that can't be used: %s", hook, problem)
        if len(found) > HOOK_PROBLEMS_COUNT_MAX:
            self._log("More hooks have such endpoints: HOOKSTATS shows them")
