"""Sorted set commands: literal replies that redis-server 7.0 proves."""

from __future__ import annotations

import random

import pytest

from tools.doors import Door
from tools.zsets import MAX, MIN, NOT_FLOAT, NOT_INT, SYNTAX, WRONG, scored

# ---- ZADD and ZINCRBY ----------------------------------------------------------------------------


def test_zadd_adds_updates_and_counts(door: Door) -> None:
    door.check("""
        ZADD z 1 a               -> :1
        ZADD z 2 b 3 c           -> :2
        ZADD z 5 a 6 d           -> :1
        ZADD z CH 7 a 8 e 3 c    -> :2
        ZADD z 1 x 2 x 3 x       -> :1
        ZSCORE z x               -> double 3
        ZCARD z                  -> :6
        zadd z ch 1 x            -> :1
        TYPE z                   -> +zset
    """)


def test_zadd_nx_and_xx(door: Door) -> None:
    door.check("""
        ZADD z XX 1 a            -> :0
        EXISTS z                 -> :0
        ZADD z NX 1 a            -> :1
        ZADD z NX 2 a 3 b        -> :1
        ZSCORE z a               -> double 1
        ZADD z XX CH 2 a 3 c     -> :1
        ZSCORE z a               -> double 2
        ZSCORE z c               -> nil
        ZADD z XX XX xx 3 a      -> :0
        ZSCORE z a               -> double 3
    """)


def test_zadd_gt_and_lt(door: Door) -> None:
    door.check("""
        ZADD z GT 5 a            -> :1
        ZADD z GT CH 4 a         -> :0
        ZADD z GT CH 5 a         -> :0
        ZADD z GT CH 6 a         -> :1
        ZADD z LT CH 7 a         -> :0
        ZADD z LT CH 6 a         -> :0
        ZADD z LT CH 5 a 9 b     -> :2
        ZADD z GT XX CH 1 new    -> :0
        ZADD z LT XX CH 1 a      -> :1
        ZSCORE z a               -> double 1
        ZSCORE z b               -> double 9
    """)


def test_zadd_incr(door: Door) -> None:
    door.check("""
        ZADD z INCR 1.5 a        -> double 1.5
        ZADD z INCR 1.5 a        -> double 3
        ZADD z NX INCR 1 a       -> nil
        ZADD z NX INCR 1 b       -> double 1
        ZADD z XX INCR 1 none    -> nil
        ZADD z XX INCR 1 b       -> double 2
        ZADD z GT INCR -1 b      -> nil
        ZADD z LT INCR -1 b      -> double 1
        ZADD z GT INCR 0 b       -> nil
        ZADD z INCR 0 b          -> double 1
        ZADD z CH INCR 1 b       -> double 2
        ZADD none XX INCR 1 b    -> nil
        EXISTS none              -> :0
    """)


def test_zadd_refuses(door: Door) -> None:
    clash = "-ERR GT, LT, and/or NX options at the same time are not compatible"
    door.check(f"""
        ZADD z                   -> -ERR wrong number of arguments for 'zadd' command
        ZADD z 1                 -> -ERR wrong number of arguments for 'zadd' command
        ZADD z 1 a 2             -> {SYNTAX}
        ZADD z NX XX             -> {SYNTAX}
        ZADD z NX 1              -> {SYNTAX}
        ZADD z NX XX 1 a         -> -ERR XX and NX options at the same time are not compatible
        ZADD z GT LT 1 a         -> {clash}
        ZADD z NX GT 1 a         -> {clash}
        ZADD z LT NX 1 a         -> {clash}
        ZADD z NX XX GT x a      -> -ERR XX and NX options at the same time are not compatible
        ZADD z INCR 1 a 2 b      -> -ERR INCR option supports a single increment-element pair
        ZADD z INCR NX XX 1 a 2 b -> -ERR XX and NX options at the same time are not compatible
        ZADD z FOO 1 a           -> {SYNTAX}
        ZADD z FOO 1             -> {NOT_FLOAT}
        ZADD z 1 NX              -> :1
        ZADD z 1 a NX b          -> {NOT_FLOAT}
        ZRANGE z 0 -1            -> ["NX"]
        SET s v                  -> +OK
        ZADD s x a               -> {NOT_FLOAT}
        ZADD s 1 a               -> {WRONG}
        ZADD s XX 1 a            -> {WRONG}
        ZINCRBY s x a            -> {NOT_FLOAT}
        ZINCRBY s 1 a            -> {WRONG}
        GET s                    -> "v"
    """)


