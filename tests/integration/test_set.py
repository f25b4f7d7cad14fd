"""Set commands: literal replies that redis-server 7.0 proves."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from tools.doors import Door

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
WRONG_INT = "ERR value is not an integer or out of range"
MAX, MIN = 2**63 - 1, -(2**63)


def add(door: Door, key: str, *members: object) -> None:
    assert door("SADD", key, *members) == len(set(map(str, members)))


def members(door: Door, key: str) -> set[bytes]:
    return set(door("SMEMBERS", key))


def encoding(door: Door, key: str) -> bytes:
    return door("OBJECT", "ENCODING", key)


def numbers(n: int) -> set[bytes]:
    return {b"%d" % i for i in range(n)}


def test_sadd_and_srem_count_what_they_changed(door: Door) -> None:
    door.check(r"""
        SADD s a                 -> :1
        SADD s a                 -> :0
        SADD s a b c b           -> :2
        SMEMBERS s               -> set["a", "b", "c"]
        SCARD s                  -> :3
        SREM s x                 -> :0
        SREM s a a b             -> :2
        SMEMBERS s               -> set["c"]
        SREM s c d               -> :1
        EXISTS s                 -> :0
        SREM s c                 -> :0
        SMEMBERS s               -> set[]
        SCARD s                  -> :0
        SADD s "" "a\x00b\r\n" "\xff" -> :3
        SMEMBERS s               -> set["", "a\x00b\r\n", "\xff"]
        SREM s "" "\xff"         -> :2
        SISMEMBER s "a\x00b\r\n" -> :1
        TYPE s                   -> +set
    """)


def test_members_that_only_look_like_integers_are_told_apart(door: Door) -> None:
    door.check(r"""
        SADD s 1 01 +1 "1 " " 1" 1.0 -0 0 "1\x00" -> :9
        SCARD s                  -> :9
        SISMEMBER s 1            -> :1
        SISMEMBER s 001          -> :0
        SREM s 01                -> :1
        SISMEMBER s 1            -> :1
        SADD t 1 2 3             -> :3
        SISMEMBER t 01           -> :0
        SREM t 01 +2             -> :0
        SCARD t                  -> :3
        OBJECT ENCODING t        -> "intset"
        SADD u -9223372036854775808 9223372036854775807 0 -> :3
        SMEMBERS u               -> set["-9223372036854775808", "0", "9223372036854775807"]
        OBJECT ENCODING u        -> "intset"
        SADD u 9223372036854775808 -> :1
        OBJECT ENCODING u        -> "hashtable"
        SISMEMBER u -9223372036854775808 -> :1
    """)


def test_sismember_and_smismember(door: Door) -> None:
    door.check("""
        SADD s a b 1             -> :3
        SADD i 1 2               -> :2
        SISMEMBER s a            -> :1
        SISMEMBER s c            -> :0
        SISMEMBER none a         -> :0
        SMISMEMBER s a           -> [:1]
        SMISMEMBER s a c 1 01 a  -> [:1, :0, :1, :0, :1]
        SMISMEMBER i a 1 3       -> [:0, :1, :0]
        SMISMEMBER none a b      -> [:0, :0]
    """)


def test_a_set_of_integers_reads_in_order(door: Door) -> None:
    add(door, "s", 30, -5, 2**40, 7, MIN, MAX)
    expected = [b"%d" % i for i in sorted((30, -5, 2**40, 7, MIN, MAX))]
    assert list(door("SMEMBERS", "s")) == expected
    assert list(door("SINTER", "s")) == expected
    assert list(door("SUNION", "s", "none")) == expected
    assert list(door("SDIFF", "s", "none")) == expected
    assert door("SSCAN", "s", 0) == [b"0", expected]
    assert door("SRANDMEMBER", "s", 100) == expected


def test_resp3_shapes(door: Door) -> None:
    """Sets where Redis says set, arrays where it says array, the empty ones too."""
    add(door, "s", "a", "b")
    add(door, "t", "b")
    protocol = door.protocol
    a_set = b"~" if protocol == 3 else b"*"
    for command, size in (
        ("SMEMBERS s", 2),
        ("SMEMBERS none", 0),
        ("SINTER s t", 1),
        ("SINTER s none", 0),
        ("SUNION s t", 2),
        ("SUNION none none", 0),
        ("SDIFF s t", 1),
        ("SDIFF s s", 0),
        ("SPOP s 0", 0),
        ("SPOP none 5", 0),
    ):
        assert door.raw(*command.split()).startswith(a_set + b"%d\r\n" % size), command
    for command, size in (
        ("SMISMEMBER s a", 1),
        ("SRANDMEMBER s 5", 2),
        ("SRANDMEMBER s -5", 5),
        ("SRANDMEMBER s 0", 0),
        ("SRANDMEMBER none 3", 0),
        ("SRANDMEMBER none -3", 0),
    ):
        assert door.raw(*command.split()).startswith(b"*%d\r\n" % size), command
    door.check("""
        SPOP none                -> nil
        SRANDMEMBER none         -> nil
    """)
    assert door.raw("SPOP", "s", 1).startswith(a_set + b"1\r\n")
    assert door.raw("SPOP", "s", 1).startswith(a_set + b"1\r\n")


# ---- encodings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, 1, 10, 512, 600])
def test_encoding_at_the_limit_of_intsets(door: Door, limit: int) -> None:
    door.config("set-max-intset-entries", limit)
    for i in range(limit):
        door("SADD", "s", i)
        if i % 50 == 0 or i == limit - 1:
            assert encoding(door, "s") == b"intset"
    door("SADD", "s", MIN)
    assert encoding(door, "s") == b"hashtable"
    door("SREM", "s", MIN)
    if limit:
        assert encoding(door, "s") == b"hashtable", "never back"
        assert members(door, "s") == numbers(limit)
    if limit:
        door("SADD", "all", *range(limit))
        assert encoding(door, "all") == b"intset"
    door("SADD", "more", *range(limit + 1))
    assert encoding(door, "more") == b"hashtable"


def test_a_lower_limit_applies_to_the_next_new_member(door: Door) -> None:
    add(door, "s", *range(20))
    door.config("set-max-intset-entries", 10)
    door("SADD", "s", 5)
    assert encoding(door, "s") == b"intset"
    door("SREM", "s", 5)
    assert encoding(door, "s") == b"intset"
    door("SADD", "s", 5)
    assert encoding(door, "s") == b"hashtable"


def test_a_hashtable_stays_one(door: Door) -> None:
    door.check("""
        SADD s 1 2 a             -> :3
        OBJECT ENCODING s        -> "hashtable"
        SREM s a                 -> :1
        OBJECT ENCODING s        -> "hashtable"
        SADD s 3                 -> :1
        OBJECT ENCODING s        -> "hashtable"
        SMEMBERS s               -> set["1", "2", "3"]
        SREM s 1 2 3             -> :3
        SADD s 1                 -> :1
        OBJECT ENCODING s        -> "intset"
        SADD t 1 b               -> :2
        SPOP t                   -> anybulk
        OBJECT ENCODING t        -> "hashtable"
    """)


def test_the_result_of_a_store_starts_anew(door: Door) -> None:
    door.check("""
        SADD s 1 2 a             -> :3
        SADD t 1 2               -> :2
        SADD u a                 -> :1
        SREM s a                 -> :1
        OBJECT ENCODING s        -> "hashtable"
        SUNIONSTORE d s          -> :2
        OBJECT ENCODING d        -> "intset"
        SINTERSTORE d s t        -> :2
        OBJECT ENCODING d        -> "intset"
        SUNIONSTORE d s u        -> :3
        OBJECT ENCODING d        -> "hashtable"
        SDIFFSTORE d d u         -> :2
        OBJECT ENCODING d        -> "intset"
        COPY s c                 -> :1
        OBJECT ENCODING c        -> "hashtable"
    """)


def test_the_way_sdiff_works_shows_in_the_encoding(door: Door) -> None:
    """A large first set is copied and taken from; what held strings once stays a hashtable."""
    add(door, "big", "a", *range(30))
    add(door, "x", "a")
    add(door, "y", "a")
    assert door("SDIFFSTORE", "d", "big", "x") == 30
    assert encoding(door, "d") == b"intset"  # 62 / 2 <= 32: searched
    assert door("SDIFFSTORE", "d", "big", "x", "y") == 30
    assert encoding(door, "d") == b"hashtable"  # 93 / 2 > 33: taken out of a copy
    add(door, "z", *range(15))
    assert door("SDIFFSTORE", "d", "big", "z", "x", "y") == 15
    assert members(door, "d") == numbers(30) - numbers(15)
    assert encoding(door, "d") == b"hashtable"
    assert door("SDIFFSTORE", "d", "big", "z", "big", "x", "y") == 0


@pytest.mark.parametrize("size", [63, 64, 65, 66, 511, 512, 513, 514, 3000])
@pytest.mark.parametrize("kind", ["integers", "words", "long words"])
def test_sets_of_every_size_hold_what_was_added(door: Door, kind: str, size: int) -> None:
    text = {"integers": "%d", "words": "w%d", "long words": "%064d"}[kind]
    model = {(text % i).encode() for i in range(size)}
    for start in range(0, size, 10):
        door("SADD", "s", *[text % i for i in range(start, min(size, start + 10))])
    assert members(door, "s") == model
    assert door("SCARD", "s") == size
    some = [text % i for i in range(0, size, 3)]
    assert door("SMISMEMBER", "s", *some) == [1] * len(some)
    assert door("SREM", "s", *some) == len(some)
    model -= {m.encode() for m in some}
    assert members(door, "s") == model
    assert door("SMISMEMBER", "s", *some) == [0] * len(some)
    assert set(door("SRANDMEMBER", "s", size)) == model
    assert set(door("SPOP", "s", size)) == model
    assert door("EXISTS", "s") == 0


@pytest.mark.parametrize("length", [63, 64, 65, 252, 5000, 100_000])
def test_members_of_every_length(door: Door, length: int) -> None:
    long = "x" * length
    add(door, "s", "a", 1, long)
    assert members(door, "s") == {b"a", b"1", long.encode()}
    assert door("SISMEMBER", "s", long) == 1
    assert door("SISMEMBER", "s", long[1:]) == 0
    assert door("SMOVE", "s", "t", long) == 1
    assert door("SPOP", "t") == long.encode()
    assert members(door, "s") == {b"a", b"1"}


# ---- SPOP, SRANDMEMBER --------------------------------------------------------------------------


def test_spop(door: Door) -> None:
    door.check("""
        SADD s a                 -> :1
        SPOP s                   -> "a"
        EXISTS s                 -> :0
        SPOP s                   -> nil
        SADD s a b               -> :2
        SPOP s 0                 -> set[]
        SCARD s                  -> :2
        SPOP s 2                 -> set["a", "b"]
        EXISTS s                 -> :0
        SPOP s 2                 -> set[]
        SADD s a b               -> :2
        SPOP s 9223372036854775807 -> set["a", "b"]
        EXISTS s                 -> :0
    """)


@pytest.mark.parametrize("text", ["%d", "w%d"])
@pytest.mark.parametrize("size", [5, 60, 200, 600])
def test_spop_with_a_count_takes_that_many_others(door: Door, text: str, size: int) -> None:
    model = {(text % i).encode() for i in range(size)}
    for count in (1, size // 3, size // 2, size - size // 10, size - 1, size, size + 1):
        door("DEL", "s")
        door("SADD", "s", *model)
        popped = list(door("SPOP", "s", count))
        assert len(popped) == len(set(popped)) == min(count, size)
        assert set(popped) | members(door, "s") == model
        assert not set(popped) & members(door, "s")
        assert door("EXISTS", "s") == (count < size)


def test_spop_of_nearly_all_makes_the_rest_a_new_set(door: Door) -> None:
    """What stays is collected anew: of integers alone, it is an intset again."""
    add(door, "s", "a", *range(100))
    door("SREM", "s", "a")
    assert encoding(door, "s") == b"hashtable"
    door("SPOP", "s", 50)
    assert encoding(door, "s") == b"hashtable"
    door("SPOP", "s", 45)
    assert door("SCARD", "s") == 5
    assert encoding(door, "s") == b"intset"


def test_spop_keeps_the_expiry(door: Door) -> None:
    add(door, "s", *range(100))
    door("EXPIRE", "s", 100)
    for count in (1, 50, 45):
        door("SPOP", "s", count)
        assert 99 <= door("TTL", "s") <= 100


def test_counts_that_are_none(door: Door) -> None:
    door.check(
        """
        SADD s a b               -> :2
        SPOP s -1                -> -ERR value is out of range, must be positive
        SPOP s x                 -> -ERR value is out of range, must be positive
        SPOP s ""                -> -ERR value is out of range, must be positive
        SPOP s 9223372036854775808 -> -ERR value is out of range, must be positive
        SPOP s -9223372036854775808 -> -ERR value is out of range, must be positive
        SPOP s 1 1               -> -ERR syntax error
        SPOP none x              -> -ERR value is out of range, must be positive
        SRANDMEMBER s x          -> -$int
        SRANDMEMBER s ""         -> -$int
        SRANDMEMBER s 1.0        -> -$int
        SRANDMEMBER s 9223372036854775808 -> -$int
        SRANDMEMBER s -9223372036854775808 -> -$range
        SRANDMEMBER none x       -> -$int
        SRANDMEMBER none -9223372036854775808 -> -$range
        SRANDMEMBER s 1 1        -> -ERR syntax error
        SRANDMEMBER s x 1        -> -ERR syntax error
        SRANDMEMBER s 9223372036854775807 -> set["a", "b"]
        SRANDMEMBER none -9223372036854775807 -> []
        SCARD s                  -> :2
        SET k v                  -> +OK
        SPOP k x                 -> -ERR value is out of range, must be positive
        SRANDMEMBER k x          -> -$int
    """.replace("$int", WRONG_INT).replace(
            "$range",
            "ERR value is out of range, value must between "
            "-9223372036854775807 and 9223372036854775807",
        )
    )


@pytest.mark.parametrize("text", ["%d", "w%d"])
@pytest.mark.parametrize("size", [1, 5, 60, 600])
def test_srandmember(door: Door, text: str, size: int) -> None:
    model = {(text % i).encode() for i in range(size)}
    door("SADD", "s", *model)
    assert door("SRANDMEMBER", "s") in model
    for count in (0, 1, 2, size // 3, size // 2, size - 1, size, size + 1, MAX):
        got = door("SRANDMEMBER", "s", count)
        assert len(got) == len(set(got)) == min(count, size)
        assert set(got) <= model
    for count in (1, 2, size, 3 * size):
        got = door("SRANDMEMBER", "s", -count)
        assert len(got) == count
        assert set(got) <= model
    assert door("SCARD", "s") == size


def test_picks_without_end_are_refused(door: Door) -> None:
    """Redis 7.0 answers such a count until its memory is used up (hazard 28)."""
    if door.is_reference:
        pytest.skip("Redis dies of it")
    add(door, "s", "a")
    add(door, "big", "x" * 100_000)
    before = door.settled_memory() if not door.is_embedded else 0
    for count in (-MAX, -(2**62) - 1, -(2**32), -50_000_000):
        assert door("SRANDMEMBER", "s", count) == "ERR value is out of range"
    assert door("SRANDMEMBER", "big", -5_000_000) == "ERR value is out of range"
    assert len(door("SRANDMEMBER", "s", -100_000)) == 100_000
    if not door.is_embedded:
        assert door.settled_memory() - before < 1 << 20


@pytest.mark.parametrize("command", ["SRANDMEMBER", "SRANDMEMBER 1", "SRANDMEMBER -1", "SPOP 1"])
@pytest.mark.parametrize("first", ["1", "a", "x" * 100])
def test_every_member_is_as_likely(door: Door, command: str, first: str) -> None:
    """Chi-square with 9 degrees of freedom: 40 is one in 100,000."""
    if door.is_reference:
        pytest.skip("Redis' own choices are less even")
    name, *count = command.split()
    model = [first, *map(str, range(10, 19))]
    seen: Counter[bytes] = Counter()
    rounds = 3000
    for _ in range(rounds if name == "SRANDMEMBER" else rounds // 3):
        if name == "SPOP":
            door("SADD", "s", *model)
        elif not seen:
            add(door, "s", *model)
        got = door(name, "s", *count)
        seen[got if isinstance(got, bytes) else next(iter(got))] += 1
    assert set(seen) == {m.encode() for m in model}
    each = seen.total() / 10
    assert sum((n - each) ** 2 / each for n in seen.values()) < 40, seen


# ---- SMOVE --------------------------------------------------------------------------------------


def test_smove(door: Door) -> None:
    door.check("""
        SADD s a b               -> :2
        SADD t c                 -> :1
        SMOVE s t x              -> :0
        SMOVE s t a              -> :1
        SMEMBERS s               -> set["b"]
        SMEMBERS t               -> set["a", "c"]
        SADD s a                 -> :1
        SMOVE s t a              -> :1
        SMEMBERS s               -> set["b"]
        SMOVE s new b            -> :1
        EXISTS s                 -> :0
        SMEMBERS new             -> set["b"]
        SMOVE s t a              -> :0
        SMOVE t t a              -> :1
        SMOVE t t x              -> :0
        SMEMBERS t               -> set["a", "c"]
        SMOVE none none a        -> :0
        SADD i 1 2               -> :2
        SMOVE i j 1              -> :1
        OBJECT ENCODING j        -> "intset"
        SMOVE t j a              -> :1
        OBJECT ENCODING j        -> "hashtable"
    """)


def test_smove_keeps_both_expiries(door: Door) -> None:
    door.check("""
        SADD s a b               -> :2
        SADD t c                 -> :1
        EXPIRE s 100             -> :1
        EXPIRE t 200             -> :1
        SMOVE s t a              -> :1
        TTL s                    -> :99..100
        TTL t                    -> :199..200
        SMOVE s fresh b          -> :1
        TTL fresh                -> :-1
    """)


def test_smove_and_types(door: Door) -> None:
    door.check(
        """
        SADD s a                 -> :1
        SET k v                  -> +OK
        SMOVE s k a              -> -$wrong
        SMOVE s k x              -> -$wrong
        SMOVE k s a              -> -$wrong
        SMOVE k k a              -> -$wrong
        SMOVE none k a           -> :0
        SMOVE k none a           -> -$wrong
        SMEMBERS s               -> set["a"]
    """.replace("$wrong", WRONG_TYPE)
    )


# ---- SINTER, SUNION, SDIFF ----------------------------------------------------------------------

SETS = {
    "ints": [str(i) for i in range(20)],
    "more": [str(i) for i in range(10, 600)],
    "words": [f"w{i}" for i in range(30)],
    "mixed": [*map(str, range(5, 15)), "a", "b", *[f"w{i}" for i in range(10, 200)]],
    "one": ["7"],
    "long": ["7", "w11", "x" * 200],
}


@pytest.mark.parametrize("keys", [1, 2, 3])
def test_operations_agree_with_python(door: Door, keys: int) -> None:
    for name, content in SETS.items():
        door("SADD", name, *content)
    model = {name: {m.encode() for m in content} for name, content in SETS.items()} | {"no": set()}
    for names in itertools.product(model, repeat=keys):
        sets = [model[n] for n in names]
        for op, expected in (
            ("INTER", sets[0].intersection(*sets[1:])),
            ("UNION", sets[0].union(*sets[1:])),
            ("DIFF", sets[0].difference(*sets[1:])),
        ):
            got = door(f"S{op}", *names)
            assert len(got) == len(expected), (op, names)
            assert set(got) == expected, (op, names)
            if keys == 3 and names[0] > names[1]:
                continue
            assert door(f"S{op}STORE", "result", *names) == len(expected), (op, names)
            assert members(door, "result") == expected, (op, names)
            assert door("EXISTS", "result") == bool(expected)
        assert door("SINTERCARD", keys, *names) == len(sets[0].intersection(*sets[1:]))


def test_a_store_may_replace_one_of_its_sources(door: Door) -> None:
    door.check("""
        SADD a 1 2 3             -> :3
        SADD b 2 3 4             -> :3
        SINTERSTORE a a b        -> :2
        SMEMBERS a               -> set["2", "3"]
        SUNIONSTORE b a b        -> :3
        SMEMBERS b               -> set["2", "3", "4"]
        SDIFFSTORE b b a         -> :1
        SMEMBERS b               -> set["4"]
        SDIFFSTORE b b b         -> :0
        EXISTS b                 -> :0
        SINTERSTORE a a a        -> :2
        SMEMBERS a               -> set["2", "3"]
    """)


@pytest.mark.parametrize("command", ["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"])
def test_a_store_replaces_any_type_and_ends_the_expiry(door: Door, command: str) -> None:
    add(door, "s", "a", "b")
    for key in ("string", "set"):
        door("SET", "string", "v")
        add(door, "set", "z")
        door("EXPIRE", key, 100)
        assert door(command, key, "s") == 2
        assert members(door, key) == {b"a", b"b"}
        assert door("TTL", key) == -1
        door("SET", key, "v", "EX", 100)
        assert door(command, key, "none") == 0
        assert door("EXISTS", key) == 0
        door("DEL", "set", "string")


def test_sintercard(door: Door) -> None:
    door.check("""
        SADD a 1 2 3 4           -> :4
        SADD b 2 3 4 5           -> :4
        SINTERCARD 1 a           -> :4
        SINTERCARD 2 a b         -> :3
        SINTERCARD 2 a b LIMIT 0 -> :3
        SINTERCARD 2 a b LIMIT 1 -> :1
        SINTERCARD 2 a b limit 3 -> :3
        SINTERCARD 2 a b LIMIT 9223372036854775807 -> :3
        SINTERCARD 2 a b LIMIT 1 LIMIT 2 -> :2
        SINTERCARD 2 a none      -> :0
        SINTERCARD 2 a a         -> :4
        SINTERCARD 1 none        -> :0
        SINTERCARD 2 LIMIT a     -> :0
        SINTERCARD 0 a           -> -ERR numkeys should be greater than 0
        SINTERCARD -1 a          -> -ERR numkeys should be greater than 0
        SINTERCARD x a           -> -ERR numkeys should be greater than 0
        SINTERCARD "" a          -> -ERR numkeys should be greater than 0
        SINTERCARD 9223372036854775808 a -> -ERR numkeys should be greater than 0
        SINTERCARD 2 a           -> -ERR Number of keys can't be greater than number of args
        SINTERCARD 4611686018427387904 a -> -ERR Number of keys can't be greater than number of args
        SINTERCARD 1 a b         -> -ERR syntax error
        SINTERCARD 1 a LIMIT     -> -ERR syntax error
        SINTERCARD 1 a LIMIT -1  -> -ERR LIMIT can't be negative
        SINTERCARD 1 a LIMIT x   -> -ERR LIMIT can't be negative
        SINTERCARD 1 a LIMIT 1 x -> -ERR syntax error
        SINTERCARD 1 a LIMIT x x -> -ERR LIMIT can't be negative
        SET k v                  -> +OK
        SINTERCARD 1 k LIMIT x   -> -ERR LIMIT can't be negative
        SINTERCARD 1 k b         -> -ERR syntax error
        COMMAND GETKEYS SINTERCARD 2 a b LIMIT 1 -> ["a", "b"]
        COMMAND GETKEYS SINTERSTORE a b c -> ["a", "b", "c"]
    """)


def test_many_sets_at_once(door: Door) -> None:
    for i in range(200):
        add(door, f"s{i}", "all", i)
    names = [f"s{i}" for i in range(200)]
    assert set(door("SINTER", *names)) == {b"all"}
    assert door("SINTERCARD", 200, *names) == 1
    assert len(door("SUNION", *names)) == 201
    assert set(door("SDIFF", *names)) == {b"0"}
    assert door("SUNIONSTORE", "u", *names, *names) == 201
    assert door("SDIFFSTORE", "u", "u", *names[1:]) == 1
    assert members(door, "u") == {b"0"}


# ---- SSCAN --------------------------------------------------------------------------------------


def scan(door: Door, key: str, *options: object) -> list[bytes]:
    found, cursor = [], b"0"
    for _ in range(100_000):
        cursor, page = door("SSCAN", key, cursor, *options)
        found += page
        if cursor == b"0":
            return found
    raise AssertionError("SSCAN does not end")


@pytest.mark.parametrize("text", ["%d", "w%d"])
@pytest.mark.parametrize("size", [1, 64, 600, 3000])
def test_sscan_finds_every_member(door: Door, text: str, size: int) -> None:
    model = {(text % i).encode() for i in range(size)}
    door("SADD", "s", *model)
    assert set(scan(door, "s")) == model
    assert set(scan(door, "s", "COUNT", 1000)) == model
    assert set(scan(door, "s", "COUNT", MAX)) == model
    assert set(scan(door, "s", "MATCH", "*7")) == {m for m in model if m.endswith(b"7")}
    assert scan(door, "s", "MATCH", "nothing") == []


def test_sscan_finds_what_stays_while_others_come_and_go(door: Door) -> None:
    stay = {b"stay%d" % i for i in range(500)}
    door("SADD", "s", *stay, *[f"go{i}" for i in range(1500)])
    found: set[bytes] = set()
    cursor, step = b"0", 0
    while True:
        cursor, page = door("SSCAN", "s", cursor)
        found |= set(page)
        if cursor == b"0":
            break
        door("SREM", "s", *[f"go{i}" for i in range(step * 20, step * 20 + 20)])
        door("SADD", "s", *[f"new{step}-{i}" for i in range(3)])
        step += 1
    assert stay <= found


def test_sscan_arguments(door: Door) -> None:
    door.check(
        """
        SSCAN none 0             -> ["0", []]
        SSCAN none 5             -> ["0", []]
        SSCAN none x             -> -ERR invalid cursor
        SSCAN none 0 COUNT 0     -> ["0", []]
        SSCAN none 0 nonsense    -> ["0", []]
        SADD s a                 -> :1
        SSCAN s 0                -> ["0", ["a"]]
        SSCAN s 0 COUNT 0        -> -ERR syntax error
        SSCAN s 0 COUNT -1       -> -ERR syntax error
        SSCAN s 0 COUNT x        -> -$int
        SSCAN s 0 COUNT          -> -ERR syntax error
        SSCAN s 0 MATCH          -> -ERR syntax error
        SSCAN s 0 TYPE set       -> -ERR syntax error
        SSCAN s 0 match b count 5 -> ["0", []]
        SSCAN s 0 MATCH ?        -> ["0", ["a"]]
        SSCAN s x                -> -ERR invalid cursor
        SET k v                  -> +OK
        SSCAN k 0                -> -$wrong
        SSCAN k x                -> -ERR invalid cursor
        SSCAN k 0 COUNT x        -> -$wrong
    """.replace("$int", WRONG_INT).replace("$wrong", WRONG_TYPE)
    )


# ---- other keys, other clients ------------------------------------------------------------------

READS = (
    "SCARD k",
    "SMEMBERS k",
    "SISMEMBER k a",
    "SMISMEMBER k a b",
    "SRANDMEMBER k",
    "SRANDMEMBER k 2",
    "SSCAN k 0",
    "SINTER k",
    "SINTER s k",
    "SINTER none k",
    "SINTERCARD 1 k",
    "SINTERCARD 2 s k",
    "SINTERCARD 2 none k LIMIT 1",
    "SUNION s k",
    "SUNION none k",
    "SDIFF s k",
    "SDIFF none k",
    "SDIFF s s k",
)
WRITES = (
    "SADD k a",
    "SREM k a",
    "SPOP k",
    "SPOP k 2",
    "SPOP k 0",
    "SMOVE k s a",
    "SINTERSTORE d s k",
    "SINTERSTORE k s k",
    "SUNIONSTORE d s k",
    "SUNIONSTORE k s k",
    "SDIFFSTORE d s k",
    "SDIFFSTORE k s s k",
    "SINTERSTORE d none k",
)


@pytest.mark.parametrize("command", READS + WRITES)
def test_another_type_is_refused_and_left_alone(door: Door, command: str) -> None:
    add(door, "s", "a")
    for make in (("SET", "k", "v"), ("SET", "k", "x" * 20_000), ("SET", "k", "7")):
        door(*make)
        assert door(*command.split()) == WRONG_TYPE
        assert door("GET", "k") == make[2].encode()
        assert door("EXISTS", "d") == 0
        assert members(door, "s") == {b"a"}


@pytest.mark.parametrize(
    "command",
    ["GET s", "INCR s", "APPEND s x", "STRLEN s", "GETRANGE s 0 1", "SETRANGE s 0 x", "GETDEL s"],
)
@pytest.mark.parametrize("size", [1, 600])
def test_string_commands_refuse_sets(door: Door, command: str, size: int) -> None:
    add(door, "s", *range(size))
    assert door(*command.split()) == WRONG_TYPE
    assert members(door, "s") == numbers(size)
    assert door("MGET", "s", "s") == [None, None]
    assert door("SET", "s", "v") == "OK"
    assert door("GET", "s") == b"v"


@pytest.mark.parametrize("content", [["a"], ["1"], [*map(str, range(600))], ["x" * 100]])
def test_watch_sees_every_change_and_nothing_else(door: Door, content: list[str]) -> None:
    other = door.other()

    def changed(command: str) -> bool:
        door("DEL", "s", "t", "d", "e")
        door("SADD", "s", *content)
        add(door, "t", "other")
        door("SADD", "d", "z")
        door("WATCH", "d" if "STORE" in command else "s")
        other(*command.split())
        door("MULTI")
        door("PING")
        return door("EXEC") is None

    first = content[0]
    for command in (
        "SADD s new",
        f"SREM s {first}",
        "SPOP s",
        "SPOP s 1",
        "SPOP s 599",
        "SPOP s 1000",
        f"SMOVE s t {first}",
        "SMOVE t s other",
        "SINTERSTORE d s",
        "SINTERSTORE d s t",
        "SUNIONSTORE d s t",
        "SDIFFSTORE d s t",
        "SDIFFSTORE d s s",
        "EXPIRE s 100",
        "DEL s",
    ):
        assert changed(command), command
    for command in (
        f"SADD s {first}",
        "SREM s none",
        "SPOP s 0",
        "SMOVE s t none",
        f"SMOVE s s {first}",
        "SMEMBERS s",
        "SRANDMEMBER s",
        "SINTERSTORE e s",
        "SDIFFSTORE e d d",
        "SADD t more",
    ):
        assert not changed(command), command


@pytest.mark.parametrize("size", [3, 100, 600])
def test_a_copy_and_its_original_change_apart(door: Door, size: int) -> None:
    add(door, "s", "a", *range(size))
    all_of_it = numbers(size) | {b"a"}
    assert door("COPY", "s", "c") == 1
    assert encoding(door, "c") == b"hashtable"
    door("SADD", "c", "only-c")
    door("SREM", "s", "a")
    assert members(door, "c") == all_of_it | {b"only-c"}
    assert members(door, "s") == all_of_it - {b"a"}
    assert door("COPY", "s", "c", "REPLACE") == 1
    door("SPOP", "c", size - 1)
    assert members(door, "s") == all_of_it - {b"a"}
    assert door("RENAME", "s", "c") == "OK"
    assert members(door, "c") == all_of_it - {b"a"}
    assert door("SADD", "c", "b") == 1
    assert door("MOVE", "c", 1) == 1
    assert door("SCARD", "c") == 0
    door("SELECT", 1)
    assert door("SCARD", "c") == size + 1
    door("DEL", "c")
    door("SELECT", 0)


def test_changes_keep_the_expiry(door: Door) -> None:
    for size in (1, 100, 600):
        door("DEL", "s")
        add(door, "s", *range(size))
        door("EXPIRE", "s", 100)
        door("SADD", "s", "a")
        door("SREM", "s", 0)
        assert 99 <= door("TTL", "s") <= 100
        door("SREM", "s", "a", *range(size))
        door("SADD", "s", "a")
        assert door("TTL", "s") == -1


def test_an_expired_set_is_no_set(door: Door) -> None:
    door("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    try:
        for size in (1, 600):
            add(door, "s", *range(size))
            add(door, "t", 1)
            door("PEXPIREAT", "s", 1)
            assert door("SADD", "s", "new") == 1
            assert members(door, "s") == {b"new"}
            door("DEL", "s", "t")
    finally:
        door("DEBUG", "SET-ACTIVE-EXPIRE", 1)


def test_inside_a_transaction(door: Door) -> None:
    door.check("""
        MULTI                    -> +OK
        SADD s a b c             -> +QUEUED
        SMEMBERS s               -> +QUEUED
        SADD t b                 -> +QUEUED
        SMOVE s t a              -> +QUEUED
        SDIFFSTORE d s t         -> +QUEUED
        SREM s b c               -> +QUEUED
        EXISTS s                 -> +QUEUED
        SMEMBERS d               -> +QUEUED
        EXEC                     -> [:3, set["a", "b", "c"], :1, :1, :1, :2, :0, set["c"]]
    """)


def test_digests_do_not_depend_on_order_or_form(door: Door) -> None:
    words = [f"w{i}" for i in range(200)]
    add(door, "a", *words)
    add(door, "b", *reversed(words))
    add(door, "c", *words, "x" * 100)
    door("SREM", "c", "x" * 100)
    digests = set(door("DEBUG", "DIGEST-VALUE", "a", "b", "c"))
    assert len(digests) == 1
    add(door, "i", *range(50))
    add(door, "j", "a", *range(50))
    door("SREM", "j", "a")
    assert len(set(door("DEBUG", "DIGEST-VALUE", "i", "j"))) == 1


def test_wrong_arity(door: Door) -> None:
    for name, most in {
        "SADD": 1,
        "SREM": 1,
        "SCARD": 0,
        "SISMEMBER": 1,
        "SMISMEMBER": 1,
        "SMEMBERS": 0,
        "SSCAN": 1,
        "SMOVE": 2,
        "SPOP": 0,
        "SRANDMEMBER": 0,
        "SINTER": 0,
        "SINTERSTORE": 1,
        "SINTERCARD": 1,
        "SUNION": 0,
        "SUNIONSTORE": 1,
        "SDIFF": 0,
        "SDIFFSTORE": 1,
    }.items():
        error = f"ERR wrong number of arguments for '{name.lower()}' command"
        assert door(name, *["x"] * most) == error
    for name, least in (("SCARD", 2), ("SISMEMBER", 3), ("SMEMBERS", 2), ("SMOVE", 4)):
        error = f"ERR wrong number of arguments for '{name.lower()}' command"
        assert door(name, *["x"] * least) == error


def test_a_large_set_goes_without_a_trace(door: Door) -> None:
    """Deleted, replaced, popped: its memory comes back, in slices (hazard 41)."""
    if door.is_reference:
        pytest.skip("about our memory")
    if door.is_embedded:
        pytest.skip("settled_memory needs traffic on loops")
    before = door.settled_memory()
    fill = [
        ("SADD", "s", *[f"member:{i + j}" for j in range(1000)]) for i in range(0, 200_000, 1000)
    ]
    for end in (
        ("DEL", "s"),
        ("SPOP", "s", 200_000),
        ("SET", "s", "v"),
        ("SINTERSTORE", "s", "no"),
    ):
        door.many(fill)
        assert int(door.info("memory")["used_memory"]) - before > 5 << 20
        door(*end)
        assert door("DEL", "s") in (0, 1)
        assert door.settled_memory() - before < 1 << 20, end
