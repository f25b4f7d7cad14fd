"""What the differential tests send: one strategy per family of commands, few keys, edge values.

A step is (connection 0 or 1, command as a tuple of bytes). Expiry times are either far away or in
the past, since two servers do not share a clock; PAUSE is a pseudo command that makes a key expire
on both, TRANSPLANT one that carries values across.
"""

from __future__ import annotations

from hypothesis import strategies as st

Command = tuple[bytes, ...]
PAUSE = b"@expire-now"  # (PAUSE, key): PEXPIRE key 1, then both clocks move on.
# (TRANSPLANT, from, to, ttl, option...): DUMP from; RESTORE to ttl <what the other one has dumped>.
TRANSPLANT = b"@transplant"

# Names of ours that later Redis versions have and clients of today send.
NOT_IN_7_0 = {"client|setinfo", "client|no-touch", "waitaof"}

KEYS = [b"a", b"b", b"c", b"", b"k\x00\r\n", b"key:1", b"key:2"]
FAR_S, FAR_MS = 4_102_444_800, 4_102_444_800_000

INTS = [
    0,
    1,
    -1,
    2,
    5,
    7,
    10,
    16,
    100,
    255,
    2**31 - 1,
    2**31,
    -(2**31),
    2**32,
    2**62,
    2**63 - 1,
    -(2**63),
    2**63,
    -(2**63) - 1,
    2**64,
    10**30,
]
NOT_INTS = [
    b"",
    b" 1",
    b"1 ",
    b"+1",
    b"01",
    b"-0",
    b"1.0",
    b"1e3",
    b"0x10",
    b"abc",
    b"1\x00",
    b"-",
    b"nan",
    b"inf",
]
FLOATS = [
    b"0",
    b"1.5",
    b"-2.25",
    b"3.0",
    b"1e3",
    b"1.5e2",
    b"10.50",
    b"0.1",
    b"-0.0",
    b"5e-3",
    b"nan",
    b"inf",
    b"-inf",
    b"",
    b" 1",
    b"1,5",
    b".",
    b".5",
    b"5.",
    b"1e400",
    b"abc",
    b"0x10",
    b"123456789012345678",
    b"0.00001",
    b"99999999999.5",
]
VALUES = [
    b"",
    b"v",
    b"value",
    b"0",
    b"1",
    b"-1",
    b"10",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"3.5",
    b"1.0",
    b" 1",
    b"abc\x00\r\n",
    b"x" * 44,
    b"x" * 45,
    b"y" * 1000,
    b"z" * 20000,
    b"ohmytext",
    b"mynewtext",
]
WORDS = [
    b"NX",
    b"XX",
    b"GET",
    b"EX",
    b"PX",
    b"EXAT",
    b"PXAT",
    b"KEEPTTL",
    b"PERSIST",
    b"GT",
    b"LT",
    b"DB",
    b"REPLACE",
    b"MATCH",
    b"COUNT",
    b"TYPE",
    b"LEN",
    b"IDX",
    b"MINMATCHLEN",
    b"WITHMATCHLEN",
    b"SYNC",
    b"ASYNC",
    b"string",
    b"nonsense",
    b"nx",
    b"Get",
]
PATTERNS = [
    b"*",
    b"a",
    b"k*",
    b"key:?",
    b"[ab]",
    b"[^a]",
    b"[a-c]",
    b"\\a",
    b"",
    b"*:*",
    b"[",
    b"z*",
    b"?",
    b"**",
    b"[b-a]",
]

key = st.sampled_from(KEYS)
value = st.one_of(st.sampled_from(VALUES), st.binary(max_size=12))
good_int = st.sampled_from([str(i).encode() for i in INTS[:10]])
integer = st.one_of(
    good_int,
    good_int,
    st.sampled_from([str(i).encode() for i in INTS]),
    st.sampled_from(NOT_INTS),
    st.integers(-(2**63), 2**63 - 1).map(lambda i: str(i).encode()),
)
floating = st.one_of(
    st.sampled_from(FLOATS), st.floats(-1e6, 1e6).map(lambda f: f"{f:.3f}".encode())
)
pattern = st.sampled_from(PATTERNS)
junk = st.one_of(st.sampled_from(WORDS), integer, key)

# Seconds and milliseconds from now: never so near that one of two servers has passed them.
ttl_s = st.sampled_from(
    [
        b"1000",
        b"100000",
        b"0",
        b"-1",
        b"-100",
        b"9223372036854775807",
        b"x",
        b"",
        b"1.5",
        b"9223372036854776",
        b"-9223372036854775808",
    ]
)
ttl_ms = st.sampled_from([b"1000000", b"100000000", b"0", b"-1", b"-9223372036854775808", b"x"])
at_s = st.sampled_from(
    [b"4102444800", b"4102444801", b"1", b"0", b"-1", b"x", b"9223372036854775807"]
)
at_ms = st.sampled_from([b"4102444800000", b"4102444800001", b"1", b"0", b"-1", b"x"])


