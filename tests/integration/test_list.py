"""List commands: literal replies that redis-server 7.0 proves."""

from __future__ import annotations

import itertools
import random

import pytest

from tools.doors import Door

MAX, MIN = 2**63 - 1, -(2**63)
WRONG = "WRONGTYPE Operation against a key holding the wrong kind of value"


def fill(door: Door, key: str, *items: object) -> None:
    door("DEL", key)
    if items:
        assert door("RPUSH", key, *items) == len(items)


def content(door: Door, key: str) -> list[bytes]:
    return door("LRANGE", key, 0, -1)


def dirty(door: Door) -> int:
    return int(door.info("persistence")["rdb_changes_since_last_save"])


def test_push_at_both_ends(door: Door) -> None:
    door.check(r"""
        RPUSH l a                -> :1
        RPUSH l b c              -> :3
        LPUSH l x y z            -> :6
        LRANGE l 0 -1            -> ["z", "y", "x", "a", "b", "c"]
        LLEN l                   -> :6
        TYPE l                   -> +list
        OBJECT ENCODING l        -> "quicklist"
        LPUSH l "" "a\x00\r\n"   -> :8
        LINDEX l 0               -> "a\x00\r\n"
        LINDEX l 1               -> ""
        LPUSH "" e               -> :1
        LRANGE "" 0 0            -> ["e"]
        rpush L x                -> :1
        EXISTS L                 -> :1
        RPUSH l 12 012 -0 9223372036854775808 -> :12
        LRANGE l -4 -1           -> ["12", "012", "-0", "9223372036854775808"]
        RPUSH l                  -> -ERR wrong number of arguments for 'rpush' command
        LPUSHX l                 -> -ERR wrong number of arguments for 'lpushx' command
    """)


def test_pushx_makes_no_list(door: Door) -> None:
    door.check("""
        LPUSHX none a b          -> :0
        RPUSHX none a            -> :0
        EXISTS none              -> :0
        RPUSH l m                -> :1
        LPUSHX l a b             -> :3
        RPUSHX l y z             -> :5
        LRANGE l 0 -1            -> ["b", "a", "m", "y", "z"]
    """)


def test_pop(door: Door) -> None:
    door.check("""
        RPUSH l a b c d          -> :4
        LPOP l                   -> "a"
        RPOP l                   -> "d"
        LLEN l                   -> :2
        LPOP l                   -> "b"
        RPOP l                   -> "c"
        EXISTS l                 -> :0
        LPOP l                   -> nil
        RPOP l                   -> nil
    """)


def test_pop_with_count(door: Door) -> None:
    door.check("""
        RPUSH l a b c d e f g    -> :7
        LPOP l 2                 -> ["a", "b"]
        RPOP l 2                 -> ["g", "f"]
        LPOP l 0                 -> []
        RPOP l 0                 -> []
        LPOP l 1                 -> ["c"]
        RPOP l 9223372036854775807 -> ["e", "d"]
        EXISTS l                 -> :0
        LPOP l 1                 -> nilarray
        RPOP l 0                 -> nilarray
        RPUSH l a b              -> :2
        LPOP l -1                -> -ERR value is out of range, must be positive
        LPOP l x                 -> -ERR value is out of range, must be positive
        RPOP l 9223372036854775808 -> -ERR value is out of range, must be positive
        LPOP none -1             -> -ERR value is out of range, must be positive
        LPOP l 1 2               -> -ERR wrong number of arguments for 'lpop' command
        RPOP none x y            -> -ERR wrong number of arguments for 'rpop' command
        LPOP l ""                -> -ERR value is out of range, must be positive
        LPOP l 100               -> ["a", "b"]
    """)


def test_range(door: Door) -> None:
    items = [b"%d" % i for i in range(7)]
    fill(door, "l", *items)
    edges = [*range(-9, 10), MAX, MAX - 1, MIN, MIN + 1, 2**32, -(2**32)]
    for start, stop in itertools.product(edges, edges):
        low = max(start + 7, 0) if start < 0 else start
        high = stop + 7 if stop < 0 else stop
        want = items[low : max(high + 1, 0)]
        assert door("LRANGE", "l", start, stop) == want, (start, stop)
    door.check("""
        LRANGE none 0 -1         -> []
        LRANGE none x -1         -> -ERR value is not an integer or out of range
        LRANGE l 0 9223372036854775808 -> -ERR value is not an integer or out of range
        LRANGE l 0 1.0           -> -ERR value is not an integer or out of range
        SET s v                  -> +OK
        LRANGE s x 0             -> -ERR value is not an integer or out of range
        LRANGE s 0 0   -> -WRONGTYPE Operation against a key holding the wrong kind of value
    """)


