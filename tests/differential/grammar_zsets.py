"""Sorted sets: few members with scores that tie, bounds of every kind, blocks that change the form.

Ranges of strings mean something only where all scores are equal: they have a key of their own,
LEX, in which every member scores 0.
"""

from __future__ import annotations

from grammar import KEYS, Command, cmd, good_int, integer, key, pattern, some, with_options, word
from hypothesis import strategies as st

LEX = b"lex"
MEMBERS = [b"a", b"b", b"c", b"d", b"e", b"1", b"2", b"", b"a\x00", b"\xff", b"x" * 64, b"y" * 65]
SCORES = [
    b"0",
    b"1",
    b"1",
    b"2",
    b"3",
    b"-1",
    b"-0",
    b"0.5",
    b"1.5",
    b"2.25",
    b"0.1",
    b"1e3",
    b"-2.5e-3",
    b"inf",
    b"-inf",
    b"+inf",
    b"1e17",
    b"123456789012345678",
    b"1.7e308",
    b"-1.7e308",
    b"5e-324",
    b"0x10",
    b"3.0",
]
NOT_SCORES = [b"nan", b"", b" 1", b"1e309", b"abc", b"1\x00", b"1,5", b"NX"]
LEX_BOUNDS = [
    b"-",
    b"+",
    b"[",
    b"(",
    b"[a",
    b"(a",
    b"[b",
    b"(c",
    b"[\xff",
    b"(a\x00",
    b"x",
    b"",
    b"++",
]
# (first, last): around 128 members, where the listpack ends.
BLOCKS = [(0, 10), (0, 127), (0, 128), (0, 129), (100, 300)]

member = st.one_of(st.sampled_from(MEMBERS[:6]), st.sampled_from(MEMBERS))
good_score = st.one_of(
    st.sampled_from(SCORES[:9]),
    st.sampled_from(SCORES),
    st.integers(-5, 9).map(lambda i: b"%d" % i),
    st.floats(allow_nan=False).map(lambda f: repr(f).encode()),
)
score = st.one_of(*[good_score] * 9, st.sampled_from(NOT_SCORES))
bound = st.one_of(
    good_score,
    good_score.map(lambda s: b"(" + s),
    st.sampled_from(
        [b"", b"(", b" 1", b"nan", b"(nan", b"x", b"1\x00x", b"((1", b"1e400", b"-1e400"]
    ),
)
lex_bound = st.sampled_from(LEX_BOUNDS)
rank = st.one_of(st.integers(-6, 6).map(lambda i: b"%d" % i), integer)
count = st.sampled_from([b"0", b"1", b"2", b"3", b"-1", b"100", b"9223372036854775807", b"x"])
random_count = st.sampled_from(
    [
        b"0",
        b"1",
        b"2",
        b"5",
        b"-1",
        b"-4",
        b"1000",
        b"9223372036854775807",
        b"4611686018427387904",
        b"-9223372036854775808",
        b"9223372036854775808",
        b"",
        b"x",
    ]
)
limit = st.tuples(
    st.just(b"LIMIT"),
    st.sampled_from([b"0", b"1", b"2", b"-1", b"100", b"9223372036854775807", b"x"]),
    st.sampled_from([b"0", b"1", b"2", b"-1", b"-5", b"100", b"-9223372036854775808", b"x"]),
)

pairs = st.lists(st.tuples(score, member), min_size=1, max_size=5).map(
    lambda p: tuple(x for pair in p for x in pair)
)
flags = st.lists(
    st.sampled_from([b"NX", b"XX", b"GT", b"LT", b"CH", b"CH", b"INCR", b"ch", b"gt"]), max_size=2
).map(tuple)


def block(where: bytes, what: tuple[int, int], step: int) -> Command:
    """Many members at once, in order, against it, or all of one score."""
    low, high = what
    return (
        b"ZADD",
        where,
        *[x for i in range(low, high) for x in (b"%d" % (i * step), b"m%d" % i)],
    )