def cmd(name: str, *parts: st.SearchStrategy[bytes] | bytes | str) -> st.SearchStrategy[Command]:
    """A command of fixed shape. Text stands for itself."""
    made = [
        st.just(p.encode()) if isinstance(p, str) else st.just(p) if isinstance(p, bytes) else p
        for p in parts
    ]
    return st.tuples(st.just(name.encode()), *made)


def some(
    name: str, part: st.SearchStrategy[bytes], low: int = 1, high: int = 4
) -> st.SearchStrategy[Command]:
    return st.lists(part, min_size=low, max_size=high).map(lambda p: (name.encode(), *p))


def with_options(
    head: st.SearchStrategy[Command], options: list[st.SearchStrategy[Command]], most: int = 3
) -> st.SearchStrategy[Command]:
    return st.tuples(head, st.lists(st.one_of(*options), max_size=most)).map(
        lambda t: t[0] + tuple(x for option in t[1] for x in option)
    )


def weighted(*choices: tuple[int, st.SearchStrategy]) -> st.SearchStrategy:
    """One of them, the more often the larger its number: one_of() takes repeats for one."""
    return st.sampled_from([s for times, s in choices for _ in range(times)]).flatmap(lambda s: s)


def word(*texts: str) -> st.SearchStrategy[Command]:
    return st.sampled_from([(t.encode(),) for t in texts])


def timed(*names: str) -> list[st.SearchStrategy[Command]]:
    kinds = {"EX": ttl_s, "PX": ttl_ms, "EXAT": at_s, "PXAT": at_ms}
    return [cmd(name, kinds[name]) for name in names]


pairs = st.lists(st.tuples(key, value), min_size=1, max_size=4).map(
    lambda p: tuple(x for pair in p for x in pair)
)
every_time = timed("EX", "PX", "EXAT", "PXAT")

strings = st.one_of(
    cmd("GET", key),
    cmd("GET", key),
    cmd("SET", key, value),
    cmd("SET", key, value),
    with_options(cmd("SET", key, value), [*every_time, word("NX", "XX", "GET", "KEEPTTL", "get")]),
    cmd("SETNX", key, value),
    cmd("SETEX", key, ttl_s, value),
    cmd("PSETEX", key, ttl_ms, value),
    cmd("GETSET", key, value),
    cmd("GETDEL", key),
    with_options(cmd("GETEX", key), [*every_time, word("PERSIST", "persist", "NX")], 2),
    some("MGET", key),
    pairs.map(lambda p: (b"MSET", *p)),
    pairs.map(lambda p: (b"MSETNX", *p)),
    cmd("APPEND", key, value),
    cmd("STRLEN", key),
    cmd("GETRANGE", key, integer, integer),
    cmd("SUBSTR", key, integer, integer),
    cmd(
        "SETRANGE",
        key,
        st.sampled_from(
            [b"0", b"1", b"5", b"100", b"-1", b"x", b"536870912", b"9223372036854775807"]
        ),
        value,
    ),
    cmd("INCR", key),
    cmd("DECR", key),
    cmd("INCRBY", key, integer),
    cmd("DECRBY", key, integer),
    cmd("INCRBYFLOAT", key, floating),
    with_options(
        cmd("LCS", key, key), [word("LEN", "IDX", "WITHMATCHLEN"), cmd("MINMATCHLEN", good_int)]
    ),
)

database = st.sampled_from([b"0", b"1", b"2", b"15", b"16", b"-1", b"x"])
keys = st.one_of(
    some("DEL", key),
    some("UNLINK", key),
    some("EXISTS", key),
    some("TOUCH", key),
    cmd("TYPE", key),
    cmd("KEYS", pattern),
    cmd("RANDOMKEY"),
    cmd("DBSIZE"),
    with_options(
        cmd("SCAN", "0"),
        [
            cmd("MATCH", pattern),
            cmd("COUNT", good_int),
            cmd("TYPE", st.sampled_from([b"string", b"list", b"x"])),
        ],
    ),
    cmd("RENAME", key, key),
    cmd("RENAMENX", key, key),
    with_options(cmd("COPY", key, key), [word("REPLACE"), cmd("DB", database)], 2),
    cmd("MOVE", key, database),
    cmd("OBJECT", "ENCODING", key),
    cmd("OBJECT", "REFCOUNT", key),
    cmd("SELECT", database),
    cmd("SWAPDB", database, database),
    with_options(word("FLUSHDB", "FLUSHALL"), [word("SYNC", "ASYNC", "nonsense")], 1),
    some("DEBUG", key, 1, 3).map(lambda c: (b"DEBUG", b"DIGEST-VALUE", *c[1:])),
)