def test_index_and_set(door: Door) -> None:
    door.check("""
        RPUSH l a b c            -> :3
        LINDEX l 0               -> "a"
        LINDEX l -1              -> "c"
        LINDEX l -3              -> "a"
        LINDEX l 3               -> nil
        LINDEX l -4              -> nil
        LINDEX l 9223372036854775807 -> nil
        LINDEX l -9223372036854775808 -> nil
        LINDEX l x               -> -ERR value is not an integer or out of range
        LINDEX none x            -> nil
        LSET l 1 B               -> +OK
        LSET l -1 C              -> +OK
        LSET l 3 x               -> -ERR index out of range
        LSET l -4 x              -> -ERR index out of range
        LSET l 9223372036854775807 x -> -ERR index out of range
        LSET l -9223372036854775808 x -> -ERR index out of range
        LSET l x x               -> -ERR value is not an integer or out of range
        LSET l 9223372036854775808 x -> -ERR value is not an integer or out of range
        LSET none x x            -> -ERR no such key
        LRANGE l 0 -1            -> ["a", "B", "C"]
    """)


def test_insert(door: Door) -> None:
    door.check("""
        LINSERT none BEFORE a b  -> :0
        EXISTS none              -> :0
        LINSERT none NEAR a b    -> -ERR syntax error
        RPUSH l a b a            -> :3
        LINSERT l before a x     -> :4
        LINSERT l AFTER a y      -> :5
        LINSERT l After b z      -> :6
        LINSERT l BEFORE c q     -> :-1
        LINSERT l NEAR a b       -> -ERR syntax error
        LRANGE l 0 -1            -> ["x", "a", "y", "b", "z", "a"]
        RPUSH n 10 -1            -> :2
        LINSERT n BEFORE 010 x   -> :-1
        LINSERT n AFTER -1 x     -> :3
        LRANGE n 0 -1            -> ["10", "-1", "x"]
    """)


def test_remove(door: Door) -> None:
    door.check("""
        RPUSH l a b a c a b a    -> :7
        LREM l 2 a               -> :2
        LRANGE l 0 -1            -> ["b", "c", "a", "b", "a"]
        LREM l -1 b              -> :1
        LRANGE l 0 -1            -> ["b", "c", "a", "a"]
        LREM l 0 a               -> :2
        LREM l 0 a               -> :0
        LREM l 9223372036854775807 c -> :1
        LREM l x b               -> -ERR value is not an integer or out of range
        LREM none x b            -> -ERR value is not an integer or out of range
        LREM none 0 b            -> :0
        LREM l -9223372036854775807 b -> :1
        EXISTS l                 -> :0
        RPUSH l a b a            -> :3
        LREM l -9223372036854775808 a -> :2
        LRANGE l 0 -1            -> ["b"]
    """)


def test_trim(door: Door) -> None:
    items = [b"%d" % i for i in range(5)]
    edges = [*range(-7, 8), MAX, MIN]
    for start, stop in itertools.product(edges, edges):
        fill(door, "l", *items)
        low = max(start + 5, 0) if start < 0 else start
        high = stop + 5 if stop < 0 else stop
        want = items[low : max(high + 1, 0)]
        assert door("LTRIM", "l", start, stop) == "OK"
        assert content(door, "l") == want, (start, stop)
        assert door("EXISTS", "l") == (1 if want else 0)
    door.check("""
        LTRIM none 0 -1          -> +OK
        LTRIM none x 0           -> -ERR value is not an integer or out of range
        LTRIM none 0 1e3         -> -ERR value is not an integer or out of range
    """)