blocks = st.builds(block, key, st.sampled_from(BLOCKS), st.sampled_from([1, -1, 0]))

adding = st.one_of(
    pairs.flatmap(lambda p: key.map(lambda k: (b"ZADD", k, *p))),
    st.tuples(key, flags, pairs).map(lambda t: (b"ZADD", t[0], *t[1], *t[2])),
    st.tuples(key, flags, score, member).map(lambda t: (b"ZADD", t[0], *t[1], t[2], t[3])),
    cmd("ZINCRBY", key, score, member),
    blocks,
)

members = st.one_of(
    st.tuples(key, st.lists(member, min_size=1, max_size=4)).map(lambda t: (b"ZREM", t[0], *t[1])),
    st.tuples(key, st.lists(member, min_size=1, max_size=4)).map(
        lambda t: (b"ZMSCORE", t[0], *t[1])
    ),
    cmd("ZCARD", key),
    cmd("ZSCORE", key, member),
    cmd("ZRANK", key, member),
    cmd("ZREVRANK", key, member),
    with_options(cmd("ZPOPMIN", key), [st.tuples(count)], 2),
    with_options(cmd("ZPOPMAX", key), [st.tuples(count)], 2),
    with_options(cmd("ZRANDMEMBER", key), [st.tuples(random_count), word("WITHSCORES")], 2),
    st.tuples(
        key, random_count, st.sampled_from([(), (b"WITHSCORES",), (b"withscores", b"x")])
    ).map(lambda t: (b"ZRANDMEMBER", t[0], t[1], *t[2])),
    with_options(
        cmd("ZSCAN", key, st.sampled_from([b"0", b"0", b"0", b"x", b""])),
        [cmd("MATCH", pattern), cmd("COUNT", good_int), word("TYPE")],
    ),
    cmd("OBJECT", "ENCODING", key),
    cmd("TYPE", key),
)

scores_word = word("WITHSCORES", "withscores")
ranges = st.one_of(
    with_options(cmd("ZRANGE", key, rank, rank), [scores_word, word("REV"), limit]),
    with_options(cmd("ZREVRANGE", key, rank, rank), [scores_word, limit]),
    with_options(
        cmd("ZRANGE", key, bound, bound, "BYSCORE"),
        [scores_word, word("REV"), limit, word("BYLEX")],
    ),
    with_options(cmd("ZRANGEBYSCORE", key, bound, bound), [scores_word, limit]),
    with_options(cmd("ZREVRANGEBYSCORE", key, bound, bound), [scores_word, limit, word("REV")]),
    cmd("ZCOUNT", key, bound, bound),
    cmd("ZREMRANGEBYRANK", key, rank, rank),
    cmd("ZREMRANGEBYSCORE", key, bound, bound),
    with_options(cmd("ZRANGESTORE", key, key, rank, rank), [word("REV", "WITHSCORES"), limit]),
    with_options(cmd("ZRANGESTORE", key, key, bound, bound, "BYSCORE"), [word("REV"), limit]),
)

lex = st.one_of(
    st.lists(member, min_size=1, max_size=6).map(
        lambda m: (b"ZADD", LEX, *[x for one in m for x in (b"0", one)])
    ),
    with_options(cmd("ZRANGEBYLEX", LEX, lex_bound, lex_bound), [limit, scores_word]),
    with_options(cmd("ZREVRANGEBYLEX", LEX, lex_bound, lex_bound), [limit]),
    with_options(cmd("ZRANGE", LEX, lex_bound, lex_bound, "BYLEX"), [limit, word("REV")]),
    with_options(cmd("ZRANGESTORE", key, LEX, lex_bound, lex_bound, "BYLEX"), [limit, word("REV")]),
    cmd("ZLEXCOUNT", LEX, lex_bound, lex_bound),
    cmd("ZREMRANGEBYLEX", LEX, lex_bound, lex_bound),
    cmd("ZREM", LEX, member),
)