def test_one_bad_score_of_many_changes_nothing(door: Door) -> None:
    door.check(f"""
        ZADD z 1 a nan b         -> {NOT_FLOAT}
        EXISTS z                 -> :0
        ZADD z 1 a               -> :1
        ZADD z 2 a 3 b x c       -> {NOT_FLOAT}
        ZRANGE z 0 -1            -> ["a"]
        ZSCORE z a               -> double 1
    """)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("3", "3"),
        ("3.0", "3"),
        ("+3", "3"),
        ("4503599627370497", "4503599627370497"),
        ("1e3", "1000"),
        ("0x10", "16"),
        ("0x1p-1", "0.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("0.1", "0.10000000000000001"),
        ("1e15", "1000000000000000"),
        ("9.2e18", "9.2e+18"),
        ("1e16", "10000000000000000"),
        ("9007199254740993", "9007199254740992"),
        ("1e-5", "1.0000000000000001e-05"),
        ("5e-324", "4.9406564584124654e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("inf", "inf"),
        ("+inf", "inf"),
        ("-inf", "-inf"),
        ("Infinity", "inf"),
        ("-INFINITY", "-inf"),
    ],
)
def test_scores_are_read_and_shown_as_doubles(door: Door, text: str, shown: str) -> None:
    door.check(
        f"""
        ZADD z $s m              -> :1
        ZSCORE z m               -> double {shown}
        ZMSCORE z m none         -> [double {shown}, nil]
        ZINCRBY z $s none        -> double {shown}
        ZSCAN z 0 MATCH m        -> ["0", ["m", "{shown}"]]
    """,
        s=text,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1,5",
        "nan",
        "-nan",
        "NAN(1)",
        "1e309",
        "-1e309",
        "1e-400",
        "abc",
        "1\0",
        "0x",
        ".",
        "-",
        "+-1",
        "--1",
        "1e",
        "infinit",
        "9" * 400,
    ],
)
def test_these_are_no_scores(door: Door, text: str) -> None:
    door.check(
        f"""
        ZADD z $s m              -> {NOT_FLOAT}
        ZADD z INCR $s m         -> {NOT_FLOAT}
        ZINCRBY z $s m           -> {NOT_FLOAT}
        EXISTS z                 -> :0
    """,
        s=text,
    )


def test_infinity_minus_infinity_is_refused(door: Door) -> None:
    nan = "-ERR resulting score is not a number (NaN)"
    door.check(f"""
        ZINCRBY z inf m          -> double inf
        ZINCRBY z 1 m            -> double inf
        ZINCRBY z -inf m         -> {nan}
        ZADD z INCR -inf m       -> {nan}
        ZSCORE z m               -> double inf
        ZADD z 1.7e308 n         -> :1
        ZINCRBY z 1.7e308 n      -> double inf
    """)


def test_zincrby(door: Door) -> None:
    door.check(f"""
        ZINCRBY z 2 a            -> double 2
        ZINCRBY z -3.5 a         -> double -1.5
        ZINCRBY z 0 b            -> double 0
        ZRANGE z 0 -1            -> ["a", "b"]
        ZINCRBY z NX m           -> {SYNTAX}
        ZINCRBY z 1              -> -ERR wrong number of arguments for 'zincrby' command
        ZINCRBY z 1 m 1          -> -ERR wrong number of arguments for 'zincrby' command
    """)


