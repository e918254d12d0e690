"""Commands that exist only under --dev, for tests of the server itself."""

from tile38py.commands.registry import OK, Access, Call, Later, Reply, command

SLEEP_SECONDS_MAX = 3600.0  # a thread is taken for so long


@command("SLEEP", arity=2, access=Access.ADMIN, summary="Answer later", developers=True)
def sleep(call: Call) -> Later:
    """SLEEP seconds. Unlike Tile38's it holds up nobody else."""
    try:
        seconds = float(call.args[0])
    except ValueError:
        seconds = 0.0
    clock = call.server.clock

    def wait() -> Reply:
        if seconds > 0:
            clock.sleep(min(seconds, SLEEP_SECONDS_MAX))
        return OK

    return Later(wait)


@command("SHUTDOWN", arity=-1, access=Access.ADMIN, summary="End the process", developers=True)
def shutdown(call: Call) -> Reply:
    """SHUTDOWN. There is no reply."""
    call.server.stop(1, "shutdown requested by developer")
    call.client.kill()
    return OK
