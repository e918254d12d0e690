"""The waiting events of all hooks: ordered per hook, bounded, in memory and in the file.

An event reaches the file with the next flush, unless it was delivered before; reads come from
memory as long as it has room. Decides what is dropped; sends nothing.
"""

from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tile38py.delivery.backlog import Backlog
from tile38py.delivery.counters import Counters
from tile38py.delivery.store import Range, Row, Store, StoreError
from tile38py.interfaces import Clock, Message
from tile38py.limits import (
    HOOK_BATCH_COUNT_MAX,
    HOOK_EVENT_BYTES,
    HOOK_MEMORY_BYTES_MAX,
    HOOK_QUEUE_BYTES_MAX,
    HOOK_SWEEP_COUNT_MAX,
    HOOK_TTL_SECONDS,
)

Result = TypeVar("Result")


class InThread(Protocol):
    """Runs a function on the queue's one thread."""

    def __call__(self, function: Callable[[], Result], /) -> Coroutine[object, object, Result]:
        """The function's result, or what it raises."""


@dataclass(slots=True)
class Retention:
    """How long and how much the queue keeps: settings that may change while it works."""

    ttl_ns: int = HOOK_TTL_SECONDS * 10**9  # 0 = until delivered
    bytes_max: int = HOOK_QUEUE_BYTES_MAX  # 0 = no bound; the oldest events go first