def test_minus_zero_equals_zero(door: Door) -> None:
    door.check("""
        ZADD z 0 a -0 b 0 c      -> :3
        ZRANGE z 0 -1            -> ["a", "b", "c"]
        ZADD z CH -0 a           -> :0
        ZSCORE z a               -> double 0
        ZCOUNT z 0 0             -> :3
        ZCOUNT z -0 -0           -> :3
        ZCOUNT z (-0 (0          -> :0
        ZINCRBY z -0 new         -> double -0
        ZSCORE z new             -> double 0
    """)
    door.config("zset-max-listpack-entries", 0)
    door.check("""
        ZADD y -0 a 0 b          -> :2
        ZSCORE y a               -> double -0
        ZRANGE y 0 -1            -> ["a", "b"]
        ZADD y 0 a               -> :0
        ZSCORE y a               -> double -0
        ZUNIONSTORE d 1 y        -> :2
        ZSCORE d a               -> double -0
        ZINCRBY y 0 a            -> double 0
    """)
    door.config("zset-max-listpack-entries", 128)
    door.check("""
        ZUNIONSTORE d 1 y WEIGHTS -1 -> :2
        ZSCORE d b               -> double 0
    """)


def test_zscan_shows_whole_scores_of_small_sets_as_integers(door: Door) -> None:
    door.check(f"""
        ZADD z 1e17 m            -> :1
        ZSCORE z m               -> double 1e+17
        ZSCAN z 0                -> ["0", ["m", "100000000000000000"]]
        ZADD z {2**62} m         -> :0
        ZSCAN z 0                -> ["0", ["m", "{2**62}"]]
        ZADD z {-(2**62)} m      -> :0
        ZSCAN z 0                -> ["0", ["m", "{-(2**62)}"]]
        ZADD z {2**62 + 1024} m  -> :0
        ZSCAN z 0                -> ["0", ["m", "4.6116860184273889e+18"]]
        ZADD z 123456789012345678 m -> :0
        ZSCAN z 0                -> ["0", ["m", "123456789012345680"]]
    """)
    door.config("zset-max-listpack-entries", 0)
    door.check("""
        ZADD y 1e17 m            -> :1
        ZSCAN y 0                -> ["0", ["m", "1e+17"]]
    """)


# ---- members -------------------------------------------------------------------------------------


def test_zrem(door: Door) -> None:
    door.check(f"""
        ZREM z a                 -> :0
        ZADD z 1 a 2 b 3 c       -> :3
        ZREM z x a a             -> :1
        ZREM z b c d             -> :2
        EXISTS z                 -> :0
        SET s v                  -> +OK
        ZREM s a                 -> {WRONG}
        ZREM z                   -> -ERR wrong number of arguments for 'zrem' command
    """)


def test_looking_at_members(door: Door) -> None:
    door.check(f"""
        ZCARD none               -> :0
        ZSCORE none a            -> nil
        ZMSCORE none a b         -> [nil, nil]
        ZRANK none a             -> nil
        ZREVRANK none a          -> nil
        ZADD z 1 a 2 b 2 c 3 ""  -> :4
        ZCARD z                  -> :4
        ZSCORE z ""              -> double 3
        ZSCORE z x               -> nil
        ZMSCORE z a x b a        -> [double 1, nil, double 2, double 1]
        ZRANK z a                -> :0
        ZRANK z b                -> :1
        ZRANK z c                -> :2
        ZRANK z ""               -> :3
        ZREVRANK z a             -> :3
        ZREVRANK z ""            -> :0
        ZRANK z x                -> nil
        ZRANK z a WITHSCORE      -> -ERR wrong number of arguments for 'zrank' command
        SET s v                  -> +OK
        ZCARD s                  -> {WRONG}
        ZSCORE s a               -> {WRONG}
        ZMSCORE s a              -> {WRONG}
        ZRANK s a                -> {WRONG}
        ZREVRANK s a             -> {WRONG}
    """)