def test_pos(door: Door) -> None:
    door.check("""
        RPUSH l a b c 1 2 3 c c  -> :8
        LPOS l a                 -> :0
        LPOS l c                 -> :2
        LPOS l none              -> nil
        LPOS l c RANK 1          -> :2
        LPOS l c RANK 2          -> :6
        LPOS l c RANK 4          -> nil
        LPOS l c RANK -1         -> :7
        LPOS l c RANK -3         -> :2
        LPOS l c RANK -4         -> nil
        LPOS l c COUNT 0         -> [:2, :6, :7]
        LPOS l c COUNT 1         -> [:2]
        LPOS l c COUNT 2         -> [:2, :6]
        LPOS l c COUNT 9223372036854775807 -> [:2, :6, :7]
        LPOS l c RANK 2 COUNT 2  -> [:6, :7]
        LPOS l c RANK -1 COUNT 0 -> [:7, :6, :2]
        LPOS l c rank -2 count 1 -> [:6]
        LPOS l c RANK 4 COUNT 0  -> []
        LPOS l x COUNT 0         -> []
        LPOS l c MAXLEN 2        -> nil
        LPOS l c MAXLEN 3        -> :2
        LPOS l c COUNT 0 MAXLEN 7 -> [:2, :6]
        LPOS l c COUNT 0 MAXLEN 2 RANK -1 -> [:7, :6]
        LPOS l c COUNT 0 MAXLEN 0 -> [:2, :6, :7]
        LPOS l c COUNT 0 MAXLEN 9223372036854775807 -> [:2, :6, :7]
        LPOS l c COUNT 5 COUNT 1 RANK 2 RANK 1 -> [:2]
        LPOS l 1                 -> :3
        LPOS l 01                -> nil
        LPOS none a              -> nil
        LPOS none a COUNT 1      -> []
        LPOS l c RANK 9223372036854775807 -> nil
        LPOS l c RANK -9223372036854775807 COUNT 0 -> []
    """)


def test_pos_refuses(door: Door) -> None:
    zero = (
        "RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use "
        "negative to start from the end of the list"
    )
    fill(door, "l", "a", "b")
    for key in ("l", "none"):
        assert door("LPOS", key, "a", "RANK", 0) == "ERR " + zero
        assert door("LPOS", key, "a", "RANK", 0, "FOO") == "ERR " + zero
        door.check(
            """
            LPOS $key a RANK x       -> -ERR value is not an integer or out of range
            LPOS $key a RANK 9223372036854775808 -> -ERR value is not an integer or out of range
            LPOS $key a COUNT -1     -> -ERR COUNT can't be negative
            LPOS $key a COUNT x      -> -ERR COUNT can't be negative
            LPOS $key a MAXLEN -1    -> -ERR MAXLEN can't be negative
            LPOS $key a MAXLEN ""    -> -ERR MAXLEN can't be negative
            LPOS $key a RANK         -> -ERR syntax error
            LPOS $key a COUNT 1 RANK -> -ERR syntax error
            LPOS $key a FOO 1        -> -ERR syntax error
            LPOS $key                -> -ERR wrong number of arguments for 'lpos' command
        """,
            key=key,
        )


def test_move_between_lists(door: Door) -> None:
    door.check("""
        RPUSH a 1 2 3            -> :3
        LMOVE a b LEFT RIGHT     -> "1"
        LMOVE a b RIGHT LEFT     -> "3"
        LRANGE a 0 -1            -> ["2"]
        LRANGE b 0 -1            -> ["3", "1"]
        lmove a b left left      -> "2"
        EXISTS a                 -> :0
        LRANGE b 0 -1            -> ["2", "3", "1"]
        LMOVE a b LEFT LEFT      -> nil
        RPOPLPUSH b a            -> "1"
        RPOPLPUSH none a         -> nil
        LRANGE a 0 -1            -> ["1"]
        LMOVE none a UP LEFT     -> -ERR syntax error
        LMOVE none a LEFT DOWN   -> -ERR syntax error
        LMOVE a b LEFT           -> -ERR wrong number of arguments for 'lmove' command
        RPOPLPUSH none none      -> nil
        EXISTS none              -> :0
    """)


def test_move_within_a_list(door: Door) -> None:
    door.check("""
        RPUSH l 1 2 3            -> :3
        RPOPLPUSH l l            -> "3"
        LRANGE l 0 -1            -> ["3", "1", "2"]
        LMOVE l l LEFT RIGHT     -> "3"
        LRANGE l 0 -1            -> ["1", "2", "3"]
        LMOVE l l LEFT LEFT      -> "1"
        LMOVE l l RIGHT RIGHT    -> "3"
        LRANGE l 0 -1            -> ["1", "2", "3"]
        DEL l                    -> :1
        RPUSH l only             -> :1
        EXPIRE l 100             -> :1
        LMOVE l l LEFT RIGHT     -> "only"
        RPOPLPUSH l l            -> "only"
        LRANGE l 0 -1            -> ["only"]
        TTL l                    -> :99..100
        RPOPLPUSH none none      -> nil
    """)


