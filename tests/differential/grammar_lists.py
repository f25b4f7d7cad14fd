"""Lists: few elements, so that they repeat; long ones now and then, so that runs are split."""

from __future__ import annotations

import grammar
from grammar import cmd, good_int, integer, some, value, weighted, with_options
from hypothesis import strategies as st

ELEMENTS = [b"a", b"b", b"c", b"1", b"-1", b"01", b"", b"e\x00\r\n"]
LONG = [b"l" * 126, b"m" * 127, b"n" * 252, b"o" * 1100, b"p" * 4100, b"q" * 9000, b"r" * 70000]

# Mostly one list and a second one to move to: commands that find nothing compare nothing.
key = st.sampled_from([b"a"] * 6 + [b"b"] * 2 + grammar.KEYS)
few = st.sampled_from(ELEMENTS[:3] * 3 + ELEMENTS)
element = weighted((8, few), (1, st.sampled_from(LONG)), (1, value))
small = st.sampled_from([str(i).encode() for i in range(-5, 6)])
index = weighted((3, small), (1, integer))
end = st.sampled_from([b"LEFT", b"RIGHT", b"left", b"Right", b"LEFT", b"RIGHT", b"UP", b""])
count = st.one_of(
    st.sampled_from([b"0", b"1", b"2", b"3", b"-1", b"100"]),
    integer,
)
numkeys = st.sampled_from(
    [b"1", b"2", b"2", b"3", b"0", b"-1", b"x", b"4611686018427387904", b"9223372036854775807"]
)


def push(name: str, most: int = 8) -> st.SearchStrategy[tuple[bytes, ...]]:
    return st.tuples(key, st.lists(element, max_size=most)).map(
        lambda t: (name.encode(), t[0], *t[1])
    )


# Enough at once for an inline list to get its own box, and a run to become many.
bulk = st.tuples(
    key, st.sampled_from([b"LPUSH", b"RPUSH"]), element, st.sampled_from([100, 400, 3000])
).map(lambda t: (t[1], t[0], *[t[2][:40]] * t[3], b"last"))

others = st.one_of(
    push("LPUSH"),
    push("RPUSH"),
    push("LPUSHX", 3),
    push("RPUSHX", 3),
    bulk,
    cmd("LPOP", key),
    cmd("RPOP", key),
    cmd("LPOP", key, count),
    cmd("RPOP", key, count),
    cmd("LLEN", key),
    cmd("LRANGE", key, index, index),
    cmd("LRANGE", key, "0", "-1"),
    cmd("LPOS", key, few),
    cmd("LPOS", key, few, "COUNT", "0"),
    cmd("LINDEX", key, index),
    cmd("LSET", key, index, element),
    cmd(
        "LINSERT",
        key,
        st.sampled_from([b"BEFORE", b"AFTER", b"after", b"NEAR"]),
        element,
        element,
    ),
    cmd("LREM", key, index, element),
    cmd("LTRIM", key, index, index),
    with_options(
        cmd("LPOS", key, element),
        [cmd("RANK", index), cmd("COUNT", count), cmd("MAXLEN", good_int), cmd("rank", index)],
    ),
    cmd("LMOVE", key, key, end, end),
    cmd("LMOVE", key, key, end, end),
    cmd("RPOPLPUSH", key, key),
    st.tuples(numkeys, st.lists(key, min_size=1, max_size=3), end).map(
        lambda t: (b"LMPOP", t[0], *t[1], t[2])
    ),
    with_options(
        st.tuples(st.lists(key, min_size=1, max_size=3), end).map(
            lambda t: (b"LMPOP", str(len(t[0])).encode(), *t[0], t[1])
        ),
        [cmd("COUNT", count), cmd("count", count), cmd("LIMIT", count)],
        2,
    ),
    some("LMPOP", st.one_of(key, count), 1, 4),
)

commands = weighted((2, st.one_of(push("RPUSH"), push("LPUSH"))), (5, others))

NAMES = [
    b"LPUSH", b"RPUSH", b"LPUSHX", b"RPUSHX", b"LPOP", b"RPOP", b"LLEN", b"LRANGE", b"LINDEX",
    b"LSET", b"LINSERT", b"LREM", b"LTRIM", b"LPOS", b"LMOVE", b"RPOPLPUSH", b"LMPOP",
]  # fmt: skip