def test_members_are_binary(door: Door) -> None:
    door.check(r"""
        ZADD z 1 "\x00" 1 "a\x00b" 1 "a" 1 "\xff\r\n" -> :4
        ZRANGE z 0 -1            -> ["\x00", "a", "a\x00b", "\xff\r\n"]
        ZSCORE z "a\x00b"        -> double 1
        ZREM z "\x00"            -> :1
    """)


def test_other_commands_refuse_a_sorted_set(door: Door) -> None:
    door.check(f"""
        ZADD z 1 a               -> :1
        GET z                    -> {WRONG}
        APPEND z x               -> {WRONG}
        INCR z                   -> {WRONG}
        STRLEN z                 -> {WRONG}
        SET z v GET              -> {WRONG}
        ZSCORE z a               -> double 1
        SETNX z v                -> :0
        SET z v                  -> +OK
        GET z                    -> "v"
    """)


# ---- popping -------------------------------------------------------------------------------------


def test_zpopmin_and_zpopmax(door: Door) -> None:
    door.check(f"""
        ZADD z 1 a 2 b 3 c 4 d 5 e -> :5
        ZPOPMIN z                -> ["a", double 1]
        ZPOPMAX z                -> ["e", double 5]
        ZPOPMIN z 0              -> []
        ZPOPMIN none             -> []
        ZPOPMIN none 5           -> []
        ZPOPMIN z 1 2            -> {SYNTAX}
        ZPOPMIN z x              -> -ERR value is out of range, must be positive
        ZPOPMAX z -1             -> -ERR value is out of range, must be positive
        ZPOPMAX z {2**63}        -> -ERR value is out of range, must be positive
    """)
    door.check(f"ZPOPMAX z 2 -> {scored(door, ('d', '4'), ('c', '3'))}")
    door.check(f"""
        ZPOPMAX z {MAX}          -> {scored(door, ("b", "2"))}
        EXISTS z                 -> :0
        SET s v                  -> +OK
        ZPOPMIN s                -> {WRONG}
        ZPOPMIN s 0              -> {WRONG}
        ZPOPMIN s x              -> -ERR value is out of range, must be positive
    """)


def test_zmpop(door: Door) -> None:
    door.check(f"""
        ZMPOP 1 z MIN            -> nilarray
        ZADD z 1 a 2 b 3 c       -> :3
        ZADD y 9 x               -> :1
        ZMPOP 3 none z y MIN     -> ["z", [["a", double 1]]]
        ZMPOP 2 z y MAX COUNT 5  -> ["z", [["c", double 3], ["b", double 2]]]
        EXISTS z                 -> :0
        ZMPOP 2 z y max count {MAX} -> ["y", [["x", double 9]]]
        ZMPOP 2 z y MAX COUNT 1  -> nilarray
    """)


def test_zmpop_refuses(door: Door) -> None:
    keys = "-ERR numkeys should be greater than 0"
    count = "-ERR count should be greater than 0"
    door.check(f"""
        SET s v                  -> +OK
        ZMPOP 1 s MIN            -> {WRONG}
        ZADD z 1 a               -> :1
        ZMPOP 2 s z MIN          -> {WRONG}
        ZMPOP 0 z MIN            -> {keys}
        ZMPOP -1 z MIN           -> {keys}
        ZMPOP x z MIN            -> {keys}
        ZMPOP {2**62} z MIN      -> {SYNTAX}
        ZMPOP {MAX} z MIN        -> {SYNTAX}
        ZMPOP {2**63} z MIN      -> {keys}
        ZMPOP 2 z MIN            -> {SYNTAX}
        ZMPOP 3 z MIN            -> {SYNTAX}
        ZMPOP 1 z FOO            -> {SYNTAX}
        ZMPOP 1 z MIN MAX        -> {SYNTAX}
        ZMPOP 1 z MIN COUNT      -> {SYNTAX}
        ZMPOP 1 z MIN COUNT 0    -> {count}
        ZMPOP 1 z MIN COUNT -1   -> {count}
        ZMPOP 1 z MIN COUNT x    -> {count}
        ZMPOP 1 z MIN COUNT 1 COUNT 1 -> {SYNTAX}
        ZMPOP 1 z MIN COUNT x FOO -> {count}
        ZMPOP 1 z                -> -ERR wrong number of arguments for 'zmpop' command
        ZCARD z                  -> :1
    """)