def test_mpop(door: Door) -> None:
    door.check("""
        RPUSH a 1 2 3 4          -> :4
        RPUSH b x y              -> :2
        LMPOP 1 a LEFT           -> ["a", ["1"]]
        LMPOP 3 none a b RIGHT COUNT 2 -> ["a", ["4", "3"]]
        LMPOP 2 a b left count 10 -> ["a", ["2"]]
        EXISTS a                 -> :0
        LMPOP 2 a b LEFT COUNT 9223372036854775807 -> ["b", ["x", "y"]]
        LMPOP 2 a b LEFT         -> nilarray
        LMPOP 2 a a LEFT         -> nilarray
        RPUSH a 1                -> :1
        LMPOP 2 a a RIGHT COUNT 5 -> ["a", ["1"]]
        SET s v                  -> +OK
        LMPOP 2 none s LEFT -> -WRONGTYPE Operation against a key holding the wrong kind of value
        RPUSH a 1                -> :1
        LMPOP 2 a s LEFT         -> ["a", ["1"]]
    """)


def test_mpop_refuses(door: Door) -> None:
    door.check("""
        RPUSH a 1                -> :1
        LMPOP 0 a LEFT           -> -ERR numkeys should be greater than 0
        LMPOP -1 a LEFT          -> -ERR numkeys should be greater than 0
        LMPOP x a LEFT           -> -ERR numkeys should be greater than 0
        LMPOP 9223372036854775808 a LEFT -> -ERR numkeys should be greater than 0
        LMPOP 4611686018427387904 a LEFT -> -ERR syntax error
        LMPOP 2 a LEFT           -> -ERR syntax error
        LMPOP 3 a LEFT           -> -ERR syntax error
        LMPOP 1 a UP             -> -ERR syntax error
        LMPOP 1 a b LEFT         -> -ERR syntax error
        LMPOP 1 a LEFT COUNT     -> -ERR syntax error
        LMPOP 1 a LEFT COUNT 0   -> -ERR count should be greater than 0
        LMPOP 1 a LEFT COUNT -1  -> -ERR count should be greater than 0
        LMPOP 1 a LEFT COUNT x   -> -ERR count should be greater than 0
        LMPOP 1 a LEFT COUNT 0 x -> -ERR count should be greater than 0
        LMPOP 1 a LEFT COUNT 1 x -> -ERR syntax error
        LMPOP 1 a LEFT COUNT 1 COUNT 1 -> -ERR syntax error
        LMPOP 1 a LEFT LIMIT 1   -> -ERR syntax error
        LMPOP 1 a                -> -ERR wrong number of arguments for 'lmpop' command
        LLEN a                   -> :1
    """)


# What each command is called with; K is the key.
EVERY_COMMAND = [
    "LPUSH K a", "RPUSH K a", "LPUSHX K a", "RPUSHX K a", "LPOP K", "RPOP K", "LPOP K 0",
    "RPOP K 2", "LLEN K", "LRANGE K 0 -1", "LINDEX K 0", "LSET K 0 x", "LINSERT K BEFORE a b",
    "LREM K 0 a", "LTRIM K 1 0", "LPOS K a", "LPOS K a COUNT 1", "LMOVE K d LEFT LEFT",
    "RPOPLPUSH K d", "LMPOP 1 K LEFT", "LMOVE l K LEFT LEFT", "RPOPLPUSH l K",
    "LMOVE K K LEFT LEFT",
]  # fmt: skip


def test_every_command_refuses_other_types(door: Door) -> None:
    fill(door, "l", "a")
    door("SET", "s", "v")
    for command in EVERY_COMMAND:
        assert door(*command.replace("K", "s").split()) == WRONG, command
    assert door("GET", "s") == b"v"
    assert content(door, "l") == [b"a"]
    assert door("EXISTS", "d") == 0
    # An absent source is seen before the destination's type.
    assert door("LMOVE", "none", "s", "LEFT", "LEFT") is None
    for command in ("GET l", "APPEND l x", "INCR l", "GETSET l x", "STRLEN l", "SETRANGE l 0 x"):
        assert door(*command.split()) == WRONG, command
    assert content(door, "l") == [b"a"]


