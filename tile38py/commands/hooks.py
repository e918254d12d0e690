"""HOOKSTATS and HOOKINFO: the delivery of hooks. Not in Tile38, whose HOOKS is unchanged."""

from tile38py import errors
from tile38py.commands.registry import (
    Call,
    Flags,
    Group,
    Reply,
    Services,
    TaskReply,
    ThreadReply,
    command,
)
from tile38py.commands.resuming import position_in
from tile38py.config.globs import fits, parse
from tile38py.interfaces.delivery import DeadLetterReport, HookReport
from tile38py.limits import SECOND_NS

Fields = dict[str, int | bytes]


@command(
    "HOOKSTATS pattern",
    arity=2,
    summary="Show delivery statistics of hooks",
    group=Group.FENCES,
    flags=Flags.READ | Flags.NO_MULTI,
)
def hookstats(call: Call) -> ThreadReply:
    """Run HOOKSTATS pattern: reply with the matching hooks and their counters, sorted by name."""
    names = call.client.session.hook_names()
    pattern = call.args[0].decode("utf-8", "surrogateescape")
    # A pattern over 70,000 names takes a while: a thread keeps that off the event loop.
    return ThreadReply(lambda: _found(call.server, names, pattern))


def _found(server: Services, names: list[bytes], pattern: str) -> Reply:
    tokens = parse(pattern)
    rows: list[tuple[bytes, Fields]] = []
    for name in names:
        text = name.decode("utf-8", "surrogateescape")
        if fits(tokens, text):
            rows.append((name, fields_of(server.outbox.report(text))))
    return _table(rows)


@command(
    "HOOKINFO name",
    arity=2,
    summary="Show the settings of a hook and the state of its delivery",
    group=Group.FENCES,
    flags=Flags.READ,
)
def hookinfo(call: Call) -> Reply:
    """Run HOOKINFO name: reply with a map."""
    name = call.args[0]
    hook = call.client.session.hook(name)
    if hook is None:
        raise errors.no_such_hook()
    report = call.server.outbox.report(name.decode("utf-8", "surrogateescape"))
    info: dict[str, object] = {
        "name": name,
        "key": hook.key,
        "ttl": hook.ttl(call.server.clock.now_ns()),
        "endpoints": list(hook.endpoints),
        "options": list(hook.shown_options),
        "paused": hook.is_paused,
        **fields_of(report),
        "retry_in": report.retry_seconds,
    }
    return Reply(info, (("hook", info),))


@command(
    "DEADLETTERS pattern",
    arity=2,
    summary="Show the dead letters of hooks",
    group=Group.FENCES,
    flags=Flags.READ | Flags.NO_MULTI,
)
def deadletters(call: Call) -> ThreadReply:
    """Run DEADLETTERS pattern: reply with the matching hooks that have DEADLETTER."""
    names = call.client.session.hook_names()
    pattern = parse(call.args[0].decode("utf-8", "surrogateescape"))

    def find() -> Reply:
        rows: list[tuple[bytes, Fields]] = []
        for name in names:
            text = name.decode("utf-8", "surrogateescape")
            found = call.server.outbox.report(text).dead_letter if fits(pattern, text) else None
            if found is not None:
                rows.append((name, dead_fields_of(found)))
        return _table(rows)

    return ThreadReply(find)


@command(
    "REPLAYHOOK name FROM number",
    arity=4,
    summary="Send past events of a hook once more",
    group=Group.FENCES,
    flags=Flags.WRITE,
)
def replayhook(call: Call) -> TaskReply:
    """Run REPLAYHOOK name FROM number: reply with the number of events."""
    name, word, number = call.args
    if word.upper() != b"FROM":
        raise errors.invalid_argument(word)
    if call.client.session.hook(name) is None:
        raise errors.no_such_hook()
    text = name.decode("utf-8", "surrogateescape")
    span = call.server.history.span(text)
    if span is None:
        raise errors.no_history_of_hook(name)
    position = position_in(span, name, number)
    count = span.last + 1 - position

    def settle(error: OSError | None) -> Reply | errors.CommandError:
        if error is not None:
            return errors.not_stored(str(error.strerror))
        return Reply(count, (("events", count),))

    return TaskReply(lambda: call.server.outbox.replay(text, position, settle))


def dead_fields_of(report: DeadLetterReport) -> Fields:
    """Return the fields of a hook's dead letters in a reply."""
    return {
        "url": report.url.encode("utf-8", "surrogateescape"),
        "count": report.count,
        "waiting": report.waiting,
        "last_error": report.last_error.encode("utf-8", "surrogateescape"),
    }


def _table(rows: list[tuple[bytes, Fields]]) -> Reply:
    flat = [[name, [item for pair in fields.items() for item in pair]] for name, fields in rows]
    return Reply(flat, (("hooks", [{"name": name, **fields} for name, fields in rows]),))


def fields_of(report: HookReport) -> Fields:
    """Return the fields of a hook in a reply; times are seconds since 1970, 0 = never."""
    counters = report.counters
    fields: Fields = {
        "sent": counters.sent,
        "failed": counters.failed,
        "retried": counters.retried,
        "expired": counters.expired,
        "dropped": counters.dropped,
        "waiting": report.waiting,
        "waiting_since": report.oldest_ns // SECOND_NS,
        "last_error": counters.last_error.encode("utf-8", "surrogateescape"),
        "last_error_at": counters.last_error_ns // SECOND_NS,
        "endpoint_error": report.endpoint_error.encode("utf-8", "surrogateescape"),
    }
    if report.dead_letter is not None:
        fields["dead_letters"] = report.dead_letter.count
    if report.history is not None:
        fields["history_first"] = report.history.first
        fields["history_last"] = report.history.last
    if report.sequence is not None:
        fields["sequence"] = report.sequence
        fields["sequence_delivered"] = report.sequence_delivered
    return fields
