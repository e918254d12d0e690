"""Live connections: their subscriptions, and the receivers of each message.

Each message is framed once for each form of output, however many get it. How it reaches many
without holding up others is in fanout, what happens to those that don't take it in listener. When a
message is sent is for the router to say.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from tile38py._engine import Engine, Events
from tile38py.config.globs import Tokens, fits, parse
from tile38py.interfaces import Client, Role
from tile38py.limits import LIVE_BYTES_MAX, ROUTES_COUNT_MAX
from tile38py.subscriptions.fanout import Fanout, FenceGroup, Route, groups_of
from tile38py.subscriptions.listener import Subscription, SubscriptionRegistry

Send = Callable[[], None]


@dataclass(slots=True)
class Pattern:
    """A subscribed pattern."""

    tokens: Tokens | None
    listeners: dict[Subscription, None] = field(default_factory=dict)


class Subscriptions:
    """All live connections of a server."""

    def __init__(
        self,
        engine: Engine,
        *,
        call_soon: Callable[[Callable[[], None]], object],
        log: Callable[[str], None],
    ) -> None:
        self.cut_count = 0  # listeners that were too slow
        self.bytes_max = LIVE_BYTES_MAX  # queued messages and write buffer of a connection
        self.sent_count = 0  # messages, each as often as somebody gets it
        self._engine = engine
        self._log = log
        self._fanout = Fanout(call_soon)
        self._registry = SubscriptionRegistry(
            self._add,
            self._remove,
            self._send,
            self._forget,
            self._cut,
            self._fanout.is_empty,
            lambda: self.bytes_max,
        )
        self._channels: dict[bytes, dict[Subscription, None]] = {}
        self._patterns: dict[bytes, Pattern] = {}
        self._monitors: dict[Subscription, None] = {}
        self._fences: dict[int, Route] = {}
        self._routes: dict[bytes, Route] = {}

    def attach(self, client: Client, role: Role) -> Subscription:
        """Make a connection live, or give a live one another role."""
        subscription = self.find(client) or Subscription(self._registry, client, role)
        subscription.role = role
        if role is Role.MONITOR:
            self._monitors[subscription] = None
            self._engine.monitor(True)
        client.listen(subscription)
        return subscription

    def find(self, client: Client) -> Subscription | None:
        """The subscription of a connection; None if it isn't live."""
        listener = client.listener
        return listener if isinstance(listener, Subscription) else None

    def watch(self, client: Client, fence: int) -> None:
        """Make the connection live that created the live fence of this number."""
        subscription = self.attach(client, Role.FENCE)
        subscription.fences.append(fence)
        self._fences[fence] = Route.of([FenceGroup(subscription.form, None, (subscription,))])

    def prepare_events(self, events: Events) -> Send | None:
        """Choose the receivers of events of channels and live fences; None if there are none."""
        fences = [(found.fence, found.body) for found in events.live if found.fence in self._fences]
        posts: list[tuple[Route, bytes, bytes]] = []
        for event in events.channels:
            route = self._route(event.channel)
            if route.count:
                posts.append((route, event.channel, event.body))

        def send() -> None:
            for fence, body in fences:
                if fence in self._fences:
                    self._post(self._fences[fence], b"", body)
            for post in posts:
                self._post_to_subscribers(*post)

        return send if fences or posts else None

    def prepare_message(self, channel: bytes, text: bytes) -> tuple[int, Send]:
        """Choose the subscribers of a channel; return their messages' number and how to send."""
        route = self._route(channel)
        return route.count, partial(self._post_to_subscribers, route, channel, text)

    def prepare_lines(self, lines: Sequence[bytes]) -> Send:
        """Choose the monitors for these lines; return the function to send."""
        groups = groups_of(self._monitors)

        def send() -> None:
            for group in groups:
                left = group.only(lambda listener: listener in self._monitors)
                self._fanout.put(left, b"".join(map(group.form.line, lines)))

        return send

    def _post_to_subscribers(self, route: Route, channel: bytes, text: bytes) -> None:
        """Send a message, except to those that have unsubscribed since it was prepared.

        As in Redis, nothing comes behind the reply to UNSUBSCRIBE: clients take it for a reply.
        """
        if self._routes.get(channel) is not route:
            route = Route.of([group.only_subscribers(channel) for group in route.groups])
        self._post(route, channel, text)

    def _post(self, route: Route, channel: bytes, text: bytes) -> None:
        self.sent_count += route.count
        self._fanout.post(route, channel, text)

    def _add(self, subscription: Subscription, name: bytes, is_pattern: bool) -> None:
        if not is_pattern:
            subscription.channels[name] = None
            self._channels.setdefault(name, {})[subscription] = None
            self._routes.pop(name, None)
            return
        subscription.patterns[name] = None
        if name not in self._patterns:
            self._patterns[name] = Pattern(parse(_text(name), has_classes=False))
        self._patterns[name].listeners[subscription] = None
        self._routes.clear()

    def _remove(self, subscription: Subscription, name: bytes, is_pattern: bool) -> None:
        if is_pattern and name in subscription.patterns:
            del subscription.patterns[name]
            del self._patterns[name].listeners[subscription]
            if not self._patterns[name].listeners:
                del self._patterns[name]
            self._routes.clear()
        elif not is_pattern and name in subscription.channels:
            del subscription.channels[name]
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
        for fence in subscription.fences:
            del self._fences[fence]
            self._engine.remove_live(fence)
        subscription.fences.clear()

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
        groups = groups_of(self._channels.get(channel, ()))
        name = _text(channel)
        for text, pattern in self._patterns.items():
            if fits(pattern.tokens, name):
                groups += groups_of(pattern.listeners, text)
        return Route.of(groups)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
