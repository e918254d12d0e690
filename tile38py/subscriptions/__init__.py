"""Live connections: who listens to what, and which of them a message is for.

A message leaves only when the log has the writes that caused it, and each is framed once for each
form of output, whoever listens. How it reaches many without holding up others is in fanout, what
happens to those that don't take it in listener. Decides nothing about commands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tile38py._engine import Engine
from tile38py.config.globs import Tokens, fits, parse
from tile38py.interfaces import Client, FenceEvent, HookChange, HookEvents, Journal, Role
from tile38py.limits import ROUTES_COUNT_MAX
from tile38py.subscriptions.fanout import Fanout, FenceLeg, Route, legs_of
from tile38py.subscriptions.listener import Hub, Subscription

Deliver = Callable[[], None]
Forward = Callable[[bytes, bytes], None]


@dataclass(frozen=True, slots=True)
class Held:
    """Messages that wait until the log has the writes that caused them."""

    deliver: Deliver
    postpone: Callable[[Deliver], None]

    def release(self, replies: bytes, is_last: bool) -> None:
        """The log is written."""
        del replies, is_last
        self.deliver()

    def refuse(self, replies: bytes, reason: str) -> None:
        """It couldn't be: it will be, before anything else is."""
        del replies, reason
        self.postpone(self.deliver)


@dataclass(slots=True)
class Pattern:
    """A pattern that somebody subscribed."""

    tokens: Tokens | None
    listeners: dict[Subscription, None] = field(default_factory=dict)


