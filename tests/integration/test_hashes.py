"""Hash commands: literal replies that redis-server 7.0 proves."""

from __future__ import annotations

from typing import Any

import pytest

from tools.doors import Door
from tools.resp import as_dict

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
WRONG_INT = "ERR value is not an integer or out of range"
RANGE_TEXT = (
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
)


@pytest.fixture(autouse=True)
def limits(door: Door) -> None:
    door.config("hash-max-listpack-entries", 128)


def fields_of(door: Door, key: str) -> dict[bytes, bytes]:
    return as_dict(door("HGETALL", key))


def fill(door: Door, key: str, count: int) -> None:
    """Fields f0, f1, ... with their numbers as values: a hashtable from 129 on."""
    pairs = [x for i in range(count) for x in (f"f{i}", str(i))]
    for at in range(0, len(pairs), 2000):
        door("HSET", key, *pairs[at : at + 2000])


def test_hset_and_hget(door: Door) -> None:
    door.check(r"""
        HGET h f                 -> nil
        HSET h f v               -> :1
        HGET h f                 -> "v"
        HGET h none              -> nil
        HSET h f w g x           -> :1
        HMGET h f g none f       -> ["w", "x", nil, "w"]
        HSET h a 1 a 2 a 3       -> :1
        HGET h a                 -> "3"
        HSET h "" ""             -> :1
        HGET h ""                -> ""
        HSET h "a\x00\r\n" "\x00\xff" -> :1
        HGET h "a\x00\r\n"       -> "\x00\xff"
        HGET h "a\x00"           -> nil
        HLEN h                   -> :5
        TYPE h                   -> +hash
        hset h F 2               -> :1
        HGET h f                 -> "w"
    """)


def test_hset_wants_pairs(door: Door) -> None:
    door.check("""
        HSET h                   -> -ERR wrong number of arguments for 'hset' command
        HSET h f                 -> -ERR wrong number of arguments for 'hset' command
        HSET h f v g             -> -ERR wrong number of arguments for 'hset' command
        HMSET h f                -> -ERR wrong number of arguments for 'hmset' command
        HMSET h f v g            -> -ERR wrong number of arguments for 'hmset' command
        EXISTS h                 -> :0
        SET s v                  -> +OK
        HSET s f v g             -> -ERR wrong number of arguments for 'hset' command
    """)


def test_hmset(door: Door) -> None:
    door.check("""
        HMSET h f v g w          -> +OK
        HMSET h f x              -> +OK
        HMGET h f g              -> ["x", "w"]
    """)


def test_hmget_of_nothing(door: Door) -> None:
    door.check("""
        HMGET none a b           -> [nil, nil]
        HMGET none               -> -ERR wrong number of arguments for 'hmget' command
        EXISTS none              -> :0
    """)


def test_hsetnx(door: Door) -> None:
    door.check("""
        HSETNX h f v             -> :1
        HSETNX h f w             -> :0
        HSETNX h g w             -> :1
        HMGET h f g              -> ["v", "w"]
    """)


def test_hgetall_hkeys_hvals(door: Door) -> None:
    door.check("""
        HGETALL none             -> {}
        HKEYS none               -> []
        HVALS none               -> []
        HSET h b 1 a 2 c 3       -> :3
        HGETALL h                -> {"b": "1", "a": "2", "c": "3"}
        HKEYS h                  -> ["b", "a", "c"]
        HVALS h                  -> ["1", "2", "3"]
        HSET h a 9               -> :0
        HDEL h b                 -> :1
        HGETALL h                -> {"a": "9", "c": "3"}
    """)


def test_hdel(door: Door) -> None:
    door.check("""
        HDEL none f              -> :0
        HSET h a 1 b 2 c 3       -> :3
        HDEL h none              -> :0
        HDEL h a none a b        -> :2
        HGETALL h                -> {"c": "3"}
        HDEL h c c               -> :1
        EXISTS h                 -> :0
        HDEL h                   -> -ERR wrong number of arguments for 'hdel' command
    """)