def test_the_expiry_stays_with_the_list(door: Door) -> None:
    door.check("""
        RPUSH l a b c d e        -> :5
        EXPIRE l 100             -> :1
        LPUSH l x                -> :6
        LSET l 0 y               -> +OK
        LINSERT l BEFORE a z     -> :7
        LREM l 1 z               -> :1
        LTRIM l 1 -1             -> +OK
        LPOP l                   -> "a"
        RPOPLPUSH l m            -> "e"
        TTL l                    -> :99..100
        TTL m                    -> :-1
        EXPIRE m 50              -> :1
        LMOVE l m LEFT RIGHT     -> "b"
        TTL m                    -> :49..50
        LPOP l 2                 -> ["c", "d"]
        RPUSH l new              -> :1
        TTL l                    -> :-1
    """)


CHANGES = [
    "RPUSH l x", "LPUSHX l x", "LPOP l", "RPOP l 2", "LSET l 0 a", "LINSERT l BEFORE b x",
    "LREM l 0 a", "LTRIM l 1 1", "LTRIM l 0 -1", "LTRIM l 5 9", "LMOVE l m LEFT LEFT",
    "RPOPLPUSH m l", "LMOVE l l LEFT RIGHT", "LMOVE l l LEFT LEFT", "LMPOP 2 none l LEFT",
]  # fmt: skip
NO_CHANGES = [
    "LPOP l 0", "LINSERT l BEFORE none x", "LREM l 0 none", "LSET l 99999 x", "LPUSHX none x",
    "LRANGE l 0 -1", "LMOVE none l LEFT LEFT", "LMPOP 1 none LEFT", "LTRIM none 0 0",
]  # fmt: skip


@pytest.mark.parametrize("size", [3, 300, 3000])
def test_watch_sees_changes_and_only_those(door: Door, size: int) -> None:
    """Inline, in one run, in many: LTRIM counts as a change even when nothing goes."""
    other = door.other()
    items = ["a", "b", *["filler"] * size]
    for command in CHANGES + NO_CHANGES:
        fill(door, "l", *items)
        fill(door, "m", "m1")
        door("WATCH", "l")
        other(*command.split())
        door("MULTI")
        door("PING")
        replies = door("EXEC")
        assert (replies is None) == (command in CHANGES), command


@pytest.mark.parametrize("size", [3, 300, 3000])
def test_changes_are_counted_as_redis_counts_them(door: Door, size: int) -> None:
    counted = {
        "RPUSH l x y z": 3, "LPUSHX l x": 1, "LPUSHX none x": 0, "LPOP l": 1, "RPOP l 2": 2,
        "LPOP l 0": 0, "LSET l 0 q": 1, "LSET l 0 q ": 1, "LINSERT l BEFORE b x": 1,
        "LREM l 0 a": 1, "LREM l 0 none": 0, "LTRIM l 0 -1": 0, "LTRIM l 1 -2": 2,
        "LMOVE l m LEFT LEFT": 1, "LMOVE l l LEFT RIGHT": 1, "LMOVE l l LEFT LEFT": 1,
        "LMPOP 2 none l LEFT COUNT 3": 3,
    }  # fmt: skip
    for command, changes in counted.items():
        fill(door, "l", "a", "b", *["filler"] * size)
        before = dirty(door)
        door(*command.split())
        assert dirty(door) - before == changes, command


def test_in_a_transaction(door: Door) -> None:
    door.check("""
        MULTI                    -> +OK
        RPUSH l a b c            -> +QUEUED
        LMOVE l m LEFT RIGHT     -> +QUEUED
        LMOVE l l LEFT RIGHT     -> +QUEUED
        LPOP m 5                 -> +QUEUED
        LMOVE m l LEFT RIGHT     -> +QUEUED
        LPOP m 5                 -> +QUEUED
        LMPOP 2 m l RIGHT        -> +QUEUED
        LRANGE l 0 -1            -> +QUEUED
        EXEC -> [:3, "a", "b", ["a"], nil, nilarray, ["l", ["b"]], ["c"]]
    """)