def counted(name: str, *before: st.SearchStrategy[bytes]) -> st.SearchStrategy[Command]:
    """NAME [destination] numkeys key ...: mostly as many keys as it says."""
    some_keys = st.lists(st.sampled_from([*KEYS, LEX]), min_size=1, max_size=4)
    off = st.sampled_from([0] * 12 + [1, -1])
    odd = st.sampled_from([b"0", b"-1", b"x", b"4611686018427387904", b"9223372036854775807"])
    wrong = st.sampled_from([False] * 15 + [True])
    return st.tuples(st.tuples(*before), some_keys, off, odd, wrong).map(
        lambda t: (name.encode(), *t[0], t[3] if t[4] else b"%d" % (len(t[1]) + t[2]), *t[1])
    )


def weights(command: Command) -> st.SearchStrategy[Command]:
    """The command, perhaps with as many weights as it has keys."""
    at = 1 if command[0] in (b"ZUNION", b"ZINTER") else 2
    n = len(command) - at - 1
    made = st.lists(score, min_size=n, max_size=n).map(lambda w: (*command, b"WEIGHTS", *w))
    return st.one_of(st.just(command), made)


def adding_up(*names: str) -> st.SearchStrategy[Command]:
    one = st.one_of(
        *[counted(n, *([key] if n.endswith("STORE") else [])).flatmap(weights) for n in names]
    )
    return with_options(
        one,
        [
            cmd("AGGREGATE", st.sampled_from([b"SUM", b"MIN", b"MAX", b"min", b"AVG"])),
            scores_word,
            cmd("WEIGHTS", good_int, good_int),
            cmd("LIMIT", good_int),
        ],
        2,
    )


combining = st.one_of(
    adding_up("ZUNION", "ZINTER"),
    adding_up("ZUNIONSTORE", "ZINTERSTORE"),
    with_options(counted("ZDIFF"), [scores_word, word("AGGREGATE", "WEIGHTS")], 1),
    counted("ZDIFFSTORE", key),
    with_options(counted("ZINTERCARD"), [cmd("LIMIT", count), scores_word], 2),
    st.tuples(
        counted("ZMPOP"),
        st.sampled_from([(b"MIN",), (b"MAX",), (b"min",), (b"MID",), ()]),
        st.one_of(st.just(()), cmd("COUNT", count)),
    ).map(lambda t: t[0] + t[1] + t[2]),
)

others = st.one_of(
    cmd("SADD", key, member, member),
    some("SADD", st.sampled_from([*KEYS, b"1", b"2", b"7"]), 2, 4),
    cmd("SET", key, member),
    cmd("DEL", key),
    cmd("COPY", key, key, "REPLACE"),
    cmd("RENAME", key, key),
    cmd("EXPIRE", key, st.sampled_from([b"1000", b"100000"])),
)

commands = st.one_of(
    *[adding] * 4, *[members] * 2, *[ranges] * 3, *[lex] * 1, *[combining] * 3, others
)

NAMES = [
    b"ZADD",
    b"ZINCRBY",
    b"ZREM",
    b"ZCARD",
    b"ZSCORE",
    b"ZMSCORE",
    b"ZRANK",
    b"ZREVRANK",
    b"ZCOUNT",
    b"ZLEXCOUNT",
    b"ZRANGE",
    b"ZRANGESTORE",
    b"ZREVRANGE",
    b"ZRANGEBYSCORE",
    b"ZREVRANGEBYSCORE",
    b"ZRANGEBYLEX",
    b"ZREVRANGEBYLEX",
    b"ZREMRANGEBYRANK",
    b"ZREMRANGEBYSCORE",
    b"ZREMRANGEBYLEX",
    b"ZPOPMIN",
    b"ZPOPMAX",
    b"ZMPOP",
    b"ZRANDMEMBER",
    b"ZUNION",
    b"ZINTER",
    b"ZDIFF",
    b"ZUNIONSTORE",
    b"ZINTERSTORE",
    b"ZDIFFSTORE",
    b"ZINTERCARD",
    b"ZSCAN",
]