def test_hexists_hlen_hstrlen(door: Door) -> None:
    door.check("""
        HEXISTS none f           -> :0
        HLEN none                -> :0
        HSTRLEN none f           -> :0
        HSET h f value e ""      -> :2
        HEXISTS h f              -> :1
        HEXISTS h value          -> :0
        HLEN h                   -> :2
        HSTRLEN h f              -> :5
        HSTRLEN h e              -> :0
        HSTRLEN h none           -> :0
        HINCRBY h n -1234        -> :-1234
        HSTRLEN h n              -> :5
    """)


def test_hincrby(door: Door) -> None:
    door.check(r"""
        HINCRBY h n 5            -> :5
        HINCRBY h n -15          -> :-10
        HINCRBY h n 0            -> :-10
        HGET h n                 -> "-10"
        HSET h max 9223372036854775807 min -9223372036854775808 -> :2
        HINCRBY h max 1          -> -ERR increment or decrement would overflow
        HINCRBY h min -1         -> -ERR increment or decrement would overflow
        HINCRBY h max -9223372036854775808 -> :-1
        HINCRBY h new -9223372036854775808 -> :-9223372036854775808
        HINCRBY h new -1         -> -ERR increment or decrement would overflow
        HGET h new               -> "-9223372036854775808"
        HSET h e "" sp " 1" plus +1 zero 01 float 1.0 nul "1\x00" big 9223372036854775808 -> :7
        HINCRBY h e 1            -> -ERR hash value is not an integer
        HINCRBY h sp 1           -> -ERR hash value is not an integer
        HINCRBY h plus 1         -> -ERR hash value is not an integer
        HINCRBY h zero 1         -> -ERR hash value is not an integer
        HINCRBY h float 1        -> -ERR hash value is not an integer
        HINCRBY h nul 1          -> -ERR hash value is not an integer
        HINCRBY h big 1          -> -ERR hash value is not an integer
        HGET h zero              -> "01"
        HINCRBY h n x            -> -ERR value is not an integer or out of range
        HINCRBY h n 1.0          -> -ERR value is not an integer or out of range
        HINCRBY h n 9223372036854775808 -> -ERR value is not an integer or out of range
        HINCRBY none f x         -> -ERR value is not an integer or out of range
        EXISTS none              -> :0
    """)


def test_hincrbyfloat(door: Door) -> None:
    door.check(r"""
        HINCRBYFLOAT h f 10.5    -> "10.5"
        HINCRBYFLOAT h f 0.1     -> "10.6"
        HINCRBYFLOAT h f -10.6   -> "0"
        HINCRBYFLOAT h f 5.0e3   -> "5000"
        HGET h f                 -> "5000"
        HINCRBY h f 1            -> :5001
        HINCRBYFLOAT h f 1e-20   -> "5001"
        HINCRBYFLOAT h big 1e20  -> "100000000000000000000"
        HSET h e "" sp " 1" plus +5 hex 0x10 txt abc inf inf ninf -inf nan nan -> :8
        HINCRBYFLOAT h e 1       -> -ERR hash value is not a float
        HINCRBYFLOAT h sp 1      -> -ERR hash value is not a float
        HINCRBYFLOAT h txt 1     -> -ERR hash value is not a float
        HINCRBYFLOAT h nan 1     -> -ERR hash value is not a float
        HINCRBYFLOAT h plus 1    -> "6"
        HINCRBYFLOAT h hex 1     -> "17"
        HINCRBYFLOAT h inf 1     -> -ERR increment would produce NaN or Infinity
        HINCRBYFLOAT h ninf 1    -> -ERR increment would produce NaN or Infinity
        HINCRBYFLOAT h f inf     -> -ERR value is NaN or Infinity
        HINCRBYFLOAT h f -inf    -> -ERR value is NaN or Infinity
        HINCRBYFLOAT h f nan     -> -ERR value is not a valid float
        HINCRBYFLOAT h f x       -> -ERR value is not a valid float
        HINCRBYFLOAT h f ""      -> -ERR value is not a valid float
        HINCRBYFLOAT h f " 1"    -> -ERR value is not a valid float
        HINCRBYFLOAT h f 1,5     -> -ERR value is not a valid float
        HGET h inf               -> "inf"
        HINCRBYFLOAT none f nan  -> -ERR value is not a valid float
        HINCRBYFLOAT none f inf  -> -ERR value is NaN or Infinity
        EXISTS none              -> :0
    """)


