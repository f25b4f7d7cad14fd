"""Unions, intersections, differences: literal replies that redis-server 7.0 proves."""

from __future__ import annotations

from tools.doors import Door
from tools.zsets import MAX, MIN, NOT_INT, SYNTAX, WRONG, scored

# ---- unions, intersections, differences ----------------------------------------------------------


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