# ---- chance --------------------------------------------------------------------------------------


def test_zrandmember(door: Door) -> None:
    door.check(f"""
        ZRANDMEMBER none         -> nil
        ZRANDMEMBER none 3       -> []
        ZRANDMEMBER none -3 WITHSCORES -> []
        ZADD z 1 a               -> :1
        ZRANDMEMBER z            -> "a"
        ZRANDMEMBER z 0          -> []
        ZRANDMEMBER z 5          -> ["a"]
        ZRANDMEMBER z -3         -> ["a", "a", "a"]
        ZRANDMEMBER z {MAX}      -> ["a"]
        ZRANDMEMBER z 2 WITHSCORES -> {scored(door, ("a", "1"))}
        ZRANDMEMBER z -2 withscores -> {scored(door, ("a", "1"), ("a", "1"))}
        ZRANDMEMBER z x          -> {NOT_INT}
        ZRANDMEMBER z x FOO      -> {NOT_INT}
        ZRANDMEMBER z 1 FOO      -> {SYNTAX}
        ZRANDMEMBER z 1 WITHSCORES 2 -> {SYNTAX}
        ZRANDMEMBER z {MIN}      -> -ERR value is out of range, value must between {-MAX} and {MAX}
        ZRANDMEMBER z {2**62} WITHSCORES -> -ERR value is out of range
        ZRANDMEMBER z {-(2**62) - 1} WITHSCORES -> -ERR value is out of range
        SET s v                  -> +OK
        ZRANDMEMBER s            -> {WRONG}
        ZRANDMEMBER s 1          -> {WRONG}
    """)