flags = [word("NX", "XX", "GT", "LT", "gt", "nonsense")]
expiry = st.one_of(
    with_options(cmd("EXPIRE", key, ttl_s), flags, 2),
    with_options(cmd("PEXPIRE", key, ttl_ms), flags, 2),
    with_options(cmd("EXPIREAT", key, at_s), flags, 2),
    with_options(cmd("PEXPIREAT", key, at_ms), flags, 2),
    cmd("TTL", key),
    cmd("PTTL", key),
    cmd("EXPIRETIME", key),
    cmd("PEXPIRETIME", key),
    cmd("PERSIST", key),
    cmd(PAUSE.decode(), key),
)

transactions = st.one_of(
    cmd("MULTI"),
    cmd("MULTI"),
    cmd("EXEC"),
    cmd("EXEC"),
    cmd("EXEC"),
    cmd("DISCARD"),
    some("WATCH", key, 1, 3),
    some("WATCH", key, 1, 1),
    cmd("UNWATCH"),
)

connection = st.one_of(
    cmd("PING"),
    cmd("PING", value),
    cmd("ECHO", value),
    cmd("RESET"),
    cmd("CLIENT", "GETNAME"),
    cmd("CLIENT", "SETNAME", st.sampled_from([b"", b"n", b"a b"])),
    cmd("HELLO", st.sampled_from([b"2", b"3", b"4", b"x"]), "SETNAME", "n").map(lambda c: c),
    cmd("COMMAND", "GETKEYS", "MSET", key, value),
    cmd("CONFIG", "GET", "maxmemory"),
    cmd("CLIENT", "nonsense"),
    cmd("AUTH", value),
)

# The families of collections build on what stands above.
import grammar_dumps  # noqa: E402
import grammar_hashes  # noqa: E402
import grammar_lists  # noqa: E402
import grammar_sets  # noqa: E402
import grammar_zsets  # noqa: E402

NAMES = [
    b"GET",
    b"SET",
    b"SETNX",
    b"SETEX",
    b"PSETEX",
    b"GETSET",
    b"GETDEL",
    b"GETEX",
    b"MGET",
    b"MSET",
    b"MSETNX",
    b"APPEND",
    b"STRLEN",
    b"GETRANGE",
    b"SETRANGE",
    b"SUBSTR",
    b"INCR",
    b"DECR",
    b"INCRBY",
    b"DECRBY",
    b"INCRBYFLOAT",
    b"LCS",
    b"DEL",
    b"UNLINK",
    b"EXISTS",
    b"TOUCH",
    b"TYPE",
    b"RENAME",
    b"RENAMENX",
    b"COPY",
    b"MOVE",
    b"PERSIST",
    b"OBJECT",
    b"SELECT",
    b"SWAPDB",
    b"MULTI",
    b"EXEC",
    b"DISCARD",
    b"WATCH",
    b"UNWATCH",
    b"PING",
    b"ECHO",
    b"nope",
    b"",
    b"get",
    b"Dbsize",
    *grammar_dumps.NAMES,
    *grammar_hashes.NAMES,
    *grammar_sets.NAMES,
    *grammar_lists.NAMES,
    *grammar_zsets.NAMES,
]

# Wrong arity, wrong options, wrong types of arguments: whatever comes, both answer alike.
rubbish = (
    st.tuples(st.sampled_from(NAMES), st.lists(st.one_of(junk, value), max_size=6))
    .map(lambda t: (t[0], *t[1]))
    .filter(
        # A near expiry would race; far or malformed ones are made above.
        lambda c: (
            c[0].upper() not in (b"SETEX", b"PSETEX")
            and not ({w.upper() for w in c[1:]} & {b"EX", b"PX", b"EXAT", b"PXAT"})
        )
    )
)

others = st.one_of(strings, keys, expiry)
FAMILIES: dict[str, st.SearchStrategy[Command]] = {
    "strings": st.one_of(strings, strings, strings, keys, expiry),
    "keys": st.one_of(keys, keys, expiry, expiry, strings),
    "lists": weighted((8, grammar_lists.commands), (1, st.one_of(keys, expiry, transactions))),
    "hashes": weighted((8, grammar_hashes.commands), (1, others), (1, transactions)),
    "sets": weighted((8, grammar_sets.commands), (1, others)),
    "zsets": weighted((8, grammar_zsets.commands), (1, others), (1, transactions)),
    "dumps": grammar_dumps.commands,
    "sets in transactions": st.one_of(grammar_sets.steady, grammar_sets.steady, transactions),
    "transactions": st.one_of(transactions, transactions, strings, keys, expiry),
    "rubbish": st.one_of(rubbish, rubbish, connection, transactions, strings),
}


def sequences(family: str, longest: int = 25) -> st.SearchStrategy[list[tuple[int, Command]]]:
    who = st.sampled_from([0, 0, 0, 1])
    return st.lists(st.tuples(who, FAMILIES[family]), min_size=1, max_size=longest)