@pytest.mark.parametrize("setting", [1, 3, 128, -1, -2, -5])
def test_large_lists_keep_their_order(door: Door, setting: int) -> None:
    """Against a Python list, through every size of node and with large elements among small."""
    door.config("list-max-listpack-size", setting)
    rng = random.Random(setting)
    model: list[bytes] = []
    for turn in range(300):
        items = [b"%d" % rng.randrange(1000) for _ in range(rng.randrange(1, 12))]
        if turn % 40 == 7:
            items.append(b"x" * rng.choice([2000, 4090, 8200, 70000]))
        if rng.random() < 0.5:
            assert door("LPUSH", "l", *items) == len(model) + len(items)
            model[:0] = items[::-1]
        else:
            assert door("RPUSH", "l", *items) == len(model) + len(items)
            model += items
        at = rng.randrange(-len(model), len(model))
        assert door("LINDEX", "l", at) == model[at]
        assert door("LSET", "l", at, f"set{turn}") == "OK"
        model[at] = b"set%d" % turn
        pivot = rng.choice(model)
        assert door("LINSERT", "l", "BEFORE", pivot, "new") == len(model) + 1
        model.insert(model.index(pivot), b"new")
        low = rng.randrange(len(model))
        assert door("LRANGE", "l", low, low + 20) == model[low : low + 21]
        if turn % 5 == 0:
            what = rng.choice(model)
            assert door("LREM", "l", 1, what) == 1
            model.remove(what)
            assert door("LPOS", "l", what, "COUNT", 0) == [
                i for i, item in enumerate(model) if item == what
            ]
        if turn % 50 == 49:
            assert door("LTRIM", "l", 30, -31) == "OK"
            model = model[30:-30]
    assert content(door, "l") == model
    assert door("OBJECT", "ENCODING", "l") == b"quicklist"
    assert door("RPOP", "l", 50) == model[:-51:-1]
    del model[-50:]
    while model:
        count = min(rng.randrange(1, 90), len(model))
        assert door("LPOP", "l", count) == model[:count]
        del model[:count]
    assert door("EXISTS", "l") == 0


def test_a_queue_of_many(door: Door) -> None:
    """A hundred thousand through one list; never more than a thousand in it."""
    for start in range(0, 100_000, 1000):
        door("RPUSH", "q", *range(start, start + 1000))
        assert door("LPOP", "q", 1000) == [b"%d" % i for i in range(start, start + 1000)]
    assert door("EXISTS", "q") == 0


def test_large_elements(door: Door) -> None:
    for size in (1000, 1024, 2000, 8180, 8192, 65536, 1 << 20):
        value = b"v" * size
        fill(door, "l", "a", value, "b")
        assert content(door, "l") == [b"a", value, b"b"]
        assert door("LPOS", "l", value) == 1
        assert door("LMOVE", "l", "l", "LEFT", "RIGHT") == b"a"
        assert door("LMOVE", "l", "l", "LEFT", "RIGHT") == value
        assert door("LMOVE", "l", "m", "RIGHT", "LEFT") == value
        assert door("LSET", "m", 0, "small") == "OK"
        assert door("LSET", "m", 0, value) == "OK"
        assert door("LREM", "m", 0, value) == 1
        assert content(door, "l") == [b"b", b"a"]


@pytest.mark.parametrize("size", [3, 300, 5000])
def test_copies_share_nothing_that_changes(door: Door, size: int) -> None:
    items = [b"%d" % i for i in range(size)]
    fill(door, "l", *items)
    assert door("COPY", "l", "m") == 1
    assert door("LMOVE", "l", "m", "LEFT", "LEFT") == b"0"
    assert content(door, "l") == items[1:]
    assert content(door, "m") == [b"0", *items]
    assert door("COPY", "m", "n") == 1
    assert door("RPUSH", "n", "x") == size + 2
    assert content(door, "m") == [b"0", *items]
    assert door("RENAME", "n", "m") == "OK"
    assert content(door, "m") == [b"0", *items, b"x"]
    assert door("LMOVE", "m", "m", "LEFT", "RIGHT") == b"0"
    assert content(door, "m") == [*items, b"x", b"0"]


def test_a_million_values_in_one_push(door: Door) -> None:
    assert door("RPUSH", "l", *range(1_000_000)) == 1_000_000
    assert door("LINDEX", "l", 500_000) == b"500000"
    assert door("LPOP", "l") == b"0"
    assert door("RPOP", "l") == b"999999"
    assert door("LTRIM", "l", 10, -11) == "OK"
    assert door("LLEN", "l") == 999_978
    assert door("DEL", "l") == 1
