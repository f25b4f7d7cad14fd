"""Sorted set commands: literal replies that redis-server 7.0 proves."""

from __future__ import annotations

import random

import pytest

from tools.doors import Door

MAX, MIN = 2**63 - 1, -(2**63)
NOT_INT = "-ERR value is not an integer or out of range"
NOT_FLOAT = "-ERR value is not a valid float"
WRONG = "-WRONGTYPE Operation against a key holding the wrong kind of value"
SYNTAX = "-ERR syntax error"


def scored(door: Door, *pairs: tuple[str, str]) -> str:
    """WITHSCORES as this protocol shows it."""
    if door.protocol == 3:
        return "[" + ", ".join(f'["{m}", double {s}]' for m, s in pairs) + "]"
    return "[" + ", ".join(f'"{m}", "{s}"' for m, s in pairs) + "]"


# ---- ZADD and ZINCRBY -----------------------------------------------------------------------


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
    door.check(f"""
        ZADD z                   -> -ERR wrong number of arguments for 'zadd' command
        ZADD z 1                 -> -ERR wrong number of arguments for 'zadd' command
        ZADD z 1 a 2             -> {SYNTAX}
        ZADD z NX XX             -> {SYNTAX}
        ZADD z NX 1              -> {SYNTAX}
        ZADD z NX XX 1 a         -> -ERR XX and NX options at the same time are not compatible
        ZADD z GT LT 1 a         -> -ERR GT, LT, and/or NX options at the same time are not compatible
        ZADD z NX GT 1 a         -> -ERR GT, LT, and/or NX options at the same time are not compatible
        ZADD z LT NX 1 a         -> -ERR GT, LT, and/or NX options at the same time are not compatible
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


# ---- members --------------------------------------------------------------------------------


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


# ---- ranges of ranks ------------------------------------------------------------------------


def test_zrange_by_rank(door: Door) -> None:
    door.check("""
        ZADD z 1 a 2 b 3 c       -> :3
        ZRANGE z 0 -1            -> ["a", "b", "c"]
        ZRANGE z 0 0             -> ["a"]
        ZRANGE z 1 1             -> ["b"]
        ZRANGE z -2 -1           -> ["b", "c"]
        ZRANGE z -100 100        -> ["a", "b", "c"]
        ZRANGE z 2 1             -> []
        ZRANGE z 3 5             -> []
        ZRANGE z -1 -2           -> []
        ZRANGE z -100 -4         -> []
        ZRANGE z 0 -1 REV        -> ["c", "b", "a"]
        ZRANGE z 0 1 REV         -> ["c", "b"]
        ZRANGE z -1 -1 rev       -> ["a"]
        ZREVRANGE z 0 -1         -> ["c", "b", "a"]
        ZREVRANGE z 1 5          -> ["b", "a"]
        ZRANGE z 0 -1 LIMIT 1 -1 -> ["a", "b", "c"]
        ZRANGE none 0 -1         -> []
    """)


@pytest.mark.parametrize("start", [0, MAX, MIN, MAX - 1, -1])
def test_ranks_at_the_ends_of_64_bits(door: Door, start: int) -> None:
    door("ZADD", "z", 1, "a", 2, "b")
    lowest, highest = [b"a", b"b"], []
    assert door("ZRANGE", "z", MIN, start) == ([] if start == MIN else lowest if start else [b"a"])
    assert door("ZRANGE", "z", start, MAX) == (
        lowest if start in (0, MIN) else [b"b"] if start == -1 else highest
    )
    door.check(f"ZRANGE z {2**63} 0 -> {NOT_INT}")
    door.check(f"ZRANGE z 0 {-(2**63) - 1} -> {NOT_INT}")


def test_withscores(door: Door) -> None:
    door("ZADD", "z", 1, "a", 2.5, "b", "inf", "c")
    whole = [("a", "1"), ("b", "2.5"), ("c", "inf")]
    for command, pairs in {
        "ZRANGE z 0 -1 WITHSCORES": whole,
        "ZRANGE z 0 0 withscores": whole[:1],
        "ZRANGE z 0 -1 REV WITHSCORES": whole[::-1],
        "ZREVRANGE z 0 -1 WITHSCORES": whole[::-1],
        "ZRANGEBYSCORE z 2 inf WITHSCORES": whole[1:],
        "ZREVRANGEBYSCORE z inf 2 WITHSCORES LIMIT 0 1": whole[2:],
        "ZRANGE z (1 inf BYSCORE WITHSCORES WITHSCORES": whole[1:],
        "ZRANGE z 5 9 WITHSCORES": [],
        "ZRANGE none 0 9 WITHSCORES": [],
    }.items():
        door.check(f"{command} -> {scored(door, *pairs)}")


def test_zrange_refuses(door: Door) -> None:
    limit = "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
    lex = "-ERR syntax error, WITHSCORES not supported in combination with BYLEX"
    door.check(f"""
        SET s v                  -> +OK
        ZRANGE s x 1             -> {NOT_INT}
        ZRANGE s 0 1.5           -> {NOT_INT}
        ZRANGE s 0 1             -> {WRONG}
        ZRANGE s 0 1 FOO         -> {SYNTAX}
        ZRANGE s x y FOO         -> {SYNTAX}
        ZRANGE s 0 1 BYSCORE BYLEX -> {SYNTAX}
        ZRANGE s 0 1 BYLEX BYLEX -> {SYNTAX}
        ZRANGE s 0 1 REV REV     -> {SYNTAX}
        ZRANGE s 0 1 LIMIT       -> {SYNTAX}
        ZRANGE s 0 1 LIMIT 0     -> {SYNTAX}
        ZRANGE s 0 1 LIMIT x 0   -> {NOT_INT}
        ZRANGE s 0 1 LIMIT 0 x   -> {NOT_INT}
        ZRANGE s x y LIMIT 0 1   -> {limit}
        ZRANGE s x y BYLEX WITHSCORES -> {lex}
        ZRANGE s x 1 BYSCORE     -> -ERR min or max is not a float
        ZRANGE s x 1 BYLEX       -> -ERR min or max not valid string range item
        ZRANGE s 0 1 BYSCORE     -> {WRONG}
        ZREVRANGE s 0 1 REV      -> {SYNTAX}
        ZREVRANGE s 0 1 BYSCORE  -> {SYNTAX}
        ZREVRANGE s 0 1 LIMIT 0 1 -> {limit}
        ZRANGEBYSCORE s 0 1 REV  -> {SYNTAX}
        ZRANGEBYSCORE s 0 1 BYLEX -> {SYNTAX}
        ZREVRANGEBYSCORE s 0 1 BYSCORE -> {SYNTAX}
        ZRANGEBYLEX s - + WITHSCORES -> {lex}
        ZREVRANGEBYLEX s + - WITHSCORES -> {lex}
        ZRANGEBYLEX s - + REV    -> {SYNTAX}
        ZRANGEBYLEX s - +        -> {WRONG}
        ZRANGE s 0               -> -ERR wrong number of arguments for 'zrange' command
    """)


# ---- ranges of scores -----------------------------------------------------------------------


def test_ranges_of_scores(door: Door) -> None:
    door.check("""
        ZADD z -inf a 1 b 2 c 2 d 3 e inf f -> :6
        ZRANGEBYSCORE z -inf +inf -> ["a", "b", "c", "d", "e", "f"]
        ZRANGEBYSCORE z (-inf (+inf -> ["b", "c", "d", "e"]
        ZRANGEBYSCORE z 1 2      -> ["b", "c", "d"]
        ZRANGEBYSCORE z (1 2     -> ["c", "d"]
        ZRANGEBYSCORE z 1 (2     -> ["b"]
        ZRANGEBYSCORE z (2 (2    -> []
        ZRANGEBYSCORE z 2 (2     -> []
        ZRANGEBYSCORE z 2 2      -> ["c", "d"]
        ZRANGEBYSCORE z 3 1      -> []
        ZRANGEBYSCORE z inf inf  -> ["f"]
        ZRANGEBYSCORE z -inf -inf -> ["a"]
        ZRANGEBYSCORE z 100 200  -> []
        ZREVRANGEBYSCORE z 2 1   -> ["d", "c", "b"]
        ZREVRANGEBYSCORE z (2 1  -> ["b"]
        ZREVRANGEBYSCORE z 1 2   -> []
        ZRANGE z 1 2 BYSCORE     -> ["b", "c", "d"]
        ZRANGE z 2 1 BYSCORE REV -> ["d", "c", "b"]
        ZRANGE z 1 2 REV BYSCORE -> []
        ZCOUNT z 1 2             -> :3
        ZCOUNT z (1 (3           -> :2
        ZCOUNT z -inf inf        -> :6
        ZCOUNT z 3 1             -> :0
        ZCOUNT none 0 1          -> :0
        ZRANGEBYSCORE none 0 1   -> []
    """)


def test_limit(door: Door) -> None:
    door.check(f"""
        ZADD z 1 a 2 b 3 c 4 d   -> :4
        ZRANGEBYSCORE z 1 4 LIMIT 0 2 -> ["a", "b"]
        ZRANGEBYSCORE z 1 4 LIMIT 1 2 -> ["b", "c"]
        ZRANGEBYSCORE z 1 4 LIMIT 3 9 -> ["d"]
        ZRANGEBYSCORE z 1 4 LIMIT 4 9 -> []
        ZRANGEBYSCORE z 1 4 LIMIT 1 -1 -> ["b", "c", "d"]
        ZRANGEBYSCORE z 1 4 LIMIT 1 -7 -> ["b", "c", "d"]
        ZRANGEBYSCORE z 1 4 LIMIT 1 0 -> []
        ZRANGEBYSCORE z 1 4 LIMIT -1 2 -> []
        ZRANGEBYSCORE z 1 4 LIMIT 0 1 LIMIT 2 1 -> ["c"]
        ZREVRANGEBYSCORE z 4 1 LIMIT 0 2 -> ["d", "c"]
        ZREVRANGEBYSCORE z 4 1 LIMIT 1 2 -> ["c", "b"]
        ZREVRANGEBYSCORE z 4 1 LIMIT 3 5 -> ["a"]
        ZREVRANGEBYSCORE z 4 1 LIMIT 4 5 -> []
        ZRANGE z 4 (1 BYSCORE REV LIMIT 1 1 -> ["c"]
        ZRANGEBYSCORE z 1 4 LIMIT {MAX} {MAX} -> []
        ZRANGEBYSCORE z 1 4 LIMIT 1 {MAX} -> ["b", "c", "d"]
        ZRANGEBYSCORE z 1 4 LIMIT {MIN} {MIN} -> []
        ZRANGEBYSCORE z 1 4 LIMIT 2 {MIN} -> ["c", "d"]
        ZRANGEBYSCORE z 1 4 LIMIT {2**63} 1 -> {NOT_INT}
    """)


def test_score_bounds_are_read_as_strtod_does(door: Door) -> None:
    bad = "-ERR min or max is not a float"
    door.check(rf"""
        ZADD z 0 a 1 b           -> :2
        ZRANGEBYSCORE z "" 0     -> ["a"]
        ZRANGEBYSCORE z ( 1      -> ["b"]
        ZRANGEBYSCORE z " 0" "\t1" -> ["a", "b"]
        ZRANGEBYSCORE z "( 0" 1  -> ["b"]
        ZRANGEBYSCORE z 1e-400 1 -> ["a", "b"]
        ZRANGEBYSCORE z -1e400 1e400 -> ["a", "b"]
        ZRANGEBYSCORE z "0\x00x" "1\x00" -> ["a", "b"]
        ZRANGEBYSCORE z "\x00x" 1 -> ["a", "b"]
        ZRANGEBYSCORE z 0x0 0x1p0 -> ["a", "b"]
        ZRANGEBYSCORE z "0 " 1   -> {bad}
        ZRANGEBYSCORE z " " 1    -> {bad}
        ZRANGEBYSCORE z nan 1    -> {bad}
        ZRANGEBYSCORE z 0 (nan   -> {bad}
        ZRANGEBYSCORE z [0 1     -> {bad}
        ZRANGEBYSCORE z ((0 1    -> {bad}
        ZCOUNT z x 1             -> {bad}
        ZCOUNT z 0 x             -> {bad}
        ZREMRANGEBYSCORE z x 1   -> {bad}
        ZCARD z                  -> :2
    """)
    for digits in ("1" + "0" * 400, "9" * 10000):
        assert door("ZCOUNT", "z", "-" + digits, digits) == 2
        assert door("ZCOUNT", "z", digits, digits) == 0


# ---- ranges of strings ----------------------------------------------------------------------


def test_ranges_of_strings(door: Door) -> None:
    door.check(r"""
        ZADD z 0 a 0 b 0 bb 0 c 0 "" 0 "\xff" -> :6
        ZRANGEBYLEX z - +        -> ["", "a", "b", "bb", "c", "\xff"]
        ZRANGEBYLEX z [b [c      -> ["b", "bb", "c"]
        ZRANGEBYLEX z (b (c      -> ["bb"]
        ZRANGEBYLEX z [b (b      -> []
        ZRANGEBYLEX z (b (b      -> []
        ZRANGEBYLEX z [b [b      -> ["b"]
        ZRANGEBYLEX z [c [a      -> []
        ZRANGEBYLEX z + -        -> []
        ZRANGEBYLEX z + +        -> []
        ZRANGEBYLEX z - -        -> []
        ZRANGEBYLEX z - [        -> [""]
        ZRANGEBYLEX z ( [a       -> ["a"]
        ZRANGEBYLEX z [bbb +     -> ["c", "\xff"]
        ZRANGEBYLEX z - + LIMIT 1 2 -> ["a", "b"]
        ZREVRANGEBYLEX z + -     -> ["\xff", "c", "bb", "b", "a", ""]
        ZREVRANGEBYLEX z [c (a   -> ["c", "bb", "b"]
        ZREVRANGEBYLEX z [a [c   -> []
        ZREVRANGEBYLEX z + - LIMIT 1 2 -> ["c", "bb"]
        ZRANGE z [b + BYLEX      -> ["b", "bb", "c", "\xff"]
        ZRANGE z + [b BYLEX REV  -> ["\xff", "c", "bb", "b"]
        ZRANGE z - + BYLEX LIMIT 4 -1 -> ["c", "\xff"]
        ZLEXCOUNT z - +          -> :6
        ZLEXCOUNT z (b +         -> :3
        ZLEXCOUNT z [b (bb       -> :1
        ZLEXCOUNT z + -          -> :0
        ZLEXCOUNT none - +       -> :0
        ZRANGEBYLEX none - +     -> []
        ZRANGEBYLEX z "-\x00x" "+\x00" -> ["", "a", "b", "bb", "c", "\xff"]
    """)


@pytest.mark.parametrize("bound", ["", "a", "+a", "-a", "++", "{a", "\0", "0"])
def test_these_are_no_bounds_of_strings(door: Door, bound: str) -> None:
    bad = "-ERR min or max not valid string range item"
    door.check(
        f"""
        SET s v                  -> +OK
        ZLEXCOUNT s $b +         -> {bad}
        ZLEXCOUNT s - $b         -> {bad}
        ZRANGEBYLEX s $b +       -> {bad}
        ZREVRANGEBYLEX s + $b    -> {bad}
        ZREMRANGEBYLEX s $b $b   -> {bad}
        ZRANGE s $b + BYLEX      -> {bad}
        ZLEXCOUNT s - +          -> {WRONG}
        ZCOUNT s 0 1             -> {WRONG}
    """,
        b=bound,
    )


# ---- removing and storing ranges ------------------------------------------------------------


def test_zremrange(door: Door) -> None:
    door.check(f"""
        ZADD z 1 a 2 b 3 c 4 d 5 e -> :5
        ZREMRANGEBYRANK z 1 1    -> :1
        ZREMRANGEBYRANK z 4 9    -> :0
        ZREMRANGEBYRANK z 3 2    -> :0
        ZREMRANGEBYRANK z -1 -1  -> :1
        ZRANGE z 0 -1            -> ["a", "c", "d"]
        ZREMRANGEBYSCORE z (1 (4 -> :1
        ZREMRANGEBYSCORE z 9 10  -> :0
        ZREMRANGEBYSCORE z 4 1   -> :0
        ZRANGE z 0 -1            -> ["a", "d"]
        ZREMRANGEBYSCORE z -inf inf -> :2
        EXISTS z                 -> :0
        ZADD z 0 a 0 b 0 c       -> :3
        ZREMRANGEBYLEX z [b [b   -> :1
        ZREMRANGEBYLEX z + -     -> :0
        ZREMRANGEBYLEX z - +     -> :2
        EXISTS z                 -> :0
        ZREMRANGEBYRANK z 0 -1   -> :0
        ZREMRANGEBYSCORE z 0 1   -> :0
        ZREMRANGEBYLEX z - +     -> :0
        ZADD z 1 a               -> :1
        ZREMRANGEBYRANK z {MIN} {MAX} -> :1
        SET s v                  -> +OK
        ZREMRANGEBYRANK s x 1    -> {NOT_INT}
        ZREMRANGEBYRANK s 0 y    -> {NOT_INT}
        ZREMRANGEBYRANK s 0 1    -> {WRONG}
        ZREMRANGEBYSCORE s 0 1   -> {WRONG}
        ZREMRANGEBYLEX s - +     -> {WRONG}
    """)


def test_zrangestore(door: Door) -> None:
    door.check(f"""
        ZADD z 1 a 2 b 3 c       -> :3
        ZRANGESTORE d z 0 -1     -> :3
        ZRANGE d 0 -1            -> ["a", "b", "c"]
        ZRANGESTORE d z 2 3 BYSCORE -> :2
        ZRANGE d 0 -1            -> ["b", "c"]
        ZSCORE d c               -> double 3
        ZRANGESTORE d z 0 0 REV  -> :1
        ZRANGE d 0 -1            -> ["c"]
        ZRANGESTORE d z inf 0 BYSCORE REV LIMIT 1 1 -> :1
        ZRANGE d 0 -1            -> ["b"]
        ZRANGESTORE d z - + BYLEX LIMIT 0 2 -> :2
        EXPIRE d 100             -> :1
        ZRANGESTORE d z 0 1      -> :2
        TTL d                    -> :-1
        ZRANGESTORE d z 5 9      -> :0
        EXISTS d                 -> :0
        SET d v                  -> +OK
        ZRANGESTORE d z 1 1      -> :1
        TYPE d                   -> +zset
        ZRANGESTORE d none 0 -1  -> :0
        EXISTS d                 -> :0
        ZRANGESTORE z z 1 -1     -> :2
        ZRANGE z 0 -1            -> ["b", "c"]
        SET s v                  -> +OK
        SET d v                  -> +OK
        ZRANGESTORE d s 0 -1     -> {WRONG}
        GET d                    -> "v"
        ZRANGESTORE d z x y      -> {NOT_INT}
        ZRANGESTORE d z 0 -1 WITHSCORES -> {SYNTAX}
        ZRANGESTORE d z 0 -1 LIMIT 0 1 -> -ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
        ZRANGESTORE d z 0        -> -ERR wrong number of arguments for 'zrangestore' command
    """)


# ---- popping --------------------------------------------------------------------------------


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


# ---- chance ---------------------------------------------------------------------------------


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
        ZRANDMEMBER z {MIN}      -> -ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
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


# ---- unions, intersections, differences -----------------------------------------------------


def test_zunion_zinter_zdiff(door: Door) -> None:
    door("ZADD", "x", 1, "a", 2, "b", 3, "c")
    door("ZADD", "y", 10, "b", 20, "c", 30, "d")
    for command, pairs in {
        "ZUNION 2 x y WITHSCORES": [("a", "1"), ("b", "12"), ("c", "23"), ("d", "30")],
        "ZINTER 2 x y WITHSCORES": [("b", "12"), ("c", "23")],
        "ZDIFF 2 x y WITHSCORES": [("a", "1")],
        "ZDIFF 2 y x WITHSCORES": [("d", "30")],
        "ZDIFF 1 x WITHSCORES": [("a", "1"), ("b", "2"), ("c", "3")],
        "ZUNION 2 x x withscores": [("a", "2"), ("b", "4"), ("c", "6")],
        "ZINTER 2 x x WITHSCORES": [("a", "2"), ("b", "4"), ("c", "6")],
        "ZDIFF 2 x x WITHSCORES": [],
        "ZUNION 2 x none WITHSCORES": [("a", "1"), ("b", "2"), ("c", "3")],
        "ZINTER 2 x none WITHSCORES": [],
        "ZDIFF 2 none x WITHSCORES": [],
        "ZUNION 2 x y WEIGHTS 2 0.5 WITHSCORES": [
            ("a", "2"),
            ("b", "9"),
            ("d", "15"),
            ("c", "16"),
        ],
        "ZUNION 2 x y AGGREGATE MIN WITHSCORES": [
            ("a", "1"),
            ("b", "2"),
            ("c", "3"),
            ("d", "30"),
        ],
        "ZINTER 2 x y aggregate max WEIGHTS 100 1 WITHSCORES": [("b", "200"), ("c", "300")],
        "ZINTER 2 x y AGGREGATE MIN AGGREGATE SUM WITHSCORES": [("b", "12"), ("c", "23")],
        "ZUNION 1 x WEIGHTS -1 WITHSCORES": [("c", "-3"), ("b", "-2"), ("a", "-1")],
    }.items():
        door.check(f"{command} -> {scored(door, *pairs)}")
    door.check("""
        ZUNION 2 x y             -> ["a", "b", "c", "d"]
        ZINTER 2 x y             -> ["b", "c"]
        ZDIFF 2 x y              -> ["a"]
        ZUNION 1 none            -> []
        ZINTERCARD 2 x y         -> :2
        ZINTERCARD 1 x           -> :3
        ZINTERCARD 2 x none      -> :0
        ZINTERCARD 2 x y LIMIT 1 -> :1
        ZINTERCARD 2 x y LIMIT 0 -> :2
        ZINTERCARD 2 x y LIMIT 9 LIMIT 1 -> :1
    """)


def test_a_difference_of_many_sets(door: Door) -> None:
    """Both ways of subtracting: few members in the others, and many."""
    door("ZADD", "big", *(x for i in range(300) for x in (i, f"m{i}")))
    door("ZADD", "small", 1, "m5", 1, "m7", 1, "x")
    door("ZADD", "first", 1, "m1", 2, "y", 3, "x")
    assert door("ZDIFF", 3, "big", "small", "first") == [
        b"m%d" % i for i in range(300) if i not in (1, 5, 7)
    ]
    assert door("ZDIFF", 3, "first", "big", "small") == [b"y"]
    assert door("ZDIFFSTORE", "d", 2, "big", "small") == 298


def test_store_commands(door: Door) -> None:
    door.check("""
        ZADD x 1 a 2 b           -> :2
        ZADD y 10 b 30 d         -> :2
        ZUNIONSTORE d 2 x y      -> :3
        ZRANGE d 0 -1            -> ["a", "b", "d"]
        ZSCORE d b               -> double 12
        EXPIRE d 100             -> :1
        ZINTERSTORE d 2 x y WEIGHTS 1 2 AGGREGATE MAX -> :1
        TTL d                    -> :-1
        ZSCORE d b               -> double 20
        ZDIFFSTORE d 2 x y       -> :1
        ZRANGE d 0 -1            -> ["a"]
        ZINTERSTORE d 2 x none   -> :0
        EXISTS d                 -> :0
        ZDIFFSTORE d 2 none x    -> :0
        SET d v                  -> +OK
        ZUNIONSTORE d 1 x        -> :2
        TYPE d                   -> +zset
        SET d v                  -> +OK
        ZUNIONSTORE d 1 none     -> :0
        EXISTS d                 -> :0
        ZUNIONSTORE x 2 x x      -> :2
        ZSCORE x b               -> double 4
        ZDIFFSTORE x 2 x x       -> :0
        EXISTS x                 -> :0
    """)


def test_sets_count_as_one_each(door: Door) -> None:
    door.check(f"""
        SADD s a b 5             -> :3
        SADD i 1 2 5             -> :3
        ZADD z 10 a 20 5 30 q    -> :3
        ZUNIONSTORE d 2 s z      -> :4
        ZRANGE d 0 -1            -> ["b", "a", "5", "q"]
        ZSCORE d a               -> double 11
        ZINTER 2 z i WEIGHTS 1 3 -> ["5"]
        ZINTERSTORE d 2 z i WEIGHTS 1 3 -> :1
        ZSCORE d 5               -> double 23
        ZDIFF 2 s i              -> ["a", "b"]
        ZDIFF 2 i s              -> ["1", "2"]
        ZUNION 1 i               -> ["1", "2", "5"]
        ZINTERCARD 3 s i z       -> :1
        ZADD s 1 a               -> {WRONG}
    """)


def test_infinities_that_cancel_out_give_zero(door: Door) -> None:
    door.check("""
        ZADD p inf a 1 b         -> :2
        ZADD n -inf a 1 b        -> :2
        ZUNIONSTORE d 2 p n      -> :2
        ZSCORE d a               -> double 0
        ZINTERSTORE d 2 p n      -> :2
        ZSCORE d a               -> double 0
        ZUNIONSTORE d 2 p n AGGREGATE MIN -> :2
        ZSCORE d a               -> double -inf
        ZUNIONSTORE d 1 p WEIGHTS 0 -> :2
        ZSCORE d a               -> double 0
        ZINTERSTORE d 2 p n WEIGHTS 0 0 -> :2
        ZSCORE d a               -> double 0
        ZINTERSTORE d 2 n p WEIGHTS 1 0 AGGREGATE MAX -> :2
        ZSCORE d a               -> double -inf
        ZUNIONSTORE d 2 p n WEIGHTS inf inf -> :2
        ZSCORE d b               -> double inf
    """)


def test_combining_refuses(door: Door) -> None:
    weight = "-ERR weight value is not a float"
    door.check(f"""
        SET s v                  -> +OK
        ZADD z 1 a               -> :1
        SET d v                  -> +OK
        ZUNION 0 z               -> -ERR at least 1 input key is needed for 'zunion' command
        ZINTER -1 z              -> -ERR at least 1 input key is needed for 'zinter' command
        ZDIFF {MIN} z            -> -ERR at least 1 input key is needed for 'zdiff' command
        ZINTERCARD 0 z           -> -ERR at least 1 input key is needed for 'zintercard' command
        ZUNIONSTORE d 0 z        -> -ERR at least 1 input key is needed for 'zunionstore' command
        ZUNION x z               -> {NOT_INT}
        ZUNION {2**62} z         -> {SYNTAX}
        ZUNION {MAX} z           -> {SYNTAX}
        ZUNION {2**63} z         -> {NOT_INT}
        ZUNION 2 z               -> {SYNTAX}
        ZUNIONSTORE d 2 z        -> {SYNTAX}
        ZUNION 1 s               -> {WRONG}
        ZUNION 2 z s FOO         -> {WRONG}
        ZDIFF 2 none s           -> {WRONG}
        ZUNIONSTORE d 1 s        -> {WRONG}
        ZUNION 1 z FOO           -> {SYNTAX}
        ZUNION 1 z WEIGHTS       -> {SYNTAX}
        ZUNION 1 z WEIGHTS x     -> {weight}
        ZUNION 1 z WEIGHTS nan   -> {weight}
        ZUNION 1 z WEIGHTS 1 2   -> {SYNTAX}
        ZUNION 2 z z WEIGHTS 1   -> {SYNTAX}
        ZUNION 1 z AGGREGATE     -> {SYNTAX}
        ZUNION 1 z AGGREGATE AVG -> {SYNTAX}
        ZUNIONSTORE d 1 z WITHSCORES -> {SYNTAX}
        ZDIFF 1 z WEIGHTS 1      -> {SYNTAX}
        ZDIFF 1 z AGGREGATE SUM  -> {SYNTAX}
        ZDIFFSTORE d 1 z WITHSCORES -> {SYNTAX}
        ZINTERCARD 1 z WITHSCORES -> {SYNTAX}
        ZINTERCARD 1 z WEIGHTS 1 -> {SYNTAX}
        ZINTERCARD 1 z LIMIT     -> {SYNTAX}
        ZINTERCARD 1 z LIMIT -1  -> -ERR LIMIT can't be negative
        ZINTERCARD 1 z LIMIT x   -> -ERR LIMIT can't be negative
        ZUNION 1 z LIMIT 1       -> {SYNTAX}
        GET d                    -> "v"
    """)


# ---- scanning -------------------------------------------------------------------------------


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


# ---- forms, expiry, WATCH -------------------------------------------------------------------


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


# ---- large ones -----------------------------------------------------------------------------


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
