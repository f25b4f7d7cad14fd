"""Hashes: few fields, so that they meet; long values now and then, so that encodings change."""

from __future__ import annotations

from grammar import FLOATS, INTS, cmd, floating, integer, key, pattern, some, value, with_options
from hypothesis import strategies as st

FIELDS = [b"f", b"g", b"n", b"x", b"", b"f\x00\r\n", b"F", b"l" * 64, b"m" * 65]

field = st.one_of(st.sampled_from(FIELDS[:6]), st.sampled_from(FIELDS))
number = st.one_of(st.sampled_from([str(i).encode() for i in INTS]), st.sampled_from(FLOATS))
content = st.one_of(value, number, number, st.just(b"v" * 64), st.just(b"w" * 65))
pairs = st.lists(st.tuples(field, content), min_size=1, max_size=5).map(
    lambda p: tuple(x for pair in p for x in pair)
)
# The whole of a hash, few, none, repeats; never so many that the reply would be large.
count = st.sampled_from(
    [
        b"0",
        b"1",
        b"2",
        b"3",
        b"-1",
        b"-4",
        b"100",
        b"9223372036854775807",
        b"4611686018427387904",
        b"-9223372036854775808",
        b"9223372036854775808",
        b"",
        b"x",
        b"1.0",
    ]
)

commands = st.one_of(
    st.tuples(key, pairs).map(lambda t: (b"HSET", t[0], *t[1])),
    st.tuples(key, pairs).map(lambda t: (b"HSET", t[0], *t[1])),
    st.tuples(key, pairs).map(lambda t: (b"HMSET", t[0], *t[1])),
    some("HSET", st.one_of(key, field), 1, 5),
    cmd("HSETNX", key, field, content),
    cmd("HGET", key, field),
    st.tuples(key, st.lists(field, max_size=4)).map(lambda t: (b"HMGET", t[0], *t[1])),
    cmd("HGETALL", key),
    cmd("HKEYS", key),
    cmd("HVALS", key),
    st.tuples(key, st.lists(field, max_size=4)).map(lambda t: (b"HDEL", t[0], *t[1])),
    cmd("HEXISTS", key, field),
    cmd("HLEN", key),
    cmd("HSTRLEN", key, field),
    cmd("HINCRBY", key, field, integer),
    cmd("HINCRBYFLOAT", key, field, floating),
    cmd("HRANDFIELD", key),
    with_options(
        cmd("HRANDFIELD", key, count),
        [st.sampled_from([(b"WITHVALUES",), (b"withvalues",), (b"WITH",)])],
        2,
    ),
    with_options(
        cmd("HSCAN", key, st.sampled_from([b"0", b"0", b"0", b"x", b"", b"-", b"1 "])),
        [
            cmd("MATCH", st.one_of(pattern, st.sampled_from([b"f*", b"[fg]", b"?"]))),
            cmd("COUNT", integer),
            cmd("TYPE", st.just(b"hash")),
        ],
    ),
    cmd("OBJECT", "ENCODING", key),
    cmd("TYPE", key),
    cmd("COPY", key, key),
    cmd("DEBUG", "DIGEST-VALUE", key),
)

NAMES = [
    b"HSET",
    b"HSETNX",
    b"HMSET",
    b"HGET",
    b"HMGET",
    b"HGETALL",
    b"HKEYS",
    b"HVALS",
    b"HDEL",
    b"HEXISTS",
    b"HLEN",
    b"HSTRLEN",
    b"HINCRBY",
    b"HINCRBYFLOAT",
]