READS = [
    "HGET s f",
    "HMGET s f g",
    "HGETALL s",
    "HKEYS s",
    "HVALS s",
    "HEXISTS s f",
    "HLEN s",
    "HSTRLEN s f",
    "HRANDFIELD s",
    "HRANDFIELD s 2",
    "HRANDFIELD s 0",
    "HSCAN s 0",
]
WRITES = [
    "HSET s f v",
    "HMSET s f v",
    "HSETNX s f v",
    "HDEL s f",
    "HINCRBY s f 1",
    "HINCRBYFLOAT s f 1",
]


def test_wrong_type(door: Door) -> None:
    for make, digest in (("SET s v", None), ("SET s 12", None)):
        door.check(make)
        digest = door("DEBUG", "DIGEST-VALUE", "s")
        for line in READS + WRITES:
            door.check(f"{line} -> -{WRONG_TYPE}")
        assert door("DEBUG", "DIGEST-VALUE", "s") == digest
        door("DEL", "s")
    door("HSET", "h", "f", "v")
    for line in ("GET h", "APPEND h x", "INCR h", "SETRANGE h 0 x", "GETDEL h", "GETSET h v"):
        door.check(f"{line} -> -{WRONG_TYPE}")
    door.check("""
        HGETALL h                -> {"f": "v"}
        SETNX h v                -> :0
        MGET h                   -> [nil]
        SET h v                  -> +OK
        TYPE h                   -> +string
    """)


def test_what_is_looked_at_first(door: Door) -> None:
    """Numbers before the key, the key before options of HSCAN."""
    door.check(f"""
        SET s v                  -> +OK
        HINCRBY s f x            -> -{WRONG_INT}
        HINCRBYFLOAT s f x       -> -ERR value is not a valid float
        HINCRBYFLOAT s f inf     -> -ERR value is NaN or Infinity
        HRANDFIELD s x           -> -{WRONG_INT}
        HRANDFIELD s 1 WITH      -> -ERR syntax error
        HRANDFIELD s x WITH      -> -{WRONG_INT}
        HSCAN s x                -> -ERR invalid cursor
        HSCAN s 0 COUNT          -> -{WRONG_TYPE}
        HSCAN none x             -> -ERR invalid cursor
        HSCAN none 0 NONSENSE    -> ["0", []]
        HSCAN none 0 COUNT 0     -> ["0", []]
    """)


def test_writes_keep_the_expiry(door: Door) -> None:
    door.check("""
        HSET h a 1 b 2           -> :2
        EXPIRE h 100             -> :1
        HSET h a 2 c 3           -> :1
        HSETNX h d 4             -> :1
        HMSET h a 5              -> +OK
        HINCRBY h a 1            -> :6
        HINCRBYFLOAT h a 1.5     -> "7.5"
        HDEL h b                 -> :1
        TTL h                    -> :99..100
        HDEL h a c d             -> :3
        HSET h a 1               -> :1
        TTL h                    -> :-1
    """)
    fill(door, "big", 200)
    door.check("""
        EXPIRE big 100           -> :1
        HSET big f1 x new y      -> :1
        HDEL big f2              -> :1
        TTL big                  -> :99..100
    """)


def test_an_expired_hash_is_gone(door: Door) -> None:
    door.check("""
        HSET h a 1               -> :1
        PEXPIREAT h 1            -> :1
        HGET h a                 -> nil
        HSET h b 2               -> :1
        HGETALL h                -> {"b": "2"}
        TTL h                    -> :-1
    """)