@pytest.mark.parametrize("members", [100, 1000])
def test_zrandmember_takes_each_member_once_or_any_member_often(door: Door, members: int) -> None:
    names = {b"m%d" % i for i in range(members)}
    door("ZADD", "z", *(x for i in range(members) for x in (i, f"m{i}")))
    for count in (1, 7, members // 2, members - 1, members, members + 5):
        got = door("ZRANDMEMBER", "z", count)
        assert len(got) == min(count, members) == len(set(got))
        assert set(got) <= names
    got = door("ZRANDMEMBER", "z", -3 * members)
    assert len(got) == 3 * members
    assert members // 2 < len(set(got)) <= members
    assert {door("ZRANDMEMBER", "z") for _ in range(200)} <= names


# ---- scanning ------------------------------------------------------------------------------------


def test_zscan(door: Door) -> None:
    door.check(f"""
        ZSCAN none 0             -> ["0", []]
        ZSCAN none x             -> -ERR invalid cursor
        ZADD z 1 a 2.5 b         -> :2
        ZSCAN z 0                -> ["0", ["a", "1", "b", "2.5"]]
        ZSCAN z 0 MATCH b*       -> ["0", ["b", "2.5"]]
        ZSCAN z 0 COUNT 100 MATCH x -> ["0", []]
        ZSCAN z x                -> -ERR invalid cursor
        ZSCAN z 0 COUNT x        -> {NOT_INT}
        ZSCAN z 0 COUNT 0        -> {SYNTAX}
        ZSCAN z 0 TYPE zset      -> {SYNTAX}
        ZSCAN z 0 FOO            -> {SYNTAX}
        SET s v                  -> +OK
        ZSCAN s 0                -> {WRONG}
    """)


def test_zscan_meets_every_member_of_a_large_set(door: Door) -> None:
    want = {b"m%d" % i: float(i) for i in range(1000)}
    door("ZADD", "z", *(x for m, s in want.items() for x in (s, m)))
    cursor, got = b"0", {}
    while True:
        cursor, page = door("ZSCAN", "z", cursor, "COUNT", 50)
        got |= {m: float(s) for m, s in zip(page[::2], page[1::2], strict=True)}
        if cursor == b"0":
            break
    assert got == want


# ---- forms, expiry, WATCH ------------------------------------------------------------------------


def test_encodings_at_the_limits(door: Door) -> None:
    door.config("zset-max-listpack-entries", 4)
    door.config("zset-max-listpack-value", 8)
    door.check("""
        ZADD z 1 a 2 b 3 c 4 d   -> :4
        OBJECT ENCODING z        -> "listpack"
        ZADD z 9 d               -> :0
        OBJECT ENCODING z        -> "listpack"
        ZADD z 5 e               -> :1
        OBJECT ENCODING z        -> "skiplist"
        ZREM z b c d e           -> :4
        OBJECT ENCODING z        -> "skiplist"
        ZRANGE z 0 -1            -> ["a"]
        ZADD y 1 12345678        -> :1
        OBJECT ENCODING y        -> "listpack"
        ZADD y 1 123456789       -> :1
        OBJECT ENCODING y        -> "skiplist"
        ZADD x 1 123456789       -> :1
        OBJECT ENCODING x        -> "skiplist"
        ZUNIONSTORE d 2 z z      -> :1
        OBJECT ENCODING d        -> "listpack"
        ZUNIONSTORE d 1 y        -> :2
        OBJECT ENCODING d        -> "skiplist"
        ZADD w 1 a 2 b 3 c 4 d   -> :4
        ZUNIONSTORE d 2 w y WEIGHTS 1 1 -> :6
        OBJECT ENCODING d        -> "skiplist"
        ZRANGESTORE d w 0 1      -> :2
        OBJECT ENCODING d        -> "listpack"
        ZRANGESTORE d y 0 -1     -> :2
        OBJECT ENCODING d        -> "skiplist"
        ZDIFFSTORE d 2 y x       -> :1
        OBJECT ENCODING d        -> "listpack"
        ZINTERSTORE d 2 y x      -> :1
        OBJECT ENCODING d        -> "skiplist"
    """)
    door.config("zset-max-listpack-entries", 0)
    door.check("""
        ZADD v 1 a               -> :1
        OBJECT ENCODING v        -> "skiplist"
        ZUNIONSTORE d 1 v        -> :1
        OBJECT ENCODING d        -> "skiplist"
        ZADD w 1 a               -> :0
        OBJECT ENCODING w        -> "listpack"
    """)


def test_expiry_is_kept_by_changes_and_dropped_by_stores(door: Door) -> None:
    door.check("""
        ZADD z 1 a 2 b 3 c 4 d   -> :4
        EXPIRE z 100             -> :1
        ZADD z 5 e               -> :1
        ZINCRBY z 1 a            -> double 2
        ZREM z b                 -> :1
        ZPOPMIN z                -> ["a", double 2]
        ZREMRANGEBYRANK z 0 0    -> :1
        TTL z                    -> :99..100
        ZPOPMIN z 5
        ZADD z 1 a               -> :1
        TTL z                    -> :-1
    """)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("ZADD z 5 new", True),
        ("ZADD z 9 a", True),
        ("ZADD z 1 a", False),
        ("ZADD z NX 9 a", False),
        ("ZADD none XX 9 a", False),
        ("ZINCRBY z 1 a", True),
        ("ZINCRBY z 0 a", False),
        ("ZREM z a", True),
        ("ZREM z none", False),
        ("ZPOPMIN z", True),
        ("ZPOPMIN z 0", False),
        ("ZMPOP 1 z MAX", True),
        ("ZREMRANGEBYRANK z 0 0", True),
        ("ZREMRANGEBYRANK z 9 9", False),
        ("ZREMRANGEBYSCORE z 1 1", True),
        ("ZREMRANGEBYLEX z - +", True),
        ("ZRANGESTORE z y 0 -1", True),
        ("ZUNIONSTORE z 1 y", True),
        ("ZINTERSTORE z 2 y none", True),
        ("ZDIFFSTORE none 1 none", False),
        ("ZRANGE z 0 -1", False),
    ],
)
def test_watch_sees_what_changes(door: Door, change: str, seen: bool) -> None:
    door("ZADD", "z", 1, "a", 2, "b")
    door("ZADD", "y", 1, "a")
    door("WATCH", "z", "none")
    door.other()(*change.split())
    door("MULTI")
    door("PING")
    assert door("EXEC") == (None if seen else ["PONG"])


