"""Random write commands of clients, each to its own keys, hooks and channels."""

import random

Words = tuple[bytes, ...]
KEYS, IDS, FIELDS = 3, 6, 2
TIMED = b"timed"  # suffix of the names of keys, hooks and channels that expire


class CommandGenerator:
    """Generates random commands of a client."""

    def __init__(self, client: str, chance: random.Random) -> None:
        self._client = client.encode()
        self._chance = chance
        self._count = 0

    def command(self) -> Words:
        """Return a random command."""
        makers = (
            self._set, self._set, self._set, self._string, self._fset, self._del, self._pdel,
            self._rename, self._jset, self._jdel, self._timed, self._timed, self._hook,
            self._delete_hook, self._drop, self._expire, self._bounds, self._script,
            self._conditional, self._object, self._hash, self._json_string, self._atomic_script,
            self._visits,
        )  # fmt: skip
        return self._chance.choice(makers)()

    def _key(self) -> bytes:
        return b"%s:%d" % (self._client, self._chance.randrange(KEYS))

    def _id(self) -> bytes:
        return b"i%d" % self._chance.randrange(IDS)

    def _number(self) -> bytes:
        self._count += 1
        return b"%d" % self._count

    def _set(self) -> Words:
        # The number is new each time, so that no two states are equal by chance.
        longitude = b"%d" % self._chance.randrange(180)
        field = b"f%d" % self._chance.randrange(FIELDS)
        place = (b"POINT", b"33.5", longitude)
        return (b"SET", self._key(), self._id(), b"FIELD", field, self._number(), *place)

    def _bounds(self) -> Words:
        return (b"SET", self._key(), self._id(), b"BOUNDS", b"10", b"10", b"11", self._number())

    def _object(self) -> Words:
        text = b'{"type":"LineString","coordinates":[[1,%b],[3,4]]}' % self._number()
        return (b"SET", self._key(), self._id(), b"OBJECT", text)

    def _hash(self) -> Words:
        field = (b"FIELD", b"f0", self._number())
        return (b"SET", self._key(), self._id(), *field, b"HASH", b"9tbnthxzr")

    def _conditional(self) -> Words:
        if self._chance.random() < 0.3:
            return (b"FSET", self._key(), self._id(), b"XX", b"f1", self._number())
        place = (b"POINT", b"33.5", b"7", self._number())
        return (b"SET", self._key(), self._id(), self._chance.choice((b"NX", b"XX")), *place)

    def _string(self) -> Words:
        text = b"text" + self._number() + b"x" * self._chance.choice((0, 10, 1000))
        return (b"set", self._key(), self._id(), b"string", text)

    def _fset(self) -> Words:
        return (b"FSET", self._key(), self._id(), b"f1", self._number())

    def _del(self) -> Words:
        return (b"DEL", self._key(), self._id())

    def _pdel(self) -> Words:
        return (b"PDEL", self._key(), b"i%d*" % self._chance.randrange(IDS))

    def _drop(self) -> Words:
        return (b"DROP", self._key())

    def _rename(self) -> Words:
        return (self._chance.choice((b"RENAME", b"RENAMENX")), self._key(), self._key())

    def _jset(self) -> Words:
        path = self._chance.choice((b"a", b"list.-1", b"b.c"))
        return (b"JSET", self._key(), b"json", path, self._number())

    def _json_string(self) -> Words:
        kind = self._chance.choice((b"STR", b"RAW"))
        return (b"JSET", self._key(), self._id(), b"deep.%d" % IDS, self._number(), kind)

    def _jdel(self) -> Words:
        return (b"JDEL", self._key(), b"json", self._chance.choice((b"a", b"b.c")))

    def _script(self) -> Words:
        text = b"return tile38.call('set', KEYS[1], ARGV[1], 'string', ARGV[2])"
        return (b"EVAL", text, b"1", self._key(), self._id(), b"script" + self._number())

    def _atomic_script(self) -> Words:
        # All of its writes are in a log or none.
        text = (
            b"for n = 1, 3 do tile38.call('set', KEYS[1], 'i' .. n, 'string', ARGV[1]) end "
            b"tile38.call('del', KEYS[1], 'i2')"
        )
        return (b"EVAL", text, b"1", self._key(), b"atomic" + self._number())

    def _timed(self) -> Words:
        seconds = b"%.1f" % (self._chance.random() * 8)
        key = b"%s:%s" % (self._client, TIMED)
        return (b"SET", key, self._id(), b"EX", seconds, b"POINT", b"1", self._number())

    def _expire(self) -> Words:
        key = b"%s:%s" % (self._client, TIMED)
        if self._chance.random() < 0.5:
            return (b"PERSIST", key, self._id())
        return (b"EXPIRE", key, self._id(), b"%d" % self._chance.randrange(8))

    def _hook(self) -> Words:
        fence: Words = (b"NEARBY", b"fleet", b"FENCE", b"POINT", b"1", b"1", self._number())
        name = b"%s.%d" % (self._client, self._chance.randrange(KEYS))
        hook = (b"SETHOOK", name + b".hook", b"http://127.0.0.1:1/x")
        if self._chance.random() < 0.4:
            lifetime = (b"EX", b"%.1f" % (self._chance.random() * 8))
            if self._chance.random() < 0.5:
                return (b"SETCHAN", name + b".timed", *lifetime, *fence)
            return (b"SETHOOK", hook[1] + b".timed", hook[2], *lifetime, *fence)
        if self._chance.random() < 0.2:
            # While such a fence exists, RENAME of its key is refused.
            fence = (b"WITHIN", self._key(), b"FENCE", b"BOUNDS", b"1", b"1", b"2", self._number())
        if self._chance.random() < 0.5:
            return (b"SETCHAN", name, b"META", b"m", self._number(), *fence)
        return (*hook, *fence)

    def _visits(self) -> Words:
        name = b"%s.%d.visits" % (self._client, self._chance.randrange(KEYS))
        times = (b"DWELL", b"0.5,2s", b"LINGER", b"1s", b"EVERY", b"1500ms")
        options = self._chance.choice((times, (), (b"HYSTERESIS", b"9")))
        fence = (b"WITHIN", self._key(), b"ENDINGS", b"yes", *options)
        area = (b"BOUNDS", b"0", b"0", b"60", b"90")
        return (b"SETCHAN", name, b"META", b"m", self._number(), *fence, *area)

    def _delete_hook(self) -> Words:
        name = b"%s.%d" % (self._client, self._chance.randrange(KEYS))
        return self._chance.choice((
            (b"DELCHAN", name),
            (b"DELHOOK", name + b".hook"),
            (b"PDELCHAN", name + b"*"),
            (b"PDELHOOK", name + b"*"),
        ))  # fmt: skip