def test_encoding_at_the_limits(door: Door) -> None:
    most, more = "x" * 64, "x" * 65
    for line in (f"HSET h f {more}", f"HSET h {more} v", f"HSETNX h f {more}", f"HMSET h f {more}"):
        door.check(f"""
            DEL h
            HSET h {most} {most}     -> :1
            OBJECT ENCODING h        -> "listpack"
            {line}
            OBJECT ENCODING h        -> "hashtable"
            HLEN h                   -> :2
            HGET h {most}            -> "{most}"
            HDEL h f {more}          -> :1
            OBJECT ENCODING h        -> "hashtable"
        """)
    door.check(f"""
        DEL h
        HINCRBYFLOAT h f 1e70    -> anybulk
        OBJECT ENCODING h        -> "hashtable"
        DEL h
        HINCRBY h {more} 1       -> :1
        OBJECT ENCODING h        -> "hashtable"
        DEL h
        HSET h f v               -> :1
        HSETNX h f {more}        -> :0
        OBJECT ENCODING h        -> "listpack"
    """)
    fill(door, "n", 128)
    assert door("OBJECT", "ENCODING", "n") == b"listpack"
    door.check("""
        HSET n f1 x              -> :0
        OBJECT ENCODING n        -> "listpack"
        HSET n f128 128          -> :1
        OBJECT ENCODING n        -> "hashtable"
        HDEL n f1 f2 f3          -> :3
        OBJECT ENCODING n        -> "hashtable"
        HLEN n                   -> :126
    """)


def test_encoding_follows_the_settings(door: Door) -> None:
    door.config("hash-max-listpack-entries", 2)
    door.check("""
        HSET h a 1 b 2           -> :2
        OBJECT ENCODING h        -> "listpack"
        HSET h a 3               -> :0
        OBJECT ENCODING h        -> "listpack"
        HSET h c 3               -> :1
        OBJECT ENCODING h        -> "hashtable"
    """)
    door.config("hash-max-ziplist-entries", 3)
    door.config("hash-max-listpack-value", 2)
    door.check("""
        HSET g aa 1              -> :1
        OBJECT ENCODING g        -> "listpack"
        HINCRBY g aa 99          -> :100
        OBJECT ENCODING g        -> "hashtable"
    """)
    door.config("hash-max-listpack-entries", 0)
    door.check("""
        HSET z a 1               -> :1
        OBJECT ENCODING z        -> "hashtable"
    """)


@pytest.mark.parametrize("count", [3, 500])
def test_copies_do_not_share_changes(door: Door, count: int) -> None:
    fill(door, "h", count)
    door.check("""
        COPY h c                 -> :1
        HSET c f0 changed new 1  -> :1
        HDEL c f1                -> :1
        HMGET h f0 f1 new        -> ["0", "1", nil]
        HMGET c f0 f1 new        -> ["changed", nil, "1"]
        RENAME h r               -> +OK
        HGET r f1                -> "1"
        HGET h f1                -> nil
        HSET r f1 x              -> :0
        HMGET c f0 f1            -> ["changed", nil]
    """)
    assert len(fields_of(door, "r")) == count


def test_watch_sees_every_change_of_a_field(door: Door) -> None:
    for line in WRITES:
        change = (
            line.replace(" s ", " h ").replace(" f 1", " n 1").replace("HSETNX h f", "HSETNX h g")
        )
        for count in (2, 300):
            door("DEL", "h")
            fill(door, "h", count)
            door("HSET", "h", "f", "1", "n", "1")
            door.check(f"""
                WATCH h                  -> +OK
                B> {change}
                MULTI                    -> +OK
                PING                     -> +QUEUED
                EXEC                     -> nilarray
            """)
    door.check("""
        WATCH h                  -> +OK
        B> HSETNX h f 2          -> :0
        B> HDEL h none           -> :0
        MULTI                    -> +OK
        HLEN h                   -> +QUEUED
        EXEC                     -> [anyint]
    """)