def test_copy_and_rename_share_nothing_that_changes(door: Door) -> None:
    door("ZADD", "z", *(x for i in range(500) for x in (i, f"m{i}")))
    assert door("COPY", "z", "copy") == 1
    assert door("ZADD", "copy", 1000, "m0", 2000, "new") == 1
    assert door("ZREM", "z", "m499") == 1
    assert door("ZSCORE", "z", "m0") in (b"0", 0.0)
    assert door("ZSCORE", "z", "new") is None
    assert door("ZRANK", "copy", "m499") == 498
    assert door("RENAME", "copy", "z") == "OK"
    assert door("ZCARD", "z") == 501
    assert door("ZRANGE", "z", -1, -1) == [b"new"]


def test_a_transaction_sees_its_own_changes(door: Door) -> None:
    door.check("""
        MULTI                    -> +OK
        ZADD z 1 a 2 b           -> +QUEUED
        ZRANGE z 0 -1            -> +QUEUED
        ZUNIONSTORE d 2 z z      -> +QUEUED
        ZPOPMAX d                -> +QUEUED
        EXEC                     -> [:2, ["a", "b"], :2, ["b", double 4]]
    """)


# ---- large ones ----------------------------------------------------------------------------------


def test_a_large_set_agrees_with_a_sorted_list(door: Door) -> None:
    rng = random.Random(7)
    scores = {b"m%d" % i: float(rng.randrange(500)) for i in range(3000)}
    door.many([("ZADD", "z", s, m) for m, s in scores.items()])
    for name in rng.sample(sorted(scores), 1000):
        scores[name] = float(rng.randrange(500))
        door("ZADD", "z", scores[name], name)
    for name in rng.sample(sorted(scores), 1000):
        del scores[name]
        door("ZREM", "z", name)
    order = sorted(scores, key=lambda m: (scores[m], m))
    assert door("ZRANGE", "z", 0, -1) == order
    assert door("ZREVRANGE", "z", 0, -1) == order[::-1]
    for _ in range(50):
        low, high = sorted((rng.randrange(500), rng.randrange(500)))
        inside = [m for m in order if low <= scores[m] <= high]
        assert door("ZCOUNT", "z", low, high) == len(inside)
        assert door("ZRANGEBYSCORE", "z", low, high, "LIMIT", 3, 10) == inside[3:13]
        assert door("ZREVRANGEBYSCORE", "z", high, low, "LIMIT", 3, 10) == inside[::-1][3:13]
        rank = rng.randrange(len(order))
        assert door("ZRANK", "z", order[rank]) == rank
        assert door("ZREVRANK", "z", order[rank]) == len(order) - 1 - rank
    assert door("ZREMRANGEBYSCORE", "z", 100, 400) == sum(100 <= s <= 400 for s in scores.values())
    order = [m for m in order if not 100 <= scores[m] <= 400]
    assert door("ZREMRANGEBYRANK", "z", 5, -5) == len(order) - 9
    assert door("ZRANGE", "z", 0, -1) == order[:5] + order[-4:]
    assert [m for m, *_ in [door("ZPOPMAX", "z"), door("ZPOPMIN", "z")]] == [order[-1], order[0]]


def test_long_members(door: Door) -> None:
    name = b"x" * 100_000
    assert door("ZADD", "z", 1, name, 2, name + b"y") == 2
    assert door("ZRANGE", "z", 0, -1) == [name, name + b"y"]
    assert door("OBJECT", "ENCODING", "z") == b"skiplist"
    assert door("ZRANK", "z", name + b"y") == 1