class HookQueue:
    """All methods but those with `await` in their use are for the event loop and never wait."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        in_thread: InThread,
        counters: Counters,
        retention: Retention,
    ) -> None:
        self._store = store
        self._clock = clock
        self._in_thread = in_thread
        self._counters = counters
        self._retention = retention
        self.on_health: Callable[[str | None], None] = lambda _error: None
        self._backlogs: dict[str, Backlog] = {}
        self._unwritten: deque[Message] = deque()
        self._done: dict[str, int] = {}  # hook -> events up to this number leave the file
        self._is_flushing = False
        self._must_recount = False
        self.error: str | None = None  # why the file can't be written at present
        contents = store.contents()
        self.last_number = contents.last_number
        self.count = contents.count
        self.bytes = contents.size + contents.count * HOOK_EVENT_BYTES
        self.memory_bytes = 0
        for hook, last in contents.hooks.items():
            backlog = self._backlogs[hook] = Backlog()
            backlog.disk_last = backlog.written_last = last
            # How old they are is known once they are read; the sweep looks by itself.
            backlog.disk_oldest_ns = clock.now_ns()

    def hooks(self) -> list[str]:
        """Hooks for which something waits."""
        return list(self._backlogs)

    def has(self, hook: str) -> bool:
        """Whether anything waits for a hook."""
        return hook in self._backlogs

    def needs_load(self, hook: str) -> bool:
        """Whether take() would find nothing before load() was awaited."""
        backlog = self._backlogs.get(hook)
        return backlog is not None and backlog.needs_load

    def oldest_ns(self, hook: str) -> int:
        """When the oldest event of a hook was queued; 0 if none waits."""
        backlog = self._backlogs.get(hook)
        return 0 if backlog is None else backlog.oldest_ns

    @property
    def is_dirty(self) -> bool:
        """Whether the file lacks something."""
        return bool(self._unwritten or self._done or self._is_flushing)

    def append(self, hook: str, body: bytes, now_ns: int) -> None:
        """Add an event."""
        self.last_number += 1
        message = Message(hook, self.last_number, now_ns, body)
        backlog = self._backlogs.get(hook)
        if backlog is None:
            backlog = self._backlogs[hook] = Backlog()
        backlog.append(message)
        self._unwritten.append(message)
        size = len(body) + HOOK_EVENT_BYTES
        self.count += 1
        self.bytes += size
        self.memory_bytes += size
        if self.error is not None:
            self._bound_memory()

    def take(self, hook: str, count_max: int, bytes_max: int) -> list[Message]:
        """The oldest events of a hook, in order, until settle() says what became of them."""
        backlog = self._backlogs.get(hook)
        if backlog is None:
            return []
        assert backlog.taken == 0, "a hook's events are with one taker at a time"
        self._expire_head(hook, backlog)
        taken: list[Message] = []
        for message in backlog.head:
            bytes_max -= len(message.body)
            if len(taken) == count_max or (taken and bytes_max < 0):
                break
            taken.append(message)
        backlog.taken = len(taken)
        if backlog.is_empty:
            del self._backlogs[hook]
        return taken

    def settle(self, taken: Sequence[Message], count: int) -> None:
        """The first so many of a hook's taken events are delivered; the others wait again."""
        if taken[0].is_settled:
            return  # the hook was deleted meanwhile
        hook = taken[0].hook
        backlog = self._backlogs[hook]
        assert count <= backlog.taken == len(taken)
        backlog.taken = 0
        if count:
            self._pop(hook, backlog, count)
        if backlog.is_empty:
            del self._backlogs[hook]

    def drop(self, hook: str) -> int:
        """Forget all events of a hook that was deleted; how many were in memory."""
        backlog = self._backlogs.pop(hook, None)
        if backlog is None:
            return 0
        in_memory = [*backlog.head, *backlog.tail]
        for message in in_memory:
            self._forget(message)
        self._done[hook] = self.last_number
        if backlog.disk_last:
            # The file knows how many there were; the sums are put right by the next flush.
            self._must_recount = True
        return len(in_memory)

    async def load(self, hooks: Sequence[str]) -> None:
        """Read the next events of these hooks from the file, in one go."""
        wanted: list[tuple[Backlog, Range]] = []
        for hook in hooks:
            backlog = self._backlogs.get(hook)
            if backlog is not None and backlog.needs_load and not backlog.is_loading:
                backlog.is_loading = True
                span = Range(hook, backlog.cursor, backlog.disk_last, HOOK_BATCH_COUNT_MAX)
                wanted.append((backlog, span))
        if not wanted:
            return
        ranges = [span for _, span in wanted]
        try:
            found = await self._in_thread(lambda: self._store.read(ranges))
        except StoreError as error:
            self._set_health(str(error))
            return
        finally:
            for backlog, _ in wanted:
                backlog.is_loading = False
        for (backlog, span), messages in zip(wanted, found, strict=True):
            if self._backlogs.get(span.hook) is backlog:
                self._add_loaded(backlog, span, messages)

    def _add_loaded(self, backlog: Backlog, span: Range, messages: list[Message]) -> None:
        is_all = len(messages) < span.count_max
        backlog.loaded(messages, span.last, is_all=is_all)
        self.memory_bytes += sum(len(message.body) + HOOK_EVENT_BYTES for message in messages)
        if backlog.is_empty:
            del self._backlogs[span.hook]

    async def flush(self) -> None:
        """Bring the file up to date."""
        if self._is_flushing:
            return
        self._is_flushing = True
        try:
            await self._flush()
        finally:
            self._is_flushing = False

    async def _flush(self) -> None:
        messages = [message for message in self._unwritten if not message.is_settled]
        self._unwritten.clear()
        done, self._done = self._done, {}
        written: dict[str, Backlog] = {}
        for message in messages:
            backlog = self._backlogs[message.hook]
            # Told in advance: what is delivered while the write is under way is removed after it.
            backlog.written_last = message.number
            written[message.hook] = backlog
        if not messages and not done:
            return
        try:
            await self._in_thread(lambda: self._store.write(messages, done.items()))
        except StoreError as error:
            self._unwritten.extendleft(reversed(messages))
            self._done = {**done, **self._done}
            for message in messages:
                backlog_now = self._backlogs.get(message.hook)
                if backlog_now is not None:
                    backlog_now.written_last = min(backlog_now.written_last, message.number - 1)
            self._set_health(str(error))
            self._bound_memory()
            return
        self._set_health(None)
        await self._recount_if_needed()
        self._evict(written)

    async def _recount_if_needed(self) -> None:
        if not self._must_recount:
            return
        self._must_recount = False
        contents = await self._in_thread(self._store.contents)
        unwritten = [message for message in self._unwritten if not message.is_settled]
        self.count = contents.count + len(unwritten)
        self.bytes = contents.size + self.count * HOOK_EVENT_BYTES
        self.bytes += sum(len(message.body) for message in unwritten)

    def _evict(self, written: dict[str, Backlog]) -> None:
        for hook, backlog in written.items():
            if self._backlogs.get(hook) is not backlog or backlog.is_loading:
                continue
            if backlog.disk_last or self.memory_bytes > HOOK_MEMORY_BYTES_MAX:
                before = len(backlog.head) + len(backlog.tail)
                size = backlog.evict()
                gone = before - len(backlog.head) - len(backlog.tail)
                self.memory_bytes -= size + gone * HOOK_EVENT_BYTES

    async def sweep(self) -> None:
        """Drop what is too old, and the oldest while there is too much."""
        cutoff_ns = self._cutoff_ns()
        if cutoff_ns:
            for hook, backlog in list(self._backlogs.items()):
                if not backlog.taken and backlog.head and backlog.head[0].queued_ns < cutoff_ns:
                    self._expire_head(hook, backlog)
                    if backlog.is_empty:
                        del self._backlogs[hook]
        if self._has_excess() or cutoff_ns:
            await self._sweep_file(cutoff_ns)

    async def _sweep_file(self, cutoff_ns: int) -> None:
        if not any(backlog.disk_last for backlog in self._backlogs.values()):
            self._bound_memory()
            return
        try:
            rows = await self._in_thread(lambda: self._store.oldest(HOOK_SWEEP_COUNT_MAX))
            victims = self._choose(rows, cutoff_ns)
            if victims:
                await self._in_thread(lambda: self._store.remove(victims))
        except StoreError as error:
            self._set_health(str(error))

    def _choose(self, rows: Iterable[Row], cutoff_ns: int) -> list[int]:
        """Those of the oldest events that go, of those that only the file holds."""
        victims: list[int] = []
        for row in rows:
            is_old = row.queued_ns < cutoff_ns
            if not is_old and not self._has_excess():
                break
            backlog = self._backlogs.get(row.hook)
            if backlog is None or not backlog.cursor < row.number <= backlog.disk_last:
                continue
            if backlog.is_loading:
                continue
            victims.append(row.number)
            self.count -= 1
            self.bytes -= row.size + HOOK_EVENT_BYTES
            add = self._counters.add_expired if is_old else self._counters.add_dropped
            add(row.hook)
            backlog.cursor = row.number
            if row.number == backlog.disk_last:
                backlog.loaded([], row.number, is_all=True)
                if backlog.is_empty:
                    del self._backlogs[row.hook]
        return victims

    def _bound_memory(self) -> None:
        """Keep to the bound in bytes where the file can't help: the oldest unwritten go."""
        while self._has_excess() and self._unwritten:
            message = self._unwritten.popleft()
            backlog = self._backlogs.get(message.hook)
            if message.is_settled or backlog is None:
                continue
            for part in (backlog.head, backlog.tail):
                is_taken = part is backlog.head and backlog.taken
                if part and part[0] is message and not is_taken:
                    part.popleft()
                    self._forget(message)
                    self._counters.add_dropped(message.hook)
            if backlog.is_empty:
                del self._backlogs[message.hook]

    def _expire_head(self, hook: str, backlog: Backlog) -> None:
        cutoff_ns = self._cutoff_ns()
        count = 0
        for message in backlog.head:
            if message.queued_ns >= cutoff_ns:
                break
            count += 1
        if count:
            self._counters.add_expired(hook, count)
            self._pop(hook, backlog, count)

    def _pop(self, hook: str, backlog: Backlog, count: int) -> None:
        number = 0
        for _ in range(count):
            message = backlog.head.popleft()
            number = message.number
            self._forget(message)
        if number <= backlog.written_last:
            self._done[hook] = number
        elif backlog.written_last and self._done.get(hook, 0) < backlog.written_last:
            self._done[hook] = backlog.written_last
            backlog.written_last = 0

    def _forget(self, message: Message) -> None:
        message.is_settled = True
        size = len(message.body) + HOOK_EVENT_BYTES
        self.count -= 1
        self.bytes -= size
        self.memory_bytes -= size

    def _cutoff_ns(self) -> int:
        ttl_ns = self._retention.ttl_ns
        return self._clock.now_ns() - ttl_ns if ttl_ns else 0

    def _has_excess(self) -> bool:
        return 0 < self._retention.bytes_max < self.bytes

    def _set_health(self, error: str | None) -> None:
        if error != self.error:
            self.error = error
            self.on_health(error)