def test_in_a_transaction(door: Door) -> None:
    door.check("""
        MULTI                    -> +OK
        HSET h a 1               -> +QUEUED
        HINCRBY h a 4            -> +QUEUED
        HGETALL h                -> +QUEUED
        HDEL h a                 -> +QUEUED
        HGETALL h                -> +QUEUED
        EXEC                     -> [:1, :5, {"a": "5"}, :1, {}]
    """)


# ---- HRANDFIELD --------------------------------------------------------------------------------


def test_hrandfield_edges(door: Door) -> None:
    door.check(f"""
        HRANDFIELD none          -> nil
        HRANDFIELD none 5        -> []
        HRANDFIELD none -5       -> []
        HRANDFIELD none 5 WITHVALUES -> []
        HSET h a 1               -> :1
        HRANDFIELD h             -> "a"
        HRANDFIELD h 1           -> ["a"]
        HRANDFIELD h 10          -> ["a"]
        HRANDFIELD h -3          -> ["a", "a", "a"]
        HRANDFIELD h 0           -> []
        HRANDFIELD h 0 WITHVALUES -> []
        HRANDFIELD h x           -> -{WRONG_INT}
        HRANDFIELD h WITHVALUES  -> -{WRONG_INT}
        HRANDFIELD h 1.0         -> -{WRONG_INT}
        HRANDFIELD h 9223372036854775808 -> -{WRONG_INT}
        HRANDFIELD h -9223372036854775809 -> -{WRONG_INT}
        HRANDFIELD h -9223372036854775808 -> -{RANGE_TEXT}
        HRANDFIELD none -9223372036854775808 WITHVALUES -> -{RANGE_TEXT}
        HRANDFIELD h 1 WITH      -> -ERR syntax error
        HRANDFIELD h 1 WITHVALUES x -> -ERR syntax error
        HRANDFIELD h -9223372036854775808 WITH -> -{RANGE_TEXT}
        HRANDFIELD h 9223372036854775807 -> ["a"]
        HRANDFIELD h 9223372036854775807 WITHVALUES -> -ERR value is out of range
        HRANDFIELD h 4611686018427387904 WITHVALUES -> -ERR value is out of range
        HRANDFIELD h -4611686018427387904 WITHVALUES -> -ERR value is out of range
        HRANDFIELD none -4611686018427387904 WITHVALUES -> -ERR value is out of range
        HRANDFIELD none -4611686018427387904 -> []
    """)
    pairs = '[["a", "1"]]' if door.protocol == 3 else '["a", "1"]'
    door.check(f"""
        HRANDFIELD h 4611686018427387903 WITHVALUES -> {pairs}
        HRANDFIELD h 1 withvalues -> {pairs}
        HRANDFIELD h -1 WITHVALUES -> {pairs}
    """)


def pairs_of(reply: list[Any], door: Door) -> list[tuple[bytes, bytes]]:
    if door.protocol == 3:
        return [tuple(pair) for pair in reply]
    return list(zip(reply[::2], reply[1::2], strict=True))


