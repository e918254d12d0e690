"""Live connections: their subscriptions, and the receivers of each message.

Each message is framed once for each form of output, however many get it. How it reaches many
without holding up others is in fanout, what happens to those that don't take it in listener. When a
message is sent is for the router to say.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from tile38py._engine import ChannelEvent, Engine, Events, LiveSnapshot
from tile38py.config.globs import Tokens, fits, parse
from tile38py.interfaces import Client, Role
from tile38py.interfaces.history import EventHistory
from tile38py.limits import LIVE_BYTES_MAX, ROUTES_COUNT_MAX
from tile38py.subscriptions.catch_up import CatchUp, CatchUpDependencies
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
        self._history: CatchUpDependencies | None = None
        self._registry = SubscriptionRegistry(
            self._add,
            self._add_from,
            self._remove,
            self._send,
            self._forget,
            self._cut,
            self._fanout.is_empty,
            call_soon,
            lambda: self.bytes_max,
        )
        self._channels: dict[bytes, dict[Subscription, None]] = {}
        self._patterns: dict[bytes, Pattern] = {}
        self._monitors: dict[Subscription, None] = {}
        self._event_streams: dict[Subscription, None] = {}
        self._fences: dict[int, Route] = {}
        self._routes: dict[bytes, Route] = {}

    def read_from(self, history: EventHistory) -> None:
        """Send past events from these histories."""
        self._history = CatchUpDependencies(
            history, self._fanout.is_queue_sent, self._join, self._cut
        )

    def attach(self, client: Client, role: Role) -> Subscription:
        """Make a connection live, or give a live one another role."""
        subscription = self.find(client) or Subscription(self._registry, client, role)
        subscription.role = role
        if role is Role.MONITOR:
            self._monitors[subscription] = None
            self._engine.monitor(True)
        if subscription.form.heartbeat:
            self._event_streams[subscription] = None
        client.listen(subscription)
        return subscription

    def send_heartbeats(self) -> None:
        """Send a comment to each event stream that takes more, so that no proxy closes it."""
        for subscription in [*self._event_streams]:
            if not subscription.is_behind:
                self._send(subscription, subscription.form.heartbeat, is_last=False)

    def find(self, client: Client) -> Subscription | None:
        """The subscription of a connection; None if it isn't live."""
        listener = client.listener
        return listener if isinstance(listener, Subscription) else None

    def watch(self, client: Client, fence: int) -> None:
        """Make the connection live that created the live fence of this number."""
        subscription = self.attach(client, Role.FENCE)
        subscription.fences.append(fence)
        self._fences[fence] = Route.of([FenceGroup(subscription.form, None, (subscription,))])
        first = self._engine.live_start(fence)
        if first is not None:
            subscription.hold(first)

    def prepare_events(self, events: Events) -> Send | None:
        """Choose the receivers of events of channels and live fences; None if there are none."""
        fences = [
            # A fence without a message: its key has other objects now.
            (found.fence, found.body or self._engine.live_start(found.fence))
            for found in events.live
            if found.fence in self._fences
        ]
        posts: list[tuple[Route, bytes, bytes]] = []
        numbered: list[tuple[Route, ChannelEvent]] = []
        for event in events.channels:
            route = self._route(event.channel)
            if event.sequence:
                numbered.append((route, event))
            elif route.count:
                posts.append((route, event.channel, event.body))

        def send() -> None:
            for fence, body in fences:
                if fence in self._fences and body is not None:
                    self._post_to_fence(self._fences[fence], body)
            for post in posts:
                self._post_to_subscribers(*post)
            for route, event in numbered:
                self._post_numbered(route, event)

        return send if fences or posts or numbered else None

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

    def _post_to_fence(self, route: Route, body: bytes | LiveSnapshot) -> None:
        if isinstance(body, LiveSnapshot):
            for group in route.groups:
                self._fanout.put_snapshot(group, body)
        else:
            self._post(route, b"", body)

    def _post_numbered(self, route: Route, event: ChannelEvent) -> None:
        """Send an event of a channel to the subscribers at its time that are still there.

        Also to those that have caught up with the history since, and have its predecessor.
        """
        channel, number = event.channel, event.sequence
        if self._routes.get(channel) is route:
            self._post(route, channel, event.body, number)
            return
        late = [
            subscription
            for subscription in self._channels.get(channel, ())
            if subscription.expected.get(channel) == number and not route.includes(subscription)
        ]
        left = [group.only_subscribers(channel) for group in route.groups]
        self._post(Route.of([*left, *groups_of(late)]), channel, event.body, number)
        for subscription in late:
            subscription.expected[channel] = number + 1

    def _post(self, route: Route, channel: bytes, text: bytes, number: int = 0) -> None:
        if route.count:
            self.sent_count += route.count
            self._fanout.post(route, channel, text, number)

    def _add(self, subscription: Subscription, name: bytes, is_pattern: bool) -> None:
        if not is_pattern:
            subscription.channels[name] = None
            self._join(subscription, name)
            return
        subscription.patterns[name] = None
        if name not in self._patterns:
            self._patterns[name] = Pattern(parse(_text(name), has_classes=False))
        self._patterns[name].listeners[subscription] = None
        self._routes.clear()

    def _add_from(
        self, subscription: Subscription, name: bytes, position: int
    ) -> Callable[[], None]:
        """Subscribe to a channel, from a number of its history on."""
        assert self._history is not None
        self._remove(subscription, name, is_pattern=False)
        subscription.channels[name] = None
        catch_up = CatchUp(self._history, subscription, name, position)
        subscription.catch_ups[name] = catch_up
        return catch_up.start

    def _join(self, subscription: Subscription, name: bytes, expected: int = 0) -> None:
        """Let a subscriber of a channel have its messages, from an expected number on if given."""
        self._end_catch_up(subscription, name)
        if expected:
            subscription.expected[name] = expected
        self._channels.setdefault(name, {})[subscription] = None
        self._routes.pop(name, None)

    def _end_catch_up(self, subscription: Subscription, name: bytes) -> bool:
        catch_up = subscription.catch_ups.pop(name, None)
        if catch_up is not None:
            catch_up.end()
        return catch_up is not None

    def _remove(self, subscription: Subscription, name: bytes, is_pattern: bool) -> None:
        if is_pattern and name in subscription.patterns:
            del subscription.patterns[name]
            del self._patterns[name].listeners[subscription]
            if not self._patterns[name].listeners:
                del self._patterns[name]
            self._routes.clear()
        elif not is_pattern and name in subscription.channels:
            del subscription.channels[name]
            subscription.expected.pop(name, None)
            if self._end_catch_up(subscription, name):
                return
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
        self._event_streams.pop(subscription, None)
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