class Subscriptions:
    """All live connections of a server."""

    def __init__(
        self,
        engine: Engine,
        *,
        journal: Journal,
        call_soon: Callable[[Callable[[], None]], object],
        log: Callable[[str], None],
        hooks: HookEvents | None = None,
    ) -> None:
        self.cut_count = 0  # listeners that were too slow
        self.sent_count = 0  # messages, each as often as somebody gets it
        self._engine = engine
        self._journal = journal
        self._log = log
        self._hooks = hooks
        self._forward: Forward | None = None
        self._fanout = Fanout(call_soon)
        self._hub = Hub(self._add, self._remove, self._send, self._forget, self._cut)
        self._channels: dict[bytes, dict[Subscription, None]] = {}
        self._patterns: dict[bytes, Pattern] = {}
        self._monitors: dict[Subscription, None] = {}
        self._fences: dict[int, Route] = {}
        self._routes: dict[bytes, Route] = {}
        self._postponed: list[Deliver] = []

    def forward_to(self, forward: Forward) -> None:
        """Have the messages of channels passed on, too: followers have subscribers of their own."""
        self._forward = forward

    def attach(self, client: Client, role: Role) -> Subscription:
        """Make a connection live."""
        subscription = Subscription(self._hub, client, role)
        if role is Role.MONITOR:
            self._monitors[subscription] = None
            self._engine.monitor(True)
        client.listen(subscription)
        return subscription

    def watch(self, client: Client, fence: int) -> None:
        """Make a connection live that made a fence of this number."""
        subscription = self.attach(client, Role.FENCE)
        subscription.fence = fence
        self._fences[fence] = Route.of([FenceLeg(subscription.form, None, (subscription,))])

    def hand_on(self, events: Sequence[FenceEvent], changes: Sequence[HookChange] = ()) -> None:
        """Send what fences found, as soon as the log has the writes that caused it."""
        posts: list[tuple[Route, bytes, bytes]] = []
        for kind, target, message in events:
            if isinstance(target, int):
                fence = self._fences.get(target)
                if fence is not None:
                    posts.append((fence, b"", message))
            elif kind == "channel":
                self._pass_on(target, message)
                route = self._route(target)
                if route.count:
                    posts.append((route, target, message))

        def deliver() -> None:
            for route, channel, message in posts:
                self._post(route, channel, message)
            if self._hooks is not None:
                tell_hooks(self._hooks, events, changes)

        self._when_logged(deliver, wrote=True)

    def publish(self, channel: bytes, text: bytes) -> int:
        """Send a message to all who listen to the channel; how many times it will arrive."""
        self._pass_on(channel, text)
        route = self._route(channel)
        if route.count:
            self._when_logged(lambda: self._post(route, channel, text), wrote=False)
        return route.count

    def show(self, address: str, commands: Sequence[bytes], now_ns: int) -> None:
        """Send commands that ran to all monitors."""
        seconds, microseconds = divmod(now_ns // 1000, 1_000_000)
        head = b"+%d.%06d [0 %b] " % (seconds, microseconds, address.encode())
        legs = legs_of(self._monitors)

        def deliver() -> None:
            for leg in legs:
                self._fanout.put(leg, b"".join(leg.form.line(head + shown) for shown in commands))

        self._when_logged(deliver, wrote=False)

    def _post(self, route: Route, channel: bytes, text: bytes) -> None:
        self.sent_count += route.count
        self._fanout.post(route, channel, text)

    def recovered(self) -> None:
        """The log has taken what it couldn't before."""
        postponed, self._postponed = self._postponed, []
        for deliver in postponed:
            deliver()

    def _pass_on(self, channel: bytes, text: bytes) -> None:
        if self._forward is not None:
            self._forward(channel, text)

    def _when_logged(self, deliver: Deliver, *, wrote: bool) -> None:
        if self._journal.is_dirty:
            self._journal.wait(Held(deliver, self._postponed.append), wrote=wrote)
        else:
            deliver()

    def _add(self, subscription: Subscription, name: bytes, is_pattern: bool) -> None:
        if not is_pattern:
            subscription.channels.add(name)
            self._channels.setdefault(name, {})[subscription] = None
            self._routes.pop(name, None)
            return
        subscription.patterns.add(name)
        if name not in self._patterns:
            self._patterns[name] = Pattern(parse(_text(name), has_classes=False))
        self._patterns[name].listeners[subscription] = None
        self._routes.clear()

    def _remove(self, subscription: Subscription, name: bytes, is_pattern: bool) -> None:
        if is_pattern and name in subscription.patterns:
            subscription.patterns.remove(name)
            del self._patterns[name].listeners[subscription]
            if not self._patterns[name].listeners:
                del self._patterns[name]
            self._routes.clear()
        elif not is_pattern and name in subscription.channels:
            subscription.channels.remove(name)
            del self._channels[name][subscription]
            if not self._channels[name]:
                del self._channels[name]
            self._routes.pop(name, None)

    def _send(self, subscription: Subscription, data: bytes, is_last: bool) -> None:
        self._fanout.send(subscription, data, is_last=is_last)

    def _forget(self, subscription: Subscription) -> None:
        for name in list(subscription.channels):
            self._remove(subscription, name, is_pattern=False)
        for name in list(subscription.patterns):
            self._remove(subscription, name, is_pattern=True)
        if subscription in self._monitors:
            del self._monitors[subscription]
            self._engine.monitor(bool(self._monitors))
        if subscription.fence is not None:
            del self._fences[subscription.fence]
            self._engine.remove_live(subscription.fence)

    def _cut(self, subscription: Subscription) -> None:
        self.cut_count += 1
        self._log(f"{subscription.client.address} takes no messages, connection cut")
        subscription.client.kill()

    def _route(self, channel: bytes) -> Route:
        route = self._routes.get(channel)
        if route is None:
            if len(self._routes) >= ROUTES_COUNT_MAX:
                self._routes.clear()
            route = self._routes[channel] = self._found(channel)
        return route

    def _found(self, channel: bytes) -> Route:
        legs = legs_of(self._channels.get(channel, ()))
        name = _text(channel)
        for text, pattern in self._patterns.items():
            if fits(pattern.tokens, name):
                legs += legs_of(pattern.listeners, text)
        return Route.of(legs)


def tell_hooks(
    hooks: HookEvents, events: Sequence[FenceEvent], changes: Sequence[HookChange]
) -> None:
    """Tell of messages and changes in the order in which they came."""
    start = 0
    for _, name, position in (*changes, ("", b"", len(events))):
        messages = [
            (_text(target), message)
            for kind, target, message in events[start:position]
            if kind == "hook" and isinstance(target, bytes)
        ]
        if messages:
            hooks.enqueue(messages)
        if name:
            hooks.hooks_changed([_text(name)])
        start = position


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