@pytest.mark.parametrize("size", [5, 128, 1000])
def test_hrandfield_with_counts(door: Door, size: int) -> None:
    fill(door, "h", size)
    everything = {f"f{i}".encode(): str(i).encode() for i in range(size)}
    for count in (1, 2, size // 4, size // 2, size - 1, size, size + 1, 10 * size):
        fields = door("HRANDFIELD", "h", count)
        assert len(fields) == len(set(fields)) == min(count, size)
        assert set(fields) <= set(everything)
        pairs = pairs_of(door("HRANDFIELD", "h", count, "WITHVALUES"), door)
        assert len(pairs) == len(dict(pairs)) == min(count, size)
        assert dict(pairs).items() <= everything.items()
    picks = door("HRANDFIELD", "h", -10 * size)
    assert len(picks) == 10 * size
    assert set(picks) <= set(everything)
    assert len(set(picks)) < len(picks)
    pairs = pairs_of(door("HRANDFIELD", "h", -10 * size, "WITHVALUES"), door)
    assert len(pairs) == 10 * size
    assert all(everything[field] == value for field, value in pairs)
    assert {door("HRANDFIELD", "h") for _ in range(50)} <= set(everything)


@pytest.mark.ours("it prefers some fields of a hashtable")
@pytest.mark.parametrize("size", [10, 300])
def test_hrandfield_is_fair(door: Door, size: int) -> None:
    """Every field comes about equally often: 100 draws of each on average; below 40 or above 180
    would be six standard deviations away."""
    fill(door, "h", size)
    for count in (1, size // 5, size // 2, -size // 2):
        seen = dict.fromkeys((f"f{i}".encode() for i in range(size)), 0)
        rounds = 100 * size // abs(count)
        for fields in door.many([("HRANDFIELD", "h", count)] * rounds):
            for field in fields:
                seen[field] += 1
        assert 40 < min(seen.values()) <= max(seen.values()) < 180, count


@pytest.mark.ours("it builds replies until memory ends: 7.0.15 dies of the second one")
def test_hrandfield_refuses_to_build_huge_replies(door: Door) -> None:
    fill(door, "big", 200)
    door.check(
        """
        HSET h a 1               -> :1
        HSET big long $text      -> :1
        HRANDFIELD h -50000000   -> -ERR value is out of range
        HRANDFIELD h -4611686018427387904 -> -ERR value is out of range
        HRANDFIELD big -9223372036854775807 -> -ERR value is out of range
        HRANDFIELD h -4611686018427387903 WITHVALUES -> -ERR value is out of range
        HDEL big f0              -> :1
        HRANDFIELD h -2          -> ["a", "a"]
    """,
        text="x" * 100,
    )
    door("HSET", "wide", "f", "v" * 1_000_000)
    assert len(door("HRANDFIELD", "wide", -20, "WITHVALUES")) == (20 if door.protocol == 3 else 40)
    assert door("HRANDFIELD", "wide", -200, "WITHVALUES") == "ERR value is out of range"
    assert door("PING") == "PONG"


# ---- HSCAN -------------------------------------------------------------------------------------


def scan(door: Door, key: str, *options: Any) -> tuple[list[tuple[bytes, bytes]], int]:
    """All pairs of a whole walk, and the number of calls it took."""
    cursor, found, calls = b"0", [], 0
    while True:
        cursor, page = door("HSCAN", key, cursor, *options)
        found += zip(page[::2], page[1::2], strict=True)
        calls += 1
        if cursor == b"0":
            return found, calls


def test_hscan_of_a_small_hash_is_whole(door: Door) -> None:
    door.check("""
        HSCAN none 0             -> ["0", []]
        HSET h b 1 a 2 ab 3      -> :3
        HSCAN h 0                -> ["0", ["b", "1", "a", "2", "ab", "3"]]
        HSCAN h 0 COUNT 1        -> ["0", ["b", "1", "a", "2", "ab", "3"]]
        HSCAN h 77               -> ["0", ["b", "1", "a", "2", "ab", "3"]]
        HSCAN h 0 MATCH a*       -> ["0", ["a", "2", "ab", "3"]]
        HSCAN h 0 match A*       -> ["0", []]
        HSCAN h 0 MATCH * COUNT 1000 -> ["0", ["b", "1", "a", "2", "ab", "3"]]
        HSCAN h 0 MATCH x MATCH b -> ["0", ["b", "1"]]
    """)


def test_hscan_errors(door: Door) -> None:
    door.check("""
        HSET h a 1               -> :1
        HSCAN h                  -> -ERR wrong number of arguments for 'hscan' command
        HSCAN h x                -> -ERR invalid cursor
        HSCAN h 1x               -> -ERR invalid cursor
        HSCAN h 18446744073709551616 -> -ERR invalid cursor
        HSCAN h 18446744073709551615 -> ["0", ["a", "1"]]
        HSCAN h 0 COUNT          -> -ERR syntax error
        HSCAN h 0 COUNT 0        -> -ERR syntax error
        HSCAN h 0 COUNT -1       -> -ERR syntax error
        HSCAN h 0 COUNT x        -> -ERR value is not an integer or out of range
        HSCAN h 0 COUNT 9223372036854775808 -> -ERR value is not an integer or out of range
        HSCAN h 0 COUNT 9223372036854775807 -> ["0", ["a", "1"]]
        HSCAN h 0 MATCH          -> -ERR syntax error
        HSCAN h 0 TYPE hash      -> -ERR syntax error
        HSCAN h 0 NOVALUES       -> -ERR syntax error
        HSCAN h 0 MATCH a COUNT  -> -ERR syntax error
    """)


def test_hscan_walks_a_large_hash(door: Door) -> None:
    fill(door, "h", 1000)
    for count in (1, 10, 100, 5000, 2**63 - 1):
        found, calls = scan(door, "h", "COUNT", count)
        assert dict(found) == fields_of(door, "h")
        assert len(found) == 1000
        assert calls >= 1000 // (count * 10) or door.is_reference
    found, _ = scan(door, "h", "MATCH", "f99*", "COUNT", 7)
    assert {field for field, _ in found} == {b"f99", *(f"f{i}".encode() for i in range(990, 1000))}
    # Whatever the cursor, a walk ends.
    assert door("HSCAN", "h", 2**64 - 1)[0] is not None


def test_hscan_finds_what_stays_while_others_come_and_go(door: Door) -> None:
    fill(door, "h", 600)
    stays = {f"f{i}".encode() for i in range(0, 600, 3)}
    cursor, seen, at = b"0", set(), 0
    while True:
        cursor, page = door("HSCAN", "h", cursor, "COUNT", 5)
        seen |= set(page[::2])
        if cursor == b"0":
            break
        gone = [f"f{i}" for i in range(at, at + 12) if i % 3 and i < 600]
        if gone:
            door("HDEL", "h", *gone)
        if at < 600:
            door("HSET", "h", *(x for i in range(3) for x in (f"new{at + i}", "v")))
        at += 12
    assert stays <= seen


# ---- sizes -------------------------------------------------------------------------------------


def test_many_fields_come_and_go(door: Door) -> None:
    total = 300_000
    batch = 20_000
    for start in range(0, total, batch):
        pairs = [x for i in range(start, start + batch) for x in (f"f{i}", i)]
        assert door("HSET", "h", *pairs) == batch
    assert door("HLEN", "h") == total
    assert door("HGET", "h", f"f{total - 1}") == str(total - 1).encode()
    for start in range(0, total - batch, batch):
        assert door("HDEL", "h", *(f"f{i}" for i in range(start, start + batch))) == batch
    assert door("HLEN", "h") == batch
    assert len(fields_of(door, "h")) == batch
    assert door("DEL", "h") == 1
    assert door("EXISTS", "h") == 0


def test_large_fields_and_values(door: Door) -> None:
    field, value = b"f" * (1 << 20), b"v" * (16 << 20)
    assert door("HSET", "h", field, value) == 1
    assert door("HGET", "h", field) == value
    assert door("HSTRLEN", "h", field) == len(value)
    assert door("HSET", "h", field, value + b"w") == 0
    assert door("HGET", "h", field) == value + b"w"
    assert door("HSETNX", "h", field, b"") == 0
    assert door("HDEL", "h", field) == 1
    assert door("EXISTS", "h") == 0


def test_memory_comes_back(door: Door) -> None:
    before = door.settled_memory()
    fill(door, "h", 20_000)
    assert int(door.info("memory")["used_memory"]) > before + 500_000
    assert door("MEMORY", "USAGE", "h", "SAMPLES", 0) > 500_000
    door("HDEL", "h", *(f"f{i}" for i in range(20_000)))
    assert door.settled_memory() < before + 200_000
