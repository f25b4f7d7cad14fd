"""Sorted sets by range: literal replies that redis-server 7.0 proves."""

from __future__ import annotations

import pytest

from tools.doors import Door
from tools.zsets import MAX, MIN, NOT_INT, SYNTAX, WRONG, scored

LIMITED = "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"


# ---- ranges of ranks -----------------------------------------------------------------------------


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
        ZRANGE s x y LIMIT 0 1   -> {LIMITED}
        ZRANGE s x y BYLEX WITHSCORES -> {lex}
        ZRANGE s x 1 BYSCORE     -> -ERR min or max is not a float
        ZRANGE s x 1 BYLEX       -> -ERR min or max not valid string range item
        ZRANGE s 0 1 BYSCORE     -> {WRONG}
        ZREVRANGE s 0 1 REV      -> {SYNTAX}
        ZREVRANGE s 0 1 BYSCORE  -> {SYNTAX}
        ZREVRANGE s 0 1 LIMIT 0 1 -> {LIMITED}
        ZRANGEBYSCORE s 0 1 REV  -> {SYNTAX}
        ZRANGEBYSCORE s 0 1 BYLEX -> {SYNTAX}
        ZREVRANGEBYSCORE s 0 1 BYSCORE -> {SYNTAX}
        ZRANGEBYLEX s - + WITHSCORES -> {lex}
        ZREVRANGEBYLEX s + - WITHSCORES -> {lex}
        ZRANGEBYLEX s - + REV    -> {SYNTAX}
        ZRANGEBYLEX s - +        -> {WRONG}
        ZRANGE s 0               -> -ERR wrong number of arguments for 'zrange' command
    """)


# ---- ranges of scores ----------------------------------------------------------------------------


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


# ---- ranges of strings ---------------------------------------------------------------------------


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


# ---- removing and storing ranges -----------------------------------------------------------------


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
        ZRANGESTORE d z 0 -1 LIMIT 0 1 -> {LIMITED}
        ZRANGESTORE d z 0        -> -ERR wrong number of arguments for 'zrangestore' command
    """)
