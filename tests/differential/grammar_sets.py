"""Commands on sets: small members that meet, integers at the edges, blocks that change the form."""

from __future__ import annotations

from grammar import KEYS, Command, cmd, integer, pattern, some, with_options, word
from hypothesis import strategies as st

MEMBERS = [
    *[b"%d" % i for i in range(8)],
    b"-1",
    b"32767",
    b"32768",
    b"-2147483649",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"01",
    b"+1",
    b"-0",
    b" 1",
    b"1.0",
    b"a",
    b"b",
    b"c",
    b"",
    b"x\x00\r\n",
    b"y" * 64,
    b"y" * 65,
    b"z" * 300,
]
# (format, from, to): around 64 members, where our listpack ends, and 512, where an intset does.
BLOCKS = [
    (b"%d", 0, 10),
    (b"%d", 5, 30),
    (b"%d", 0, 63),
    (b"%d", 0, 64),
    (b"%d", 0, 65),
    (b"%d", 0, 512),
    (b"%d", 1, 513),
    (b"%d", 100, 700),
    (b"w%d", 0, 10),
    (b"w%d", 5, 69),
    (b"w%d", 0, 200),
]
key = st.sampled_from(KEYS[:4])  # Few, so that they are sets most of the time.
member = st.sampled_from(MEMBERS)
integers = st.integers(-3, 12).map(lambda i: b"%d" % i)


def block(name: bytes) -> st.SearchStrategy[Command]:
    def made(where: bytes, what: tuple[bytes, int, int]) -> Command:
        text, low, high = what
        return (name, where, *[text % i for i in range(low, high)])

    return st.builds(made, key, st.sampled_from(BLOCKS))


def listed(name: str, part: st.SearchStrategy[bytes], most: int = 5) -> st.SearchStrategy[Command]:
    return st.tuples(key, st.lists(part, min_size=1, max_size=most)).map(
        lambda t: (name.encode(), t[0], *t[1])
    )


def stored(name: str) -> st.SearchStrategy[Command]:
    return some(name, key, 2, 5)


# Counts that leave nothing to chance but which members go (compare.py), or are refused.
count = st.one_of(
    st.sampled_from(
        [b"0", b"1", b"2", b"3", b"10", b"60", b"500", b"1000", b"9223372036854775807"]
    ),
    st.sampled_from([b"-1", b"-5", b"x", b"", b"-9223372036854775808", b"9223372036854775808"]),
)
cursor = st.sampled_from([b"0", b"0", b"0", b"x", b"", b"-", b" 1", b"1x"])
numkeys = st.sampled_from(
    [b"1", b"1", b"2", b"2", b"3", b"0", b"-1", b"x", b"4611686018427387904", b""]
)
limit = st.sampled_from([b"0", b"1", b"2", b"100", b"-1", b"x", b"9223372036854775807", b""])

# Chance leaves these alone.
steady: st.SearchStrategy[Command] = st.one_of(
    listed("SADD", member),
    listed("SADD", member),
    listed("SADD", integers),
    block(b"SADD"),
    block(b"SADD"),
    listed("SREM", member),
    listed("SREM", integers),
    block(b"SREM"),
    cmd("SCARD", key),
    cmd("SISMEMBER", key, member),
    listed("SMISMEMBER", member),
    cmd("SMEMBERS", key),
    cmd("SRANDMEMBER", key),
    cmd("SRANDMEMBER", key, count),
    cmd("SMOVE", key, key, member),
    cmd("SMOVE", key, key, integers),
    some("SINTER", key),
    some("SUNION", key),
    some("SDIFF", key),
    stored("SINTERSTORE"),
    stored("SUNIONSTORE"),
    stored("SDIFFSTORE"),
    with_options(
        st.tuples(numkeys, st.lists(key, min_size=1, max_size=3)).map(
            lambda t: (b"SINTERCARD", t[0], *t[1])
        ),
        [cmd("LIMIT", limit), cmd("limit", limit), word("LIMIT", "nonsense")],
        2,
    ),
    with_options(
        cmd("SSCAN", key, cursor),
        [
            cmd("MATCH", pattern),
            cmd("COUNT", st.one_of(st.sampled_from([b"1", b"10", b"1000"]), integer)),
            cmd("TYPE", "set"),
            word("MATCH", "COUNT", "nonsense"),
        ],
        2,
    ),
    cmd("OBJECT", "ENCODING", key),
    cmd("COPY", key, key, "REPLACE"),
)

commands: st.SearchStrategy[Command] = st.one_of(
    *[steady] * 8, cmd("SPOP", key), cmd("SPOP", key, count)
)

# For rubbish; without those that leave a value to chance.
NAMES = [
    b"SADD",
    b"SREM",
    b"SCARD",
    b"SISMEMBER",
    b"SMISMEMBER",
    b"SMEMBERS",
    b"SMOVE",
    b"SINTER",
    b"SINTERSTORE",
    b"SINTERCARD",
    b"SUNION",
    b"SUNIONSTORE",
    b"SDIFF",
    b"SDIFFSTORE",
    b"SSCAN",
]
