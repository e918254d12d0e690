"""Hooks that are paused and resumed."""

from tile38py._engine import Engine

FENCE = ("NEARBY", "fleet", "FENCE", "POINT", "0", "0", "1000")
URL = "http://127.0.0.1:1/"


def sethook(name: str, url: str = URL) -> tuple[str, ...]:
    """Return a command that sets a hook."""
    return ("SETHOOK", name, url, *FENCE)


def paused(engine: Engine) -> list[str]:
    """Return the names of the paused hooks."""
    hooks = ((name, engine.hook(name)) for name in engine.hook_names())
    return [name.decode() for name, hook in hooks if hook is not None and hook.is_paused]
